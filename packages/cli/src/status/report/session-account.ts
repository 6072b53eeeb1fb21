/**
 * What one session went through since an instant: a fold of its journal, which may be long, into a small result.
 */
import type { Entry } from '@lastgood/core'
import type { Prices } from '../../cost/prices.ts'
import { answeredBy, Troubles, type AnsweredBy, type Trouble } from '../../outages/trouble.ts'
import { CallsUnderWay, nothingAsked, type AskedAgain } from './asked-again.ts'
import { ExtraCosts, type ExtraCost } from './extra-cost.ts'
import { TurnsSoFar, type GoneTurn } from './lost-turns.ts'

/** How often it was answered in this way, and how long that took. */
export interface Recoveries {
  count: number
  longestMs: number
  totalMs: number
}

export type RecoveriesBy = Record<AnsweredBy, Recoveries>

export interface SessionAccount {
  readonly faults: number
  readonly troubles: number
  readonly recoveries: RecoveriesBy
  /** How the last trouble ended; undefined if it has not, or if there was none. */
  readonly lastEnd: Trouble['end']
  /** The start of the trouble that is still open, epoch ms. */
  readonly openSince: number | undefined
  readonly parked: Troubles['parked']
  readonly turnsLost: readonly GoneTurn[]
  readonly turnsTakenBack: number
  readonly calls: AskedAgain
  readonly extra: ExtraCost
}

export interface AccountOptions {
  readonly since: number
  readonly prices: Prices | undefined
  /** Called for each trouble since then; one that is still open comes last. */
  onTrouble(trouble: Trouble): void
}

export const noRecoveries = (): RecoveriesBy => ({
  'same-model': { count: 0, longestMs: 0, totalMs: 0 },
  fallback: { count: 0, longestMs: 0, totalMs: 0 },
  repaired: { count: 0, longestMs: 0, totalMs: 0 },
  resumed: { count: 0, longestMs: 0, totalMs: 0 },
})

/** Errors: those of `entries`. */
export async function accountOf(entries: AsyncIterable<Entry>, options: AccountOptions): Promise<SessionAccount> {
  const { since, prices, onTrouble } = options
  const [troubles, turns, calls, costs] = [
    new Troubles(),
    new TurnsSoFar(),
    new CallsUnderWay(),
    new ExtraCosts(prices),
  ]
  const [recoveries, asked, turnsLost] = [noRecoveries(), nothingAsked(), new Array<GoneTurn>()]
  let [faults, count, turnsTakenBack] = [0, 0, 0]
  let lastEnd: Trouble['end']
  const met = (trouble: Trouble) => {
    count += 1
    faults += trouble.faults
    lastEnd = trouble.end
    onTrouble(trouble)
  }
  for await (const entry of entries) {
    const ended = troubles.take(entry)
    const gone = turns.take(entry)
    const again = calls.take(entry)
    const counts = entry.at >= since
    costs.take(entry, { counts, isAfterTrouble: ended !== undefined })
    if (!counts) continue
    if (ended) {
      met(ended)
      addRecovery(recoveries, ended)
    }
    turnsLost.push(...gone.lost)
    turnsTakenBack += gone.takenBack.length
    if (again) asked[again] += 1
  }
  const { open, parked } = troubles
  if (open) met(open)
  return {
    faults,
    troubles: count,
    recoveries,
    lastEnd,
    openSince: open?.from,
    parked,
    turnsLost,
    turnsTakenBack,
    calls: asked,
    extra: costs.total,
  }
}

function addRecovery(recoveries: RecoveriesBy, { end, from, to = from }: Trouble): void {
  const how = answeredBy.find((one) => one === end)
  if (how) addTo(recoveries[how], { count: 1, longestMs: to - from, totalMs: to - from })
}

export function addTo(sum: Recoveries, { count, longestMs, totalMs }: Recoveries): void {
  sum.count += count
  sum.longestMs = Math.max(sum.longestMs, longestMs)
  sum.totalMs += totalMs
}
