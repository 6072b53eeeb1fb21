/**
 * The morning after: what was down, which sessions met it, how each came through, what is gone and what it cost.
 * Read from the journals alone, one session after the other.
 */
import { isLastgoodError, leftOutBy, withBlobs, type Store } from '@lastgood/core'
import type { Prices } from '../../cost/prices.ts'
import { Outages, type Outage } from '../../outages/model-outages.ts'
import { answeredBy, type Trouble } from '../../outages/trouble.ts'
import { sessionRows, type SessionRow } from '../../sessions/session-row.ts'
import { nothingAsked, type AskedAgain } from './asked-again.ts'
import { noExtraCost, type ExtraCost } from './extra-cost.ts'
import { accountOf, addTo, noRecoveries, type RecoveriesBy, type SessionAccount } from './session-account.ts'

/** How a session stands now. */
export type Standing =
  /** It met trouble, and goes on. */
  | 'recovered'
  /** It waits for its next try, and a live process holds it. */
  | 'waiting'
  /** It is in trouble, and no live process holds it: `resume` continues it. */
  | 'stopped'
  /** It is parked with a reason. */
  | 'suspended'
  /** Its last request was refused, or it had to go back. */
  | 'refused'
  | 'rewound'

export interface SessionLine extends SessionAccount {
  readonly row: SessionRow
  readonly standing: Standing
  /** Nobody had to do anything, and nobody has to now. */
  readonly isBySelf: boolean
}

export interface Unreadable {
  readonly sessionId: string
  readonly code: string
}

export interface Report {
  readonly since: number
  readonly now: number
  /** Number of sessions written in that time. */
  readonly read: number
  readonly outages: readonly Outage[]
  readonly outageMs: number
  /** Those that met something; those that need a person come first. */
  readonly sessions: readonly SessionLine[]
  readonly recoveries: RecoveriesBy
  readonly calls: AskedAgain
  readonly extra: ExtraCost
  /** Sessions that cannot be read: what they lost is unknown. */
  readonly unreadable: readonly Unreadable[]
}

export interface ReportOptions {
  readonly since: number
  readonly now: number
  readonly prices?: Prices | undefined
}

/** `failure`: of damaged sessions, which the list reports at its end; the report has all others. */
export async function readReport(
  store: Store,
  { since, now, prices }: ReportOptions,
): Promise<{ report: Report; failure?: unknown }> {
  const { rows, ...failed } = await sessionRows(store, now, { updatedSince: since })
  const outages = new Outages()
  const sessions: SessionLine[] = []
  const unreadable: Unreadable[] = leftOutBy(failed.failure)
  const [recoveries, calls, extra] = [noRecoveries(), nothingAsked(), noExtraCost()]
  for (const row of rows) {
    const { sessionId } = row.head
    try {
      const onTrouble = (one: Trouble) => addOutages(outages, one, row, since)
      const entries = withBlobs(store, sessionId, store.read(sessionId))
      const read = await accountOf(entries, { since, prices, onTrouble })
      const account = { ...read, openSince: read.openSince ?? cutOffAt(row) }
      if (!isTouched(account)) continue
      const standing = standingOf(account, row)
      sessions.push({ ...account, row, standing, isBySelf: standing === 'recovered' && isByItself(account) })
      for (const how of answeredBy) addTo(recoveries[how], account.recoveries[how])
      for (const what of ['told', 'rerun', 'verified'] as const) calls[what] += account.calls[what]
      addCost(extra, account.extra)
    } catch (error) {
      if (!isLastgoodError(error) || error.code === 'store-unavailable') throw error
      unreadable.push({ sessionId, code: error.code })
    }
  }
  sessions.sort(
    (a, b) => order.indexOf(a.standing) - order.indexOf(b.standing) || a.row.head.updatedAt - b.row.head.updatedAt,
  )
  const report = { since, now, read: rows.length, sessions, recoveries, calls, extra, unreadable }
  return { report: { ...report, outages: outages.all, outageMs: outages.totalMs(now) }, ...failed }
}

const order: readonly Standing[] = ['suspended', 'stopped', 'refused', 'rewound', 'waiting', 'recovered']

function addOutages(
  outages: Outages,
  { failing, end }: Trouble,
  { head, isRecoverable }: SessionRow,
  since: number,
): void {
  for (const [model, { from, to, ...rest }] of failing) {
    // Only a session that a live process holds shows that the model still fails.
    const isOpen = end === undefined && !isRecoverable && head.status === 'waiting'
    outages.add({ sessionId: head.sessionId, model, from: Math.max(from, since), to: isOpen ? undefined : to, ...rest })
  }
}

/** The last entry of a process that ended in the middle of a turn; the journal alone cannot say that it has ended. */
function cutOffAt({ status, head }: SessionRow): number | undefined {
  return status === 'interrupted' ? head.updatedAt : undefined
}

function isTouched({ troubles, openSince, parked, turnsLost, calls }: SessionAccount): boolean {
  const asked = calls.told + calls.rerun + calls.verified
  return troubles + turnsLost.length + asked > 0 || openSince !== undefined || parked !== undefined
}

function standingOf({ lastEnd, openSince }: SessionAccount, { head, isRecoverable }: SessionRow): Standing {
  const isParked = head.status === 'suspended' || head.status === 'needs-input'
  if (isParked) return lastEnd === 'refused' ? 'refused' : 'suspended'
  if (openSince !== undefined) return isRecoverable ? 'stopped' : 'waiting'
  return lastEnd === 'rewound' ? 'rewound' : 'recovered'
}

function isByItself({ recoveries, troubles, turnsLost }: SessionAccount): boolean {
  const { 'same-model': same, fallback, repaired } = recoveries
  return turnsLost.length === 0 && same.count + fallback.count + repaired.count === troubles
}

function addCost(sum: ExtraCost, { repeated, reread, usd, unpriced }: ExtraCost): void {
  sum.repeated += repeated
  sum.reread += reread
  sum.usd += usd
  for (const model of unpriced) sum.unpriced.add(model)
}
