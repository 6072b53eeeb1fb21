/**
 * A ping: a minimal request, to learn whether a model answers at all, from a session whose own request fails again and
 * again. It costs some ten tokens.
 */
import type { Clock } from '../clock.ts'
import { inTime } from '../in-time.ts'
import type { WireRequest } from './messages-request.ts'
import { ownHeaders, ownSystem } from './own-question.ts'
import type { RequestRung } from './rungs.ts'

/** An answer of one token takes a second or two. */
const timeoutMs = 20_000

/** Whether it was answered in time. Rejects only when `signal` has aborted. */
export async function pingProvider<R extends WireRequest>(
  /** The caller's request, and its system prompt. */
  { sent, system }: { sent: R; system: unknown },
  rung: RequestRung<R>,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const headers = ownHeaders(sent.headers)
  const messages = [{ role: 'user', content: 'ping' }]
  const body = JSON.stringify({ model: rung.model, max_tokens: 1, ...ownSystem(sent.headers, system), messages })
  try {
    return await inTime(clock, timeoutMs, async (late) => {
      const response = await rung.next({ ...sent, headers, body, signal: AbortSignal.any([signal, late.signal]) })
      await response.body?.cancel()
      return response.ok
    })
  } catch {
    signal.throwIfAborted()
    return false // no answer is an answer
  }
}
