/**
 * A session over time, drawn with characters: a row for each turn and, below it, one for each tool call. Pure.
 *
 * 1. Every mark has its own shape; colours only repeat what the shapes say.
 * 2. Idle time is folded, so that a long wait for a person does not squeeze the work to nothing.
 * 3. Where two marks share a column, the rarer one wins: a failure is never painted over.
 */
import { callLabel } from '../call-label.ts'
import type { Entry, Fault } from '@lastgood/core'
import type { Palette } from '../terminal.ts'
import { spent } from '../durations.ts'
import { padded, shorten } from '../text.ts'
import { moments } from './moments.ts'
import type { PageReading } from './status-page.ts'
import { timeAxis, type TimeAxis } from './time-axis.ts'

export interface Incident {
  readonly at: number
  readonly mark: 'K' | 'D' | 'R'
}

export interface TimelineOptions {
  readonly incidents: readonly Incident[]
  /** What the status page said, in a row of its own. Default: it was not asked. */
  readonly readings?: readonly PageReading[]
  readonly columns: number
  readonly palette: Palette
}

interface Span {
  from: number
  to: number
  mark: string
}

interface Row {
  label: string
  spans: Span[]
}

const labelColumns = 24
/** Later ones win. */
const order = ['━', '▓', '░', '█', '?', '◆', '✖', '✚', '○', '●', 'D', 'R', 'K']

export function timeline(entries: readonly Entry[], options: TimelineOptions): string[] {
  const { incidents, readings = [], columns, palette } = options
  const said = readings.flatMap(({ at, says }) => (says === 'unknown' ? [] : [{ at, mark: pageMark(says) }]))
  const rows = [
    ...rowsOf(entries, incidents),
    { label: 'process', spans: incidents.map(instant) },
    ...(said.length > 0 ? [{ label: 'status page', spans: said.map(instant) }] : []),
  ]
  const busy = rows.flatMap(({ spans }) => spans)
  if (busy.length === 0) return []
  const axis = timeAxis(busy, columns - labelColumns - 1)
  const margin = ' '.repeat(labelColumns)
  return [
    `${margin} ${palette.dim(axis.scale())}`,
    ...rows.map(({ label, spans }) => `${padded(label, labelColumns)} ${painted(spans, axis, palette)}`),
    palette.dim(`${margin} █ answer ▓ tool ░ wait ✖ failure ? outcome unknown`),
    palette.dim(`${margin} ✚ repaired ━ another model ○ page: all well ● incident`),
    palette.dim(`${margin} ◆ checkpoint K kill -9 D redeploy R resume ╱╲ folded`),
    '',
    ...inWords(entries, options, Math.min(...busy.map(({ from }) => from))),
  ]
}

/** What the marks alone do not say, each with its time. */
function inWords(
  entries: readonly Entry[],
  { readings = [], columns, palette }: TimelineOptions,
  start: number,
): string[] {
  const tell = moments()
  const news = readings.filter(({ says }, i) => says !== readings[i - 1]?.says)
  const told = [
    ...entries.flatMap(tell),
    ...news.map(({ at, says, incident }) => ({
      at,
      mark: says === 'unknown' ? '?' : pageMark(says),
      words: pageWords(says, incident),
    })),
  ].sort((a, b) => a.at - b.at)
  return told.map(({ at, mark, words }) => {
    const time = spent(at - start).padStart(6)
    return `${palette.dim(time)} ${colored(mark, palette)} ${shorten(words, columns - time.length - 3)}`
  })
}

function pageWords(says: PageReading['says'], incident: string | undefined): string {
  if (says === 'operational') return 'status page: all is well'
  return says === 'unknown' ? 'status page: no answer' : `status page later: ${incident ?? says}`
}

const pageMark = (says: 'incident' | 'operational'): string => (says === 'incident' ? '●' : '○')
const instant = ({ at, mark }: { at: number; mark: string }): Span => ({ from: at, to: at, mark })

function rowsOf(entries: readonly Entry[], incidents: readonly Incident[]): Row[] {
  const rows: Row[] = []
  const calls = new Map<string, { row: Row; from: number }>()
  const killedAt = incidents.find(({ mark }) => mark === 'K')?.at ?? Infinity
  let turn: Row = { label: '', spans: [] }
  /** Of the model that took over the turn. */
  let taken: Span | undefined
  let sentAt: number | undefined
  let failedAt: number | undefined
  for (const entry of entries) {
    const { at } = entry
    if (taken) taken.to = at
    switch (entry.type) {
      case 'turn-started':
        turn = { label: `turn ${entry.turn}`, spans: [] }
        rows.push(turn)
        taken = undefined
        break
      case 'rung-changed':
        taken = { from: at, to: at, mark: '━' }
        rows.push({ label: `  ${shorten(entry.model, labelColumns - 3)}`, spans: [taken] })
        break
      case 'transcript-repaired':
        turn.spans.push({ from: at, to: at, mark: '✚' })
        break
      case 'request-sent':
        if (failedAt !== undefined) turn.spans.push({ from: failedAt, to: at, mark: '░' })
        failedAt = undefined
        sentAt = at
        break
      case 'fault-observed':
        turn.spans.push({ from: sentAt ?? at, to: at, mark: '█' }, { from: at, to: at, mark: '✖' })
        turn.label += ` ${faultName(entry.fault)}`
        failedAt = at
        break
      case 'response-received':
        turn.spans.push({ from: sentAt ?? at, to: at, mark: '█' })
        for (const block of entry.message.content) {
          if (block.type !== 'tool_use') continue
          const row = {
            label: `  ${shorten(callLabel(String(block['name']), block['input'], labelColumns), labelColumns - 3)}`,
            spans: [],
          }
          rows.push(row)
          calls.set(String(block['id']), { row, from: at })
        }
        break
      case 'tool-finished': {
        const call = calls.get(entry.toolUseId)
        if (!call) break
        const isInDoubt = entry.outcome === 'in-doubt'
        call.row.spans.push({ from: call.from, to: isInDoubt ? Math.min(at, killedAt) : at, mark: '▓' })
        if (isInDoubt) call.row.spans.push({ from: at, to: at, mark: '?' })
        break
      }
      case 'turn-ended':
        turn.spans.push({ from: at, to: at, mark: '◆' })
        taken = undefined
        break
      default:
        break
    }
  }
  return rows
}

function faultName({ status, kind }: Fault): string {
  if (status !== undefined && status >= 400) return String(status)
  return kind.startsWith('stream-') ? 'cut' : kind
}

function painted(spans: readonly Span[], axis: TimeAxis, palette: Palette): string {
  const cells = [...axis.background]
  const ranked = [...spans].sort((a, b) => order.indexOf(a.mark) - order.indexOf(b.mark))
  for (const { from, to, mark } of ranked) {
    for (let column = axis.column(from); column <= axis.column(to); column += 1) cells[column] = mark
  }
  return cells
    .map((cell) => colored(cell, palette))
    .join('')
    .trimEnd()
}

function colored(cell: string, { red, green, yellow, cyan, magenta, bold, dim }: Palette): string {
  switch (cell) {
    case '✖':
    case 'K':
      return red(bold(cell))
    case '●':
      return red(cell)
    case '◆':
    case '✚':
      return green(bold(cell))
    case '○':
      return green(cell)
    case '━':
    case '⇄':
    case '↑':
      return magenta(cell)
    case '░':
    case '?':
      return yellow(cell)
    case '▓':
      return cyan(cell)
    case 'D':
    case 'R':
      return magenta(bold(cell))
    case '╱':
    case '╲':
      return dim(cell)
    default:
      return cell
  }
}
