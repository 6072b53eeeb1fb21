/** What `work` comes to, if that is in time. Errors: those of `work`, and one after `ms`; then its signal aborts, and nobody waits for it any more. */
import type { Clock } from './clock.ts'
import { formatDuration } from './duration.ts'
import { orAborted } from './or-aborted.ts'

export async function inTime<Result>(
  clock: Clock,
  ms: number,
  work: (late: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController()
  const callOff = clock.after(ms, () => late.abort(new Error(`nothing came of it in ${formatDuration(ms)}`)))
  try {
    return await orAborted(work(late.signal), late.signal)
  } finally {
    callOff()
  }
}
