/**
 * Sends the body of an answer, whole or as the outage wants it.
 * 1. Whatever the fault, what is sent of the body is a prefix of it; the fault's own bytes (pings, an error event, a bad
 *    event) come at its point.
 * 2. A fault whose point this body does not have does not happen: `hit` is false and the body is whole.
 */
import { errorBody } from './api-error.ts'
import { locate, locateInJson } from './cut-point.ts'
import type { Exchange } from './exchange.ts'
import { frame, lengthOf, PING, type Frame } from './frames.ts'
import type { CutPoint, Fault } from './outage.ts'

const PING_EVERY_MS = 1000
const BAD_EVENT = Buffer.from('event: content_block_delta\ndata: {"type":"content_block_delta",\n\n')

/** How a stream is handed over: event by event, byte by byte, or in pieces of a number of bytes. */
export type Chunking = 'event' | 'byte' | number

export interface Delivery {
  readonly frames: readonly Frame[]
  readonly streaming: boolean
  readonly fault: Fault | undefined
  readonly chunkDelayMs: number
  readonly chunking: Chunking
  readonly requestId: string
}

export interface Delivered {
  readonly completed: boolean
  /** The fault happened. */
  readonly hit: boolean
}

export async function deliver(exchange: Exchange, delivery: Delivery): Promise<Delivered> {
  const { frames, streaming, fault, requestId } = delivery
  const at = fault && pointOf(fault, frames, streaming)
  if (!fault || at === undefined) {
    await send(exchange, delivery, 0, Infinity)
    return { completed: await exchange.end(), hit: false }
  }
  await send(exchange, delivery, 0, at)
  if (fault.kind === 'cut') {
    const whole = at >= lengthOf(frames)
    if (fault.how === 'end') return { completed: (await exchange.end()) && whole, hit: !whole }
    await (fault.how === 'reset' ? exchange.reset() : exchange.close())
  }
  if (fault.kind === 'error-event') {
    await exchange.write(frame('error', errorBody(fault, requestId)).bytes)
    await exchange.end()
  }
  if (fault.kind === 'bad-event') await exchange.write(BAD_EVENT)
  if (fault.kind === 'stall') await stall(exchange, fault, streaming)
  if (fault.kind !== 'stall' && fault.kind !== 'bad-event') return { completed: false, hit: true }
  await send(exchange, delivery, at, Infinity)
  return { completed: await exchange.end(), hit: true }
}

/** Silence, or pings only. Before the head no ping can be sent. */
export async function stall(
  exchange: Exchange,
  fault: Extract<Fault, { kind: 'stall' }>,
  streaming: boolean,
): Promise<void> {
  if (!fault.pings || !streaming || fault.after === 'before-headers') return exchange.wait(fault.forMs)
  const everyMs = fault.everyMs ?? PING_EVERY_MS
  let leftMs = fault.forMs ?? Infinity
  while (leftMs > 0 && !exchange.gone) {
    await exchange.wait(Math.min(everyMs, leftMs))
    leftMs -= everyMs
    await exchange.write(PING.bytes)
  }
}

function pointOf(fault: Fault, frames: readonly Frame[], streaming: boolean): number | undefined {
  if (!('after' in fault)) return undefined
  const { after } = fault
  if (after === 'before-headers') return undefined
  if (after === 'start' || after === 'headers') return 0
  return streaming ? locate(after satisfies CutPoint, frames) : locateInJson(after, lengthOf(frames))
}

async function send(exchange: Exchange, delivery: Delivery, from: number, to: number): Promise<void> {
  let at = 0
  for (const bytes of chunksOf(delivery)) {
    const part = bytes.subarray(Math.max(0, from - at), Math.max(0, to - at))
    at += bytes.length
    if (part.length === 0) continue
    if (delivery.chunkDelayMs > 0) await exchange.wait(delivery.chunkDelayMs)
    await exchange.write(part)
  }
}

function chunksOf({ frames, chunking }: Delivery): readonly Uint8Array[] {
  const parts = frames.map(({ bytes }) => bytes)
  if (chunking === 'event') return parts
  const whole = Buffer.concat(parts)
  const size = chunking === 'byte' ? 1 : chunking
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size))
}
