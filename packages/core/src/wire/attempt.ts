/**
 * One attempt: send, and find out whether an answer began. What fails is returned as data.
 */
import type { Clock } from '../clock.ts'
import type { Wire } from '../classify.ts'
import type { WireRequest } from './messages-request.ts'
import { SilenceError, Watchdog, type Limits } from './watchdog.ts'

export type Next<R extends WireRequest> = (request: R) => Promise<Response>

export type Attempt =
  | { kind: 'answer'; response: Response; watchdog: Watchdog }
  | { kind: 'fault'; wire: Wire; /** The API's own refusal, unread by anybody else. */ refusal?: Response }

/** Error bodies are small; what is longer is not the API's. */
const longestErrorBody = 64 * 1024

export async function attempt<R extends WireRequest>(
  request: R,
  next: Next<R>,
  clock: Clock,
  limits: Limits,
  ended: AbortSignal,
): Promise<Attempt> {
  const watchdog = new Watchdog(clock, limits)
  const signal = AbortSignal.any([ended, watchdog.signal])
  try {
    const response = await next({ ...request, headers: new Headers(request.headers), signal })
    if (response.ok) return { kind: 'answer', response, watchdog }
    const body = (await response.text()).slice(0, longestErrorBody)
    watchdog.stop()
    const { status, statusText, headers } = response
    return {
      kind: 'fault',
      wire: {
        phase: 'status',
        status,
        headers,
        contentType: headers.get('content-type') ?? '',
        body,
        now: clock.now(),
      },
      refusal: new Response(body, { status, statusText, headers: withoutBodyFraming(headers) }),
    }
  } catch (error) {
    watchdog.stop()
    ended.throwIfAborted()
    return { kind: 'fault', wire: { phase: 'connect', ...brokenBy(error, watchdog), now: clock.now() } }
  }
}

/** What broke an attempt: its watchdog, or what was thrown. */
export function brokenBy(error: unknown, watchdog: Watchdog): Pick<Wire, 'cause' | 'timer'> {
  const reason: unknown = watchdog.signal.reason
  return reason instanceof SilenceError ? { timer: reason.timer } : { cause: error }
}

/** The body was decoded and is handed on as text, so these no longer describe it. */
export function withoutBodyFraming(headers: Headers): Headers {
  const kept = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name)
  return kept
}
