/**
 * A request of two words, to learn whether a model answers anybody at all: asked by a session whose own request fails
 * again and again. It costs some ten tokens.
 */
import type { Clock } from '../clock.ts'
import type { WireRequest } from './messages-request.ts'
import type { RequestRung } from './rungs.ts'

/** An answer of one token takes a second or two. */
const timeoutMs = 20_000

/** Whether it was answered in time. Rejects only when `signal` has aborted. */
export async function pingProvider<R extends WireRequest>(
  sent: R,
  rung: RequestRung<R>,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const headers = new Headers(sent.headers)
  headers.delete('anthropic-beta')
  const body = JSON.stringify({ model: rung.model, max_tokens: 1, messages: [{ role: 'user', content: 'ping' }] })
  const [over, done] = [new AbortController(), new AbortController()]
  const follow = () => over.abort()
  signal.addEventListener('abort', follow)
  clock.sleepUntil(clock.now() + timeoutMs, { signal: done.signal, background: true }).then(follow, () => {})
  try {
    const response = await rung.next({ ...sent, headers, body, signal: over.signal })
    await response.body?.cancel()
    return response.ok
  } catch {
    signal.throwIfAborted()
    return false // no answer is an answer
  } finally {
    done.abort()
    signal.removeEventListener('abort', follow)
  }
}
