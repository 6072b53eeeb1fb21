/**
 * The result of `work`, if it comes in time. Errors: those of `work`, and `tooLate` after `ms`; then its signal aborts,
 * and its result is ignored.
 */
import type { Clock } from './clock.ts'
import { formatDuration } from './duration.ts'
import { orAborted } from './or-aborted.ts'

export async function inTime<Result>(
  clock: Clock,
  ms: number,
  work: (late: AbortSignal) => Promise<Result>,
  tooLate = () => new Error(`no result within ${formatDuration(ms)}`),
): Promise<Result> {
  const late = new AbortController()
  const callOff = clock.after(ms, () => late.abort(tooLate()))
  try {
    return await orAborted(work(late.signal), late.signal)
  } finally {
    callOff()
  }
}
