/**
 * Full-jitter exponential back-off: a uniform draw from zero to the exponential bound, so that many sessions that
 * failed together do not come back together.
 *
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter", where full jitter does the least work in total.
 */

/** Beyond this exponent the cap has long applied; it keeps `0 * 2^attempt` from being NaN. */
const largestExponent = 60

/**
 * Whole milliseconds in `[0, min(capMs, baseMs * 2^(attempt - 1)))`.
 *
 * @param attempt the number of failed attempts so far; less than 1 counts as 1
 * @param random uniform in [0, 1)
 */
export function fullJitter(attempt: number, baseMs: number, capMs: number, random: number): number {
  const exponent = Math.min(Math.max(attempt, 1) - 1, largestExponent)
  return Math.floor(random * Math.min(capMs, baseMs * 2 ** exponent))
}
