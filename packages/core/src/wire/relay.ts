/**
 * Passes a streamed answer on while it is being read, over as many attempts as it takes. The caller sees one stream.
 *
 * 1. Text and thinking stream at once. From the first tool call on, and always for the end of the message, events are
 *    held until the answer is durable: no tool call is handed out whose intent is not in the journal (P1, P2). So is
 *    text that a program will parse: with the text of a broken attempt before it, it would not be JSON. The call of a
 *    server's tool waits for its result, without which a program would wait for it in vain.
 * 2. Never a second `message_start`; block indices only grow, by one. Blocks of a broken attempt that the caller has
 *    seen are closed and stay before the new ones; the journal has only the answer that counts.
 * 3. A stream that ends without `message_stop` and without a stop reason failed, however politely it ended.
 */
import type { Wire } from '../faults/classify.ts'
import type { Clock } from '../clock.ts'
import { isRecord, parsedJson } from '../json.ts'
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { isThinking } from '../journal/message.ts'
import { isBlock } from '../journal/surely.ts'
import { shortfallOf, usablePart } from '../journal/answer.ts'
import { costOf } from '../journal/usage.ts'
import { Assembler } from './assembler.ts'
import { brokenBy, contentTypeOf, type Answer } from './attempt.ts'
import { readPieces, type Pieces } from './pieces.ts'
import type { AnswerRecorder } from './recorder.ts'
import { HeldEvents } from './held-events.ts'
import { blockReplayed } from './replay.ts'
import { soundBlock, soundDelta, soundStart } from './sound-ends.ts'
import { EventReader, writeEvent, type ServerSentEvent } from './sse.ts'
import type { Spent } from './spent.ts'

type Json = Record<string, unknown>

/** What the caller has been given so far, over all attempts. */
export interface Delivered {
  started: boolean
  /** Blocks of broken attempts before those of the current one. */
  leftovers: number
  /** The id of the first `message_start`: the caller knows the answer by it. */
  messageId?: string
  /** The note that the caller has already. */
  note?: string
  /** The last text of broken attempts that is kept, and whether the caller has had blocks after it that are not. */
  lastKept?: Block | undefined
  hasStrays?: boolean
  /** The cost of attempts whose answers do not count. */
  readonly spent: Spent
}

/** How one attempt ended: recorded, with the rest of what the caller gets, or with something left to decide. */
export type Relayed = { kind: 'answered'; rest: string } | Broken

export interface Broken {
  kind: 'broke'
  wire: Wire
  /** The answer if its complete part is kept: up to its last complete call, or all of an answer that falls short. */
  whole: AssistantMessage | undefined
  /** `whole` is only a part of what the model had begun to say. */
  isCut: boolean
  /** The text that can be kept where there is no `whole`. */
  text: readonly Block[]
}

export interface RelayOptions {
  recorder: AnswerRecorder
  delivered: Delivered
  clock: Clock
  signal: AbortSignal
  /** The caller parses the text, so none is handed out that another attempt would begin again. */
  isStructured: boolean
  /** The caller needs the verdicts on its calls, which come with the end: calls that have none are no part of an answer. */
  wantsVerdicts: boolean
}

/** Relays one attempt. */
export class Relay {
  readonly answer: Answer
  readonly #recorder: AnswerRecorder
  readonly #delivered: Delivered
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #events = new EventReader()
  readonly #assembler = new Assembler()
  readonly #held: HeldEvents
  readonly #seen: Pick<Wire, 'inBandError' | 'cause' | 'timer' | 'endedPolitely'> & { events: number } = { events: 0 }
  #pieces: Pieces | undefined
  #openBlock: number | undefined
  readonly #asked: Pick<RelayOptions, 'isStructured' | 'wantsVerdicts'>
  /** The place of the last block that an event was about. */
  #lastPlace = 0
  /** Its blocks are over. */
  #isEnding = false
  /** Listeners were told of its words. */
  #hasTold = false
  /** Nothing more of it is read. */
  #isOver = false
  #hasStopped = false

