/**
 * What sessions observed, kept in the record as evidence: bounded lists and counters. Pure.
 */
import { traitsOf, type FaultKind, type Sign } from '../faults/fault-kinds.ts'
import type { HealthRecord } from './record.ts'

interface Ended {
  /** When the request was sent (epoch ms); default: now. If before the breaker opened, its answer does not close it. */
  readonly sentAt?: number | undefined
}

/** How a request ended. */
export type Outcome =
  | (Ended & { readonly kind: 'ok' })
  | (Ended & {
      readonly kind: 'fault'
      readonly fault: FaultKind
      /** What the server asked for, in ms. */
      readonly retryAfterMs?: number | undefined
    })
  /** Its caller broke it off: the outcome is unknown. */
  | { readonly kind: 'abandoned' }

/** What an outcome says about the model's health. */
export function signOf(outcome: Outcome): Sign {
  if (outcome.kind === 'abandoned') return 'unclear'
  return outcome.kind === 'ok' ? 'answer' : (traitsOf(outcome.fault).sign ?? 'unclear')
}

const minuteMs = 60_000
const keptMinutes = 60
const keptSuccesses = 4
const keptDenials = 8

/** `record` with what `session` observed at `now`; the breaker is unchanged. */
export function noted(record: HealthRecord, session: string, outcome: Outcome, now: number): HealthRecord {
  const sign = signOf(outcome)
  const seen = { session, at: now }
  const denied = outcome.kind === 'fault' && (outcome.fault === 'auth-blocked' || outcome.fault === 'auth-outage')
  return {
    ...record,
    successes: sign === 'answer' ? newest(record.successes, seen, keptSuccesses) : record.successes,
    denials: denied ? newest(record.denials, seen, keptDenials) : record.denials,
    minutes: counted(record.minutes, sign, now),
    ...(outcome.kind === 'fault' && { lastFault: { kind: outcome.fault, at: now } }),
  }
}

type Sighting = HealthRecord['successes'][number]

/** Keeps the newest sighting of each session. */
function newest(list: readonly Sighting[], seen: Sighting, kept: number): Sighting[] {
  return [seen, ...list.filter(({ session }) => session !== seen.session)].sort((a, b) => b.at - a.at).slice(0, kept)
}

function counted(minutes: HealthRecord['minutes'], sign: Sign, now: number): HealthRecord['minutes'] {
  const at = Math.floor(now / minuteMs) * minuteMs
  const [ok, failed] = [sign === 'answer' ? 1 : 0, sign === 'failure' || sign === 'gone' ? 1 : 0]
  if (ok + failed === 0) return minutes
  const last = minutes.at(-1)
  // The common case.
  if (last?.at === at) return [...minutes.slice(0, -1), { at, ok: last.ok + ok, failed: last.failed + failed }]
  const there = minutes.find((minute) => minute.at === at) ?? { at, ok: 0, failed: 0 }
  return [...minutes.filter((minute) => minute.at !== at), { at, ok: there.ok + ok, failed: there.failed + failed }]
    .sort((a, b) => a.at - b.at)
    .filter((minute) => minute.at > at - keptMinutes * minuteMs)
    .slice(-keptMinutes)
}
