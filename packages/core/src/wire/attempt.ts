/**
 * One attempt: send, and find out whether an answer began. What fails is returned as data.
 */
import type { Wire } from '../faults/classify.ts'
import type { Clock } from '../clock.ts'
import type { WireRequest } from './messages-request.ts'
import { Watchdog, type Limits } from './watchdog.ts'

export type Next<R extends WireRequest> = (request: R) => Promise<Response>

/** An answer that has begun. Its reader stops the watchdog. */
export interface Answer {
  response: Response
  watchdog: Watchdog
}

export type Attempt =
  | ({ kind: 'answer' } & Answer)
  | { kind: 'fault'; wire: Wire; /** The API's own refusal, for the caller. */ refusal?: Response }

/** Error bodies are small; a longer one is not the API's, and is not examined beyond this. */
const longestErrorBody = 64 * 1024

export async function attempt<R extends WireRequest>(
  request: R,
  next: Next<R>,
  clock: Clock,
  limits: Limits,
  exchange: AbortSignal,
  /** `until headers`: the body is left to the caller, and only the caller's signal ends it. */
  watched: 'whole' | 'until headers',
): Promise<Attempt> {
  const watchdog = new Watchdog(clock, limits, exchange)
  // A watchdog for the headers alone is stopped when they arrive; the caller's signal has to last beyond that.
  const signal =
    watched === 'whole' || !request.signal ? watchdog.signal : AbortSignal.any([request.signal, watchdog.signal])
  try {
    const response = await next({ ...request, headers: new Headers(request.headers), signal })
    if (response.ok) return { kind: 'answer', response, watchdog }
    const body = await response.text()
    watchdog.stop()
    const wire = refusalSeen(response, body.slice(0, longestErrorBody), clock)
    // A redirect is not handed out: a caller that follows it would bypass us.
    return { kind: 'fault', wire, ...(response.status >= 400 && { refusal: replaceBody(response, body) }) }
  } catch (error) {
    watchdog.stop()
    exchange.throwIfAborted()
    return { kind: 'fault', wire: { phase: 'connect', ...brokenBy(error, watchdog), now: clock.now() } }
  }
}

export function refusalSeen({ status, headers }: Response, body: string, clock: Clock): Wire {
  return { phase: 'status', status, headers, contentType: contentTypeOf(headers), body, now: clock.now() }
}

/** What broke an attempt: its watchdog, or what was thrown. */
export function brokenBy(error: unknown, { silence }: Watchdog): Pick<Wire, 'cause' | 'timer'> {
  return silence === undefined ? { cause: error } : { timer: silence }
}

export const contentTypeOf = (headers: Headers): string => headers.get('content-type') ?? ''

/** The response with an already decoded body, and without the framing headers, which no longer describe it. */
export function replaceBody(
  { status, statusText, headers }: Response,
  body: string | ReadableStream<Uint8Array>,
): Response {
  const kept = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name)
  return new Response(body, { status, statusText, headers: kept })
}
