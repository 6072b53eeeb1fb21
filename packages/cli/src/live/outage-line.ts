/**
 * The outage as one line. It always says what failed, which attempt it was, when the next one is, and what is safe.
 * Pure: the state is a fold of entries, the time is an argument.
 */
import type { Entry, Fault } from '@lastgood/core'
import { left, spent } from '../durations.ts'
import { safeLine } from '../text.ts'

export interface Outage {
  /** What failed last. */
  label: string
  /** The attempt that failed last, or that is under way. */
  attempt: number
  /** When the first attempt failed, epoch ms. */
  since: number
  /** When the next one leaves, epoch ms; null while one is under way. */
  until: number | null
}

/** The outage after `entry`; null when there is none. */
export function outageAfter(outage: Outage | null, entry: Entry, attempt: number): Outage | null {
  switch (entry.type) {
    case 'fault-observed':
      if (entry.decision.kind !== 'retry') return null
      return { label: faultLabel(entry.fault), attempt, since: outage?.since ?? entry.at, until: entry.decision.at }
    case 'request-sent':
      return outage && { ...outage, attempt: entry.attempt, until: null }
    case 'response-received':
    case 'session-suspended':
    case 'turn-started':
    case 'turn-ended':
    case 'rewound':
      return null
    default:
      return outage
  }
}

/** `529 overloaded_error`, `ECONNREFUSED (transport)`, `stream-cut`. */
export function faultLabel({ kind, status, errorType, causes }: Fault): string {
  if (status !== undefined && status >= 400) return safeLine(`${status} ${errorType ?? kind}`)
  const cause = causes?.at(-1) ?? errorType
  return safeLine(cause === undefined ? kind : `${cause} (${kind})`)
}

export function outageLine({ label, attempt, until }: Outage, lastGoodTurn: number, now: number): string {
  const next = until === null || until <= now ? 'trying now' : `next in ${left(until - now)}`
  return `API ${label} · attempt ${attempt} · ${next} · ${savedAt(lastGoodTurn)}`
}

export function recoveredLine({ since, attempt }: Outage, lastGoodTurn: number, now: number): string {
  return `recovered after ${spent(now - since)}, at attempt ${attempt} · ${savedAt(lastGoodTurn)}`
}

export function savedAt(lastGoodTurn: number): string {
  return lastGoodTurn === 0 ? 'saved inside turn 1' : `saved at turn ${lastGoodTurn}`
}
