/**
 * The trouble of a session as one line. It says what failed, which attempt it was, when the next one is, and what is
 * safe; once the ladder has moved, also which model is asked instead, and which model a later failure belongs to. Where
 * room is short, what failed is cut first. Pure: the time is an argument.
 */
import { left, spent } from '../durations.ts'
import type { LiveTrouble } from '../outages/trouble.ts'
import { shorten, widthOf } from '../text.ts'

/** Columns that what failed keeps at least; with less room, the line is cut at its end. */
const leastLabel = 16

/** In `room` columns, if that leaves enough for what failed. */
export function outageLine(trouble: LiveTrouble, lastGoodTurn: number, now: number, room = Infinity): string {
  const { label, attempt, since, until, isHeld, asking, failed } = trouble
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

export function recoveredLine({ since, attempt }: LiveTrouble, lastGoodTurn: number, now: number): string {
  return `recovered after ${spent(now - since)}, at attempt ${attempt} · ${savedAt(lastGoodTurn)}`
}

export function savedAt(lastGoodTurn: number): string {
  return lastGoodTurn === 0 ? 'saved inside turn 1' : `saved at turn ${lastGoodTurn}`
}
