/**
 * Whether sessions can be opened through the store as it is set up. A store's own findings cannot tell: a key or a
 * codec belongs to its decorator.
 */
import { isLastgoodError, readHistory, type Clock, type Finding, type Store } from '@lastgood/core'
import { failureOf, type Failure } from '../failure.ts'
import type { SessionRow } from '../sessions/session-row.ts'
import { unusable } from './report.ts'
import { sessionsText } from './session-findings.ts'

/** The newest sessions are tried: at most this many, for at most this long. */
const mostTried = 1_000
const longestMs = 10_000

export interface Tried {
  readonly tried: number
  readonly findings: Finding[]
}

/** Reads each session as a resume would: first what it was forked from, then to its end. `told`: known damage. */
export async function tryHistories(
  store: Store,
  rows: readonly SessionRow[],
  clock: Clock,
  told: readonly Finding[],
): Promise<Tried> {
  const byMend = new Map<string, { failure: Failure; rows: SessionRow[] }>()
  const end = clock.elapsed() + longestMs
  const isLate = () => clock.elapsed() >= end
  let tried = 0
  for (const row of rows.toSorted((a, b) => b.head.updatedAt - a.head.updatedAt).slice(0, mostTried)) {
    if (isLate()) break
    tried += 1
    try {
      for await (const _ of readHistory(store, row.head.sessionId)) if (isLate()) break
    } catch (error) {
      const failure = failureOf(error)
      // It was removed meanwhile.
      if (isLastgoodError(error, 'session-not-found')) continue
      if (told.some(({ what }) => what === failure.message)) continue
      if (isLastgoodError(error, 'store-unavailable') && told.some(({ risk }) => risk === unusable)) continue
      // Failures with the same mend, e.g. one key, are one finding.
      const mend = failure.hint ?? failure.message
      const alike = byMend.get(mend) ?? { failure, rows: [] }
      byMend.set(mend, { ...alike, rows: [...alike.rows, row] })
    }
  }
  return { tried, findings: [...byMend.values()].map(({ failure, rows: alike }) => findingOf(failure, alike)) }
}

function findingOf({ message, causes, hint }: Failure, rows: readonly SessionRow[]): Finding {
  return {
    severity: 'danger',
    what: `${sessionsText(rows, 'cannot be opened')}: ${[message, ...causes].join(': ')}`,
    risk: 'what was recorded can be neither shown nor continued from here (P1)',
    mend: hint ?? 'lastgood list --all',
  }
}
