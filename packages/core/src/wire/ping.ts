/**
 * A request of two words, to learn whether a model answers anybody at all: asked by a session whose own request fails
 * again and again while no other session is there to tell. It costs some ten tokens.
 */
import type { WireRequest } from './messages-request.ts'
import type { RequestRung } from './rungs.ts'

export async function pingProvider<R extends WireRequest>(
  sent: R,
  rung: RequestRung<R>,
  signal: AbortSignal,
): Promise<boolean> {
  const headers = new Headers(sent.headers)
  headers.delete('anthropic-beta')
  const body = JSON.stringify({ model: rung.model, max_tokens: 1, messages: [{ role: 'user', content: 'ping' }] })
  try {
    const response = await rung.next({ ...sent, headers, body, signal })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false // no answer is an answer
  }
}
