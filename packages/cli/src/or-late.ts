/** What `work` gives; if it takes longer than `ms`, what `late` gives or throws. The work goes on, and is not heard. */
import type { Clock } from '@lastgood/core'

export async function orLate<Result, Late>(
  clock: Clock,
  ms: number,
  work: Promise<Result>,
  late: () => Late,
): Promise<Result | Late> {
  const over = new AbortController()
  const waited = clock.sleepUntil(clock.now() + ms, { signal: over.signal }).then(late)
  try {
    return await Promise.race([work, waited])
  } finally {
    over.abort()
  }
}