  constructor(answer: Answer, { recorder, delivered, clock, signal, ...asked }: RelayOptions) {
    this.answer = answer
    this.#asked = asked
    this.#recorder = recorder
    this.#delivered = delivered
    this.#clock = clock
    this.#signal = signal
    this.#held = new HeldEvents(delivered.spent)
    this.#pieces = readPieces(answer.response.body)
    // A client that does not listen to its signal would hold the answer, and the next request, for as long as it likes.
    answer.watchdog.signal.addEventListener('abort', () => void this.#pieces?.cancel().catch(() => {}))
  }

  /** Text for the caller; once there is no more, how the attempt ended. */
  async next(): Promise<string | Relayed> {
    const { watchdog } = this.answer
    // Time that the reader spends elsewhere is not silence of the API.
    watchdog.resume()
    while (!this.#isOver) {
      let piece: Uint8Array | undefined
      try {
        piece = await this.#pieces?.next()
        watchdog.signal.throwIfAborted()
      } catch (error) {
        this.#breaks(error)
        break
      }
      const text = this.#take(piece ? this.#events.take(piece) : this.#events.end())
      if (!piece) this.#ends()
      if (text === '') continue
      watchdog.hold()
      return text
    }
    await this.stop()
    // An answer whose caller has aborted reaches nobody: no call of it may be recorded as handed out.
    this.#signal.throwIfAborted()
    return this.#ending()
  }

  /** Nobody reads it any more. */
  async stop(): Promise<void> {
    if (this.#hasStopped) return
    this.#hasStopped = true
    this.answer.watchdog.stop()
    if (this.#signal.aborted && this.#hasTold) this.#recorder.dropped()
    // It has failed, or nobody is left to learn how it ends.
    await this.#pieces?.cancel().catch(() => {})
  }

  /** Hands out what was held of `message`, once that is durable. */
  release(message: AssistantMessage): string {
    return this.#held.release(message)
  }

  /** Closes what the caller has seen of it, which stays before the next attempt's blocks, kept or taken back. */
  leave(isKept: boolean): string {
    const index = this.#openBlock
    const streamed = this.#held.firstIndex ?? this.#assembler.blockCount
    if (this.#hasTold && !isKept) this.#recorder.dropped()
    this.#delivered.hasStrays = !isKept && (streamed > 0 || this.#delivered.hasStrays === true)
    this.#delivered.leftovers += streamed
    this.#delivered.spent.add(this.#assembler)
    return index === undefined ? '' : writeEvent('content_block_stop', { type: 'content_block_stop', index })
  }

  /** There are no more bytes. */
  #ends(): void {
    this.#pieces = undefined
    this.#seen.endedPolitely = !this.#isOver
    this.#isOver = true
  }

  #breaks(error: unknown): void {
    Object.assign(this.#seen, brokenBy(error, this.answer.watchdog))
    this.#isOver = true
  }

  /** What the caller gets for events that came together. */
  #take(events: readonly ServerSentEvent[]): string {
    let text = ''
    try {
      for (const event of events) {
        text += this.#heard(named(event))
        if (this.#seen.inBandError === undefined) continue
        this.#isOver = true
        break
      }
    } catch (error) {
      this.#breaks(error)
    }
    return text
  }

  #heard(event: ServerSentEvent): string {
    const { watchdog } = this.answer
    if (!known.has(event.event)) {
      if (event.event === 'ping' || event.data === '') return event.raw
      watchdog.progress()
      // The SDK parses the data of every event that has a name, and would fail.
      return event.event === 'message' || isJson(event.data) ? this.#inOrder(event) : ''
    }
    const data = dataOf(event)
    if (event.event === 'error') return this.#fails(errorIn(data, event.data))
    if (!data) throw new Error('an event of the answer is not JSON')
    if (this.#assembler.isRepeated(data)) return ''
    if (event.event === 'content_block_start') {
      assertBlock(data['content_block'])
      const sound = soundBlock(event, data)
      if (sound !== event) return this.#heard(sound)
    }
    watchdog.progress()
    this.#seen.events += 1
    this.#assembler.take(data)
    switch (event.event) {
      case 'message_start':
        if (this.#delivered.started) return ''
        this.#delivered.started = true
        this.#delivered.messageId = String((data['message'] as Json | undefined)?.['id'])
        return soundStart(event, data).raw
      case 'content_block_start':
        return this.#begins(event, data)
      case 'content_block_delta':
      case 'content_block_stop':
        return this.#ofBlock(event, data)
      default:
        // Message deltas without a stop reason do not end it: some gateways fill silences with them.
        this.#isEnding ||= event.event === 'message_stop' || this.#assembler.stopReason !== null
        return this.#inOrder(event.event === 'message_delta' ? soundDelta(event, data, this.#assembler) : event)
    }
  }

  #fails(error: unknown): string {
    this.#seen.inBandError = error ?? {}
    this.#seen.endedPolitely = false
    return ''
  }

  #begins(event: ServerSentEvent, data: Json): string {
    const [recorder, delivered] = [this.#recorder, this.#delivered]
    recorder.began()
    const block = data['content_block'] as Block
    let note = ''
    if (!isThinking(block) && recorder.note !== undefined && delivered.note !== recorder.note) {
      note = noteAt(this.#indexOf(data), recorder.note)
      delivered.note = recorder.note
      delivered.leftovers += 1
    }
    this.#held.begin(this.#assembler.placeOf(data), block, this.#asked.isStructured && block.type === 'text')
    return note + this.#ofBlock(event, data)
  }

  #ofBlock(event: ServerSentEvent, data: Json): string {
    this.#lastPlace = this.#assembler.placeOf(data)
    const text = withIndex(event, data, this.#indexOf(data))
    if (tellDelta(data, this.#recorder)) this.#hasTold = true
    if (this.#held.isHolding) {
      this.#held.add(this.#lastPlace, text)
      return event.event === 'content_block_stop' ? this.#held.passOn() : ''
    }
    if (event.event === 'content_block_start') this.#openBlock = this.#indexOf(data)
    if (event.event === 'content_block_stop') this.#openBlock = undefined
    return text
  }

  /** An event that belongs to no block does not overtake what is held. */
  #inOrder(event: ServerSentEvent): string {
    if (this.#isEnding) this.#held.end(event)
    else if (this.#held.isHolding) this.#held.add(this.#lastPlace, event.raw)
    else return event.raw
    return ''
  }

  #indexOf(data: Json): number {
    return this.#assembler.placeOf(data) + this.#delivered.leftovers
  }

  /** A caller is recognised by how its copy of an answer ends: kept text comes again where what followed it was dropped. */
  #lastWords(message: AssistantMessage): string {
    const { lastKept, hasStrays, leftovers } = this.#delivered
    if (!lastKept || !hasStrays || !message.content.every(isThinking)) return ''
    return [...blockReplayed(this.#assembler.blockCount + leftovers, lastKept, message)].join('')
  }

  async #ending(): Promise<Relayed> {
    const assembler = this.#assembler
    const { status, headers } = this.answer.response
    const complete = assembler.isComplete ? assembler.message() : undefined
    const shortfall = complete ? shortfallOf(complete, this.#recorder) : assembler.hasBrokenCall && 'broken-call'
    if (complete && !shortfall) {
      const message = usablePart(complete)
      await this.#recorder.answered({ message, requestId: headers.get('request-id') ?? undefined, salvaged: false })
      return { kind: 'answered', rest: this.#lastWords(message) + this.release(message) }
    }
    const { wantsVerdicts } = this.#asked
    const whole = complete ? usablePart(complete) : wantsVerdicts ? undefined : assembler.salvage(this.#recorder)
    // Half a JSON text, continued by another attempt, would not be JSON.
    const text = this.#asked.isStructured ? [] : assembler.keptText()
    const { events, ...rest } = this.#seen
    const wire: Wire = {
      phase: 'body',
      status,
      headers,
      contentType: contentTypeOf(headers),
      eventsSeen: events,
      stopReasonSeen: assembler.stopReason !== null,
      tokens: costOf(assembler.usage),
      sleptMs: this.answer.watchdog.sleptMs,
      ...(shortfall && { answer: shortfall }),
      ...(!complete && (whole ? { complete: 'calls' } : text.length > 0 && { complete: 'text' })),
      ...rest,
      now: this.#clock.now(),
    }
    return { kind: 'broke', whole, isCut: !complete, text, wire }
  }
}

/** Events about the answer; others pass as they are. */
const known: ReadonlySet<string> = new Set([
  'error',
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
])

/**
 * Some gateways leave out the lines that name events, or name them otherwise: clients go by the type. LiteLLM leaves out
 * that of its own errors, which are in another API's dialect, and clients take them for a broken stream.
 * https://github.com/anomalyco/opencode/pull/40646
 */
function named(event: ServerSentEvent): ServerSentEvent {
  const { event: said, data: text } = event
  if (said === 'error' || said === 'ping' || text.startsWith(`{"type":"${said}"`)) return event
  const data = dataOf(event)
  if (!data) return event
  const isUnnamed = said === 'message' || said === ''
  const name = isUnnamed && data['error'] ? 'error' : String(data['type'])
  return known.has(name) && name !== said ? { event: name, data: text, raw: writeEvent(name, data) } : event
}

/** What the event says of the error, even where gateways leave out the envelope, or send no JSON at all. */
function errorIn(data: Json | undefined, text: string): unknown {
  return data ? (data['error'] ?? (typeof data['message'] === 'string' ? data : undefined)) : { message: text }
}

/** Undefined for what is not an object: a parser's error message would quote the conversation. */
function dataOf({ data }: ServerSentEvent): Json | undefined {
  const parsed = parsedJson(data)
  return isRecord(parsed) ? parsed : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function assertBlock(block: unknown): void {
  if (!isBlock(block)) throw new Error('a block of the answer has no type')
}

function withIndex(event: ServerSentEvent, data: Json, index: number): string {
  return data['index'] === index ? event.raw : writeEvent(event.event, { ...data, index })
}

/** A block of its own with a line for the person. */
function noteAt(index: number, note: string): string {
  return [
    writeEvent('content_block_start', {
      type: 'content_block_start',
      index,
      content_block: { type: 'text', text: '' },
    }),
    writeEvent('content_block_delta', {
      type: 'content_block_delta',
      index,
      delta: { type: 'text_delta', text: note },
    }),
    writeEvent('content_block_stop', { type: 'content_block_stop', index }),
  ].join('')
}

/** Whether there was something to tell. */
function tellDelta(data: Json, recorder: AnswerRecorder): boolean {
  const delta = (data['delta'] ?? {}) as Json
  if (delta['type'] === 'text_delta') recorder.delta('text', String(delta['text']))
  else if (delta['type'] === 'thinking_delta') recorder.delta('thinking', String(delta['thinking']))
  else return false
  return true
}
