/**
 * How a client gets an answer: at once, or after a wait that it can bear.
 *
 * 1. As long as it does not hurt the headers wait for the answer, so that a refusal has its true status. After that the
 *    client has a 200 and pings, and a failure is an `error` event: an end is never passed off as success.
 * 2. A ping goes out only between events, in a silence: nothing that came is held for it. A long silence has more than
 *    pings (`progress.ts`).
 * 3. An answer that does not stream has no such way: its client is asked to come again, and waits on.
 */
import { streamOf, writeEvent, type Clock, type Pieces } from '@lastgood/core'
import type { AnswerHead, Attached } from './answer.ts'
import { apiErrorOf, errorBody, errorResponse, RefusedLate, type ApiError } from './api-error.ts'
import { replaceBody } from './bodies.ts'
import type { ResolvedGatewayOptions } from './options.ts'
import { Progress } from './progress.ts'
import { settled, Silence, type Settled } from './silence.ts'

type Waits = Pick<ResolvedGatewayOptions, 'clock' | 'holdMs' | 'holdWholeMs' | 'pingMs' | 'progressMs'>

const encoder = new TextEncoder()
const ping = encoder.encode(writeEvent('ping', { type: 'ping' }))

/** A client that waits for an answer. */
export interface Waiting {
  streams: boolean
  /** That it asked for; undefined where it will name the answer by its id. */
  model: string | undefined
  /** A refusal of its credentials is its own affair. */
  renews: boolean
  /** Of its connection. */
  signal: AbortSignal
}

export async function deliver(
  attached: Attached,
  { streams, model, renews, signal }: Waiting,
  waits: Waits,
): Promise<Response> {
  signal.addEventListener('abort', attached.leave, { once: true })
  if (signal.aborted) attached.leave()
  const head = await within(attached.head, streams ? waits.holdMs : waits.holdWholeMs, waits.clock)
  if (head === undefined) {
    if (streams) return new Response(eventsOf(attached, model, waits), { headers: committedHeaders })
    attached.leave()
    return errorResponse(stillWaiting, 1)
  }
  if ('error' in head) {
    attached.leave()
    return errorResponse(apiErrorOf(head.error))
  }
  const { value } = head
  const isStream = (value.headers.get('content-type') ?? '').includes('text/event-stream')
  return responseOf(value, renews, isStream ? eventsOf(attached, model, waits) : bytesOf(attached, attached.leave))
}

const committedHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}

const stillWaiting: ApiError = {
  status: 503,
  type: 'api_error',
  message: 'lastgood: the API has not answered yet; the same request again goes on waiting for the same answer',
  retry: true,
}

function responseOf(head: AnswerHead, renews: boolean, body: ReadableStream<Uint8Array>): Response {
  const response = replaceBody(head, body)
  const isDenial = head.status === 401 || head.status === 403
  // What could be waited out was.
  if (head.status >= 400 && !(renews && isDenial)) response.headers.set('x-should-retry', 'false')
  return response
}

/** The bytes as they are; what breaks them breaks the connection. `leave` when there are no more, or nobody wants them. */
export function bytesOf(pieces: Pick<Pieces, 'next'> & Partial<Pieces>, leave: () => void): ReadableStream<Uint8Array> {
  return streamOf({
    async next() {
      try {
        const piece = await pieces.next()
        if (!piece) leave()
        return piece
      } catch (error) {
        leave()
        throw error
      }
    },
    async cancel(reason) {
      leave()
      await pieces.cancel?.(reason)
    },
  })
}

/** Whole events, what keeps a client where they are silent, and an `error` event where they break. */
function eventsOf(
  attached: Attached,
  model: string | undefined,
  { clock, pingMs, progressMs }: Waits,
): ReadableStream<Uint8Array> {
  const silence = new Silence(clock, pingMs)
  const progress = new Progress({ clock, progressMs, model })
  let next: Promise<Settled<Uint8Array | undefined>> | undefined
  let hasBegun = false
  let hasEnded = false
  const leave = () => {
    silence.stop()
    attached.leave()
  }
  return streamOf({
    async next() {
      while (!hasEnded) {
        next ??= settled(hasBegun ? attached.next() : begunWith(attached))
        const piece = await silence.orBefore(next)
        if (piece === undefined) return progress.due() ?? ping
        next = undefined
        if ('value' in piece && piece.value) {
          hasBegun = true
          const passed = progress.pass(piece.value)
          if (passed) return passed
          continue
        }
        hasEnded = true
        leave()
        if ('error' in piece) return encoder.encode(writeEvent('error', errorBody(apiErrorOf(piece.error))))
      }
      return undefined
    },
    cancel: async () => leave(),
  })
}

/** The first piece of a stream. An answer that is none, after the headers are out, is an error. */
async function begunWith(attached: Attached): Promise<Uint8Array | undefined> {
  const { status, headers } = await attached.head
  if (status === 200 && (headers.get('content-type') ?? '').includes('text/event-stream')) return attached.next()
  const decoder = new TextDecoder()
  let text = ''
  for (let piece = await attached.next(); piece; piece = await attached.next()) text += decoder.decode(piece)
  throw new RefusedLate(status, text)
}

/** What `work` came to, or undefined when that takes longer. */
async function within<Value>(work: Promise<Value>, ms: number, clock: Clock): Promise<Settled<Value> | undefined> {
  const silence = new Silence(clock, ms)
  try {
    return await silence.orBefore(settled(work))
  } finally {
    silence.stop()
  }
}
