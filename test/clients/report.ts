/** The matrix as tables: every run, and how many of each kind succeeded. */
import { formatTable } from '../support/report.ts'
import { isDone, type JobDone } from './job.ts'
import { isGood, type Matrix, type Row } from './matrix.ts'
import type { Side } from './plan.ts'

export function reportOf({ rows, missing }: Matrix, isMarkdown: boolean): string {
  const nowhere = missing.map(({ client, why }) => [client, 'not installed', why])
  const runs = formatTable(
    ['client', 'what fails', 'alone', 'with lastgood'],
    [...runsOf(rows), ...nowhere],
    isMarkdown,
  )
  const sums = formatTable(
    ['client', 'kind', 'done alone', 'done with lastgood'],
    [...sumsOf(rows), ...nowhere],
    isMarkdown,
  )
  return `${runs}\n\n${sums}`
}

function runsOf(rows: readonly Row[]): string[][] {
  const lines = groups(rows, ({ client, kind, fault, minutes }) => `${client} ${kind} ${fault} ${minutes ?? ''}`)
  return lines.map((line) => {
    const [{ client }] = line
    const on = (side: Side) =>
      line
        .filter((row) => row.side === side)
        .map(verdict)
        .join()
    return [client, whatFails(line[0]), on('alone') || aloneShorter(line[0], rows), on('with lastgood')]
  })
}

/** A client that gave up during a shorter outage gives up during a longer one. */
function aloneShorter({ client, kind, fault }: Row, rows: readonly Row[]): string {
  const shorter = rows.find(
    (row) => kind === 'outage' && row.side === 'alone' && row.client === client && row.fault === fault,
  )
  return shorter ? (isGood(shorter) ? 'not tried' : verdict(shorter)) : ''
}

function sumsOf(rows: readonly Row[]): string[][] {
  return groups(rows, ({ client, kind }) => `${client} ${kind === 'nothing' ? 'once' : kind}`).map((line) => {
    const [{ client, kind }] = line
    const on = (side: Side) => {
      const those = line.filter((row) => row.side === side)
      // Skipped runs would have failed.
      return `${those.filter(isGood).length} of ${those.length}`
    }
    return [client, kind === 'nothing' ? 'once' : kind, on('alone'), on('with lastgood')]
  })
}

export function whatFails({ kind, fault, minutes }: Pick<Row, 'kind' | 'fault' | 'minutes'>): string {
  if (kind === 'outage') return `${fault}, for ${minutes ?? 0} min`
  return kind === 'repeatedly' ? `${fault}, three times` : fault
}

export const verdict = ({ became }: Pick<Row, 'became'>): string =>
  became.is === 'run' ? verdictOf(became.done) : became.why

function verdictOf(done: JobDone): string {
  const seconds = `${(done.ms / 1000).toFixed(0)} s`
  const refused = done.refused > 0 ? `, ${done.refused} refused` : ''
  if (isDone(done)) return `done, ${seconds}${refused}${done.isHit ? '' : ' (nothing failed)'}`
  const twice = done.steps.filter((step, at) => done.steps.indexOf(step) !== at)
  if (twice.length > 0) return `ran ${twice.join()} twice`
  if (done.exitCode === null) return `hung for ${seconds}`
  return `exit ${done.exitCode} after ${seconds}, ${done.steps.length} of 3 steps`
}

/** In the order of their first rows. */
function groups(rows: readonly Row[], keyOf: (row: Row) => string): [Row, ...Row[]][] {
  const found = new Map<string, [Row, ...Row[]]>()
  for (const row of rows) {
    const group = found.get(keyOf(row))
    if (group) group.push(row)
    else found.set(keyOf(row), [row])
  }
  return [...found.values()]
}
