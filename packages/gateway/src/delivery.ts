/**
 * How a client gets an answer: at once, or after a wait that it can bear.
 *
 * 1. The headers wait for the answer as long as that does no harm, so that a refusal has its true status. After that
 *    the client has a 200 and pings, and a failure is an `error` event: an end is never passed off as success.
 * 2. A ping goes out only between events, in a silence: it delays nothing that came. A long silence gets more than
 *    pings (`progress.ts`).
 * 3. An answer that does not stream is JSON, which may begin with blanks: they are its pings. A failure after them is
 *    sent in words, which are not JSON.
 */
import { streamOf, writeEvent, type Clock, type Pieces } from '@lastgood/core'
import type { AnswerHead, Attached } from './answer.ts'
import { apiErrorOf, errorBody, errorResponse, limitsOf, RefusedLate } from './api-error.ts'
import { replaceBody } from './bodies.ts'
import type { ResolvedGatewayOptions } from './options.ts'
import { Progress } from './progress.ts'
import { settled, Silence, type Settled } from './silence.ts'

type Waits = Pick<ResolvedGatewayOptions, 'clock' | 'holdMs' | 'holdWholeMs' | 'pingMs' | 'progressMs' | 'wayOn'>

const encoder = new TextEncoder()
const ping = encoder.encode(writeEvent('ping', { type: 'ping' }))
const blank = encoder.encode(' ')

/** A client that waits for an answer. */
export interface Waiting {
  streams: boolean
  /** The model that it asked for; undefined if it will refer to the answer by its id. */
  model: string | undefined
  /** The client handles a refusal of its credentials itself. */
  renews: boolean
  /** The signal of its connection. */
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
    const body = streams ? eventsOf(attached, model, waits) : blanksBefore(attached, waits)
    return new Response(body, {
      headers: { ...committedHeaders, 'content-type': streams ? `${eventStream}; charset=utf-8` : json },
    })
  }
  if ('error' in head) {
    attached.leave()
    return errorResponse(apiErrorOf(head.error, waits.wayOn), limitsOf(head.error, waits.clock.now()))
  }
  const { value } = head
  const body = isOf(value, eventStream) ? eventsOf(attached, model, waits) : bytesOf(attached, attached.leave)
  return responseOf(value, renews, body)
}

const eventStream = 'text/event-stream'
const json = 'application/json'

const committedHeaders = { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' }

const isOf = ({ headers }: AnswerHead, type: string): boolean => (headers.get('content-type') ?? '').includes(type)

function responseOf(head: AnswerHead, renews: boolean, body: ReadableStream<Uint8Array>): Response {
  const response = replaceBody(head, body)
  const isDenial = head.status === 401 || head.status === 403
  // Whatever could be waited out has been.
  if (head.status >= 400 && !(renews && isDenial)) response.headers.set('x-should-retry', 'false')
  return response
}

/** The bytes as they are; an error in them breaks the connection. Calls `leave` at their end or when cancelled. */
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

/** Whole events, with pings or progress in their silences, and an `error` event where they break. */
function eventsOf(
  attached: Attached,
  model: string | undefined,
  { clock, pingMs, progressMs, wayOn }: Waits,
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
        next ??= settled(hasBegun ? attached.next() : begunWith(attached, eventStream))
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
        if ('error' in piece) return encoder.encode(writeEvent('error', errorBody(apiErrorOf(piece.error, wayOn))))
      }
      return undefined
    },
    cancel: async () => leave(),
  })
}

/** Blanks until the answer comes, then its bytes, or words that say why there is none. */
function blanksBefore(attached: Attached, { clock, pingMs, wayOn }: Waits): ReadableStream<Uint8Array> {
  const silence = new Silence(clock, pingMs)
  const begun = settled(begunWith(attached, json))
  let more = async (): Promise<Uint8Array | undefined> => {
    const first = await silence.orBefore(begun)
    if (first === undefined) return blank
    more = 'error' in first ? () => Promise.resolve(undefined) : () => attached.next()
    if ('value' in first) return first.value
    const { type, message } = apiErrorOf(first.error, wayOn)
    return encoder.encode(`${type}: ${message}`)
  }
  return bytesOf({ next: () => more() }, () => {
    silence.stop()
    attached.leave()
  })
}

/** The first piece of an answer of this type. Any other answer is an error, since the headers are already out. */
async function begunWith(attached: Attached, type: string): Promise<Uint8Array | undefined> {
  const head = await attached.head
  const { status } = head
  if (status < 300 && isOf(head, type)) return attached.next()
  const decoder = new TextDecoder()
  let text = ''
  for (let piece = await attached.next(); piece; piece = await attached.next()) text += decoder.decode(piece)
  throw new RefusedLate(status, text)
}

/** The outcome of `work`, or undefined if it takes longer. */
async function within<Value>(work: Promise<Value>, ms: number, clock: Clock): Promise<Settled<Value> | undefined> {
  const silence = new Silence(clock, ms)
  try {
    return await silence.orBefore(settled(work))
  } finally {
    silence.stop()
  }
}
