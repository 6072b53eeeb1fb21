/**
 * How sessions come back when a model answers again: spread over time, so that recovery is not the second outage. Pure.
 *
 * The place of a session follows from its id and the recovery alone, so every process computes the same.
 */
import { drawOf } from './draw.ts'

/** A breaker that closed: since when sessions may have waited, and when it closed (epoch ms). */
export interface Recovered {
  readonly since: number
  readonly at: number
}

/** They are spread over at most this long; after a short outage few wait, and they come sooner. */
const longestRampMs = 30_000

export function comesBackAt({ since, at }: Recovered, sessionId: string): number {
  return at + drawOf(`${at} ${sessionId}`) * Math.min(longestRampMs, at - since)
}
