/**
 * What keeps a client at a stream that says nothing for long: there are clients that leave one that has pings alone.
 *
 * 1. After `progressMs` without an event of the answer a `message_delta` goes out that says nothing: it has no stop
 *    reason and no tokens. Before a `message_start` nothing else may come, so the first time there one is made up.
 * 2. Never a second `message_start`: the answer's own is left out then, and its usage comes with the answer's end. The
 *    client knows the answer by an id of ours; the journal has the API's.
 * 3. Nothing is said after the end of the message, and nothing that is said is part of the answer: who comes for it
 *    again gets it without.
 */
import { eventsIn, writeEvent, type Clock } from '@lastgood/core'

type Json = Record<string, unknown>

export interface ProgressOptions {
  clock: Clock
  progressMs: number
  /** What a made-up `message_start` says; undefined: none is made up. */
  model: string | undefined
}

export class Progress {
  readonly #it: ProgressOptions
  /** When the client got the last event that it takes for progress, or began to wait for one. */
  #since: number
  #hasBegun = false
  #isMadeUp = false
  /** Of the `message_start` that was left out. */
  #usage: Json = {}
  #last: Uint8Array | undefined

  constructor(options: ProgressOptions) {
    this.#it = options
    this.#since = options.clock.elapsed()
  }

  /** What the client gets of a piece of its stream; undefined when nothing is left of it. */
  pass(piece: Uint8Array): Uint8Array | undefined {
    if (isPing(piece)) return this.due() ?? piece
    this.#last = piece
    this.#hasBegun ||= isStart(piece)
    const passed = this.#isMadeUp ? this.#goingOn(piece) : piece
    if (passed) this.#since = this.#it.clock.elapsed()
    return passed
  }

  /** What the client needs to hear after the silence until now, if anything. */
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

  /** The piece after a `message_start` that was made up. */
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

/** That, and nothing that came with it. */
const isPing = (piece: Uint8Array): boolean =>
  (piece[6] === letterP || piece[7] === letterP) &&
  pingBegins.test(decoder.decode(piece.subarray(0, 12))) &&
  eventsIn(decoder.decode(piece)).every(({ event }) => event === 'ping')
/** Where the name begins: asked of every piece, and few need to be decoded for it. */
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

/** What it says of it. */
function usageOf(it: unknown): Json {
  const { usage } = (it ?? {}) as { usage?: Json | null }
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => value !== null))
}
