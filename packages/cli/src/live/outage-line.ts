/**
 * The outage as one line. It says what failed, which attempt it was, when the next one is, and what is safe; once the
 * ladder has moved, also which model is asked instead, and which model a later failure belongs to. Where room is short,
 * what failed is cut first. Pure: the state is a fold of entries, the time is an argument.
 */
import type { Entry, Fault } from '@lastgood/core'
import { left, spent } from '../durations.ts'
import { safeLine, shorten, widthOf } from '../text.ts'

export interface Outage {
  /** What failed last. */
  label: string
  /** The attempt that failed last, or that is under way. */
  attempt: number
  /** When the first attempt failed, epoch ms. */
  since: number
  /** When the next one leaves, epoch ms; null while one is under way. */
  until: number | null
  /** The label says why nothing was sent, e.g. an open circuit breaker of the model; nothing is sent until `until`. */
  isHeld?: true
  /** The model that the ladder handed the turn to; nothing is known about it yet. */
  asking?: string
  /** The model of the ladder that failed last; absent for the first. */
  failed?: string
}

/** The outage after `entry`; null when there is none. */
export function outageAfter(outage: Outage | null, entry: Entry, attempt: number): Outage | null {
  switch (entry.type) {
    case 'fault-observed':
      return afterFault(outage, entry, attempt)
    case 'request-held':
      return {
        label: safeLine(entry.reason),
        attempt,
        since: outage?.since ?? entry.at,
        until: entry.until,
        isHeld: true,
        ...askedLast(outage),
      }
    case 'rung-changed':
      return outage && { ...outage, asking: safeLine(entry.model), until: null }
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

function afterFault(
  outage: Outage | null,
  { fault, decision, at }: Entry & { type: 'fault-observed' },
  attempt: number,
) {
  const failure = { label: faultLabel(fault), attempt, since: outage?.since ?? at, ...askedLast(outage) }
  switch (decision.kind) {
    case 'retry':
      return { ...failure, until: decision.at }
    case 'suspend':
    case 'fail':
      return null
    case 'resend':
    case 'repair':
    case 'fallback':
    case 'keep-and-continue':
      // It goes on at once.
      return { ...failure, until: null }
  }
}

function askedLast(outage: Outage | null): Pick<Outage, 'failed'> {
  const failed = outage?.asking ?? outage?.failed
  return failed === undefined ? {} : { failed }
}

/** `529 overloaded_error`, `ECONNREFUSED (transport)`, `stream-cut`. */
export function faultLabel({ kind, status, errorType, causes }: Fault): string {
  if (status !== undefined && status >= 400) return safeLine(`${status} ${errorType ?? kind}`)
  const cause = causes?.at(-1) ?? errorType
  return safeLine(cause === undefined ? kind : `${cause} (${kind})`)
}

/** Columns that what failed keeps at least; with less room, the line is cut at its end. */
const leastLabel = 16

/** In `room` columns, if that leaves enough for what failed. */
export function outageLine(outage: Outage, lastGoodTurn: number, now: number, room = Infinity): string {
  const { label, attempt, since, until, isHeld, asking, failed } = outage
  const who = isHeld ? '' : failed === undefined ? 'API ' : `${failed}: `
  const next = until === null || until <= now ? 'trying now' : `next in ${left(until - now)}`
  const tried = isHeld && until !== null ? 'held back' : `attempt ${attempt}`
  const line = (what: string, ...between: string[]) => {
    const lasted = `${who}${what}${lasting(now - since)}`
    if (asking !== undefined) return `asking ${asking} after ${lasted} · ${savedAt(lastGoodTurn)}`
    return [lasted, ...between, next, savedAt(lastGoodTurn)].join(' · ')
  }
  const whole = line(label, tried)
  if (widthOf(whole) <= room) return whole
  // The label already says that it is held back.
  const between = tried === 'held back' ? [] : [tried]
  const kept = widthOf(label) - Math.max(0, widthOf(line(label, ...between)) - room)
  return kept < leastLabel ? whole : line(shorten(label, kept), ...between)
}

/** From a minute on, in whole minutes: ` for 2 min`, ` for 1h02m`. */
function lasting(durationMs: number): string {
  const minutes = Math.floor(durationMs / 60_000)
  if (minutes === 0) return ''
  return ` for ${minutes < 60 ? `${minutes} min` : spent(minutes * 60_000)}`
}

export function recoveredLine({ since, attempt }: Outage, lastGoodTurn: number, now: number): string {
  return `recovered after ${spent(now - since)}, at attempt ${attempt} · ${savedAt(lastGoodTurn)}`
}

export function savedAt(lastGoodTurn: number): string {
  return lastGoodTurn === 0 ? 'saved inside turn 1' : `saved at turn ${lastGoodTurn}`
}
