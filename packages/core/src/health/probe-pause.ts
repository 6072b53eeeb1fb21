/** The time until the next probe of an open breaker. Pure. */
import { fullJitter } from '../backoff.ts'
import type { HealthRecord } from './record.ts'
import { isBusy } from './recovery.ts'

const second = 1000
const minute = 60 * second
const [baseMs, capMs, longCapMs, longAfterMs] = [2 * second, minute, 5 * minute, 15 * minute]
/** A model that is gone rarely comes back. */
export const goneProbeMs = 15 * minute

/** Between half and all of the exponential bound: never at once, and never all breakers together. */
export function probePause(record: HealthRecord, { probes, since, now, random }: ProbePause): number {
  // Where thousands wait, a probe a minute is nothing. The record remembers for an hour how busy the model was.
  const cap = now - since >= longAfterMs && !isBusy(record, since) ? longCapMs : capMs
  const bound = Math.min(cap, baseMs * 2 ** Math.min(probes, 20))
  return bound / 2 + fullJitter(probes + 1, baseMs / 2, cap / 2, random)
}

interface ProbePause {
  /** Probes that failed. */
  readonly probes: number
  /** When the breaker opened. */
  readonly since: number
  readonly now: number
  readonly random: number
}
