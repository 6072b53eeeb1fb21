/**
 * One attempt: send, and find out whether an answer began. What fails is returned as data.
 */
import type { Wire } from '../faults/classify.ts'
import type { Clock } from '../clock.ts'
import { orAborted } from '../or-aborted.ts'
import type { WireRequest } from './messages-request.ts'
import { readPieces } from './pieces.ts'
import { Watchdog, type Limits } from './watchdog.ts'

export type Next<R extends WireRequest> = (request: R) => Promise<Response>

/** What leaves, and through which client. */
export interface Departure<R extends WireRequest> {
  request: R
  next: Next<R>
}

/** An answer that has begun. Its reader stops the watchdog. */
export interface Answer {
  response: Response
  watchdog: Watchdog
}

export type Attempt =
  | ({ kind: 'answer' } & Answer)
  | { kind: 'fault'; wire: Wire; /** The API's own refusal, for the caller. */ refusal?: Response }

/** Error bodies are small; a longer one is not the API's, and is not examined beyond this. */
const longestExamined = 64 * 1024
/** What the caller gets of one at most, in bytes. */
const longestErrorBody = 1024 * 1024
/** It comes with its status. One that does not end by then, or never would, must not hold the request. */
const longestErrorMs = 10_000

export interface AttemptOptions {
  clock: Clock
  limits: Limits
  /** Ends it with its exchange. */
  exchange: AbortSignal
  /** `until headers`: the body is left to the caller, and only the caller's signal ends it. */
  watched: 'whole' | 'until headers'
}

export async function attempt<R extends WireRequest>(
  { request, next }: Departure<R>,
  { clock, limits, exchange, watched }: AttemptOptions,
): Promise<Attempt> {
  const watchdog = new Watchdog(clock, limits, exchange)
  // A watchdog for the headers alone is stopped when they arrive; the caller's signal has to last beyond that.
  const signal =
    watched === 'whole' || !request.signal ? watchdog.signal : AbortSignal.any([request.signal, watchdog.signal])
  try {
    const response = await soonerThan(signal, next({ ...request, headers: new Headers(request.headers), signal }))
    if (response.ok) return { kind: 'answer', response, watchdog }
    // Its status is an answer: the wait for one is over.
    watchdog.progress()
    const body = await errorBodyOf(response, clock)
    exchange.throwIfAborted()
    watchdog.stop()
    const { sleptMs } = watchdog
    const wire = { ...refusalSeen(response, body.slice(0, longestExamined), clock), sleptMs }
    // A redirect is not handed out: a caller that follows it would bypass us.
    return { kind: 'fault', wire, ...(response.status >= 400 && { refusal: replaceBody(response, body) }) }
  } catch (error) {
    watchdog.stop()
    exchange.throwIfAborted()
    return { kind: 'fault', wire: { phase: 'connect', ...brokenBy(error, watchdog), now: clock.now() } }
  }
}

/** A client that is deaf to its signal may answer later, or never: nobody waits for that. */
function soonerThan(signal: AbortSignal, sent: Promise<Response>): Promise<Response> {
  return orAborted(sent, signal).catch((error: unknown) => {
    sent.then(({ body }) => body?.cancel()).catch(() => {})
    throw error
  })
}

/** The body as far as it is read. One that breaks, or cannot be decompressed, takes nothing from its status. */
async function errorBodyOf({ body }: Response, clock: Clock): Promise<string> {
  const pieces = readPieces(body)
  const decoder = new TextDecoder()
  let [text, length, isOver] = ['', 0, false]
  const stop = () => {
    isOver = true
    pieces.cancel().catch(() => {})
  }
  const callOff = clock.after(longestErrorMs, stop)
  try {
    while (!isOver) {
      const piece = await pieces.next()
      if (!piece) break
      text += decoder.decode(piece.subarray(0, longestErrorBody - length), { stream: true })
      length += piece.length
      if (length >= longestErrorBody) stop()
    }
  } catch {
    // What came before it is what there is.
  } finally {
    callOff()
  }
  return text
}

export function refusalSeen({ status, headers }: Response, body: string, clock: Clock): Wire {
  return { phase: 'status', status, headers, contentType: contentTypeOf(headers), body, now: clock.now() }
}

/** What broke an attempt: its watchdog, or what was thrown. */
export function brokenBy(error: unknown, { silence, sleptMs }: Watchdog): Pick<Wire, 'cause' | 'timer' | 'sleptMs'> {
  return silence === undefined ? { cause: error, sleptMs } : { timer: silence, sleptMs }
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
