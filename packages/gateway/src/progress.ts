/**
 * Keeps a client on a stream that is silent for long: some clients leave a stream that has only pings.
 *
 * 1. After `progressMs` without an event of the answer an empty `message_delta` goes out, without stop reason or
 *    tokens. Nothing may precede a `message_start`, so if there was none yet, one is made up instead.
 * 2. Never a second `message_start`: after a made-up one the answer's own is left out, and its usage comes with the
 *    answer's end. The client knows the answer by an id of ours; the journal has the API's.
 * 3. Nothing is added after the end of the message, and nothing added is part of the answer: a client that asks for it
 *    again gets it without.
 */
import { eventsIn, writeEvent, type Clock } from '@lastgood/core'

type Json = Record<string, unknown>

export interface ProgressOptions {
  clock: Clock
  progressMs: number
  /** The model that a made-up `message_start` names; if undefined, none is made up. */
  model: string | undefined
}

export class Progress {
  readonly #it: ProgressOptions
  /** When the client got the last event that it counts as progress, or began to wait for one. */
  #since: number
  #hasBegun = false
  #isMadeUp = false
  /** The usage in the `message_start` that was left out. */
  #usage: Json = {}
  #last: Uint8Array | undefined

  constructor(options: ProgressOptions) {
    this.#it = options
    this.#since = options.clock.elapsed()
  }

  /** What the client gets of a piece of its stream; undefined if nothing of it is left. */
  pass(piece: Uint8Array): Uint8Array | undefined {
    if (isPing(piece)) return this.due() ?? piece
    this.#last = piece
    this.#hasBegun ||= isStart(piece)
    const passed = this.#isMadeUp ? this.#goingOn(piece) : piece
    if (passed) this.#since = this.#it.clock.elapsed()
    return passed
  }

  /** The event that the client needs now, after the silence so far, if any. */
  due(): Uint8Array | undefined {
    const { clock, progressMs, model } = this.#it
    const now = clock.elapsed()
    if (now < this.#since + progressMs || (this.#last && hasEnded(this.#last))) return undefined
    if (!this.#hasBegun && model === undefined) return undefined
    this.#since = now
    if (this.#hasBegun) return neutral
    this.#hasBegun = true
    this.#isMadeUp = true
    return encoder.encode(startOf(model ?? '', clock.newId()))
  }

  /** A piece as it is sent after a made-up `message_start`. */
  #goingOn(piece: Uint8Array): Uint8Array | undefined {
    let text = ''
    for (const { event, data, raw } of eventsIn(decoder.decode(piece))) {
      if (event === 'message_start') {
        this.#usage = usageOf((JSON.parse(data) as Json)['message'])
      } else if (event === 'message_delta') {
        const delta = JSON.parse(data) as Json
        text += writeEvent(event, { ...delta, usage: { ...this.#usage, ...usageOf(delta) } })
      } else {
        text += raw
      }
    }
    return text === '' ? undefined : encoder.encode(text)
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const unfinished = { stop_reason: null, stop_sequence: null }
const neutral = encoder.encode(
  writeEvent('message_delta', { type: 'message_delta', delta: unfinished, usage: { output_tokens: 0 } }),
)

function startOf(model: string, id: string): string {
  const usage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
  const message = { id: `msg_${id}`, type: 'message', role: 'assistant', model, content: [], ...unfinished, usage }
  return writeEvent('message_start', { type: 'message_start', message })
}

/** Whether the piece is a ping and nothing else. */
const isPing = (piece: Uint8Array): boolean =>
  (piece[6] === letterP || piece[7] === letterP) &&
  pingBegins.test(decoder.decode(piece.subarray(0, 12))) &&
  eventsIn(decoder.decode(piece)).every(({ event }) => event === 'ping')
/** Checked first, where the event's name begins, so that few pieces need to be decoded. */
const letterP = 0x70
const pingBegins = /^event: ?ping\s/
const isStart = (piece: Uint8Array): boolean => /^event: ?message_start\s/m.test(decoder.decode(piece))

function hasEnded(piece: Uint8Array): boolean {
  for (const { event, data } of eventsIn(decoder.decode(piece))) {
    if (event === 'message_stop') return true
    if (event !== 'message_delta') continue
    const { delta } = JSON.parse(data) as { delta?: Json }
    if (typeof delta?.['stop_reason'] === 'string') return true
  }
  return false
}

/** The usage that an event or a message states. */
function usageOf(it: unknown): Json {
  const { usage } = (it ?? {}) as { usage?: Json | null }
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => value !== null))
}
