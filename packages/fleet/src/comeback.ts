/**
 * How sessions come back when a model answers again: spread, so that recovery is not the second outage. Pure.
 *
 * Each session has one place in the row, by its name and the recovery; so everybody who asks is told the same.
 */
import { drawOf } from './draw.ts'

/** A breaker that closed: since when sessions may have waited, and when it did (epoch ms). */
export interface Recovered {
  readonly since: number
  readonly at: number
}

/** Over so long they come at most; after a short outage few wait, and they come sooner. */
const longestRampMs = 30_000

export function comesBackAt({ since, at }: Recovered, sessionId: string): number {
  return at + drawOf(`${at} ${sessionId}`) * Math.min(longestRampMs, at - since)
}
