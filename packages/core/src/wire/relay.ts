/**
 * Passes a streamed answer on while it is being read, over as many attempts as it takes. The caller sees one stream.
 *
 * 1. Text and thinking stream at once. From the first tool call on, and always for the end of the message, events are
 *    held until the answer is durable: no tool call is handed out whose intent is not in the journal (P1, P2).
 * 2. Never a second `message_start`; block indices only grow. Blocks of a broken attempt that the caller has seen are
 *    closed and stay before the new ones; the journal has only the answer that counts.
 * 3. A stream that ends without `message_stop` and without a stop reason failed, however politely it ended.
 */
import type { Wire } from '../classify.ts'
import type { Clock } from '../clock.ts'
import type { AssistantMessage, Block } from '../journal.ts'
import { isThinking } from '../message.ts'
import { costOf, shortfallOf, usablePart } from '../answer.ts'
import { Assembler } from './assembler.ts'
import { brokenBy, contentTypeOf, type Answer } from './attempt.ts'
import type { AnswerRecorder } from './recorder.ts'
import { HeldEvents } from './held-events.ts'
import { readEvents, writeEvent, type ServerSentEvent } from './sse.ts'
import type { Spent } from './spent.ts'

type Json = Record<string, unknown>

/** What the caller has been given so far, over all attempts. */
export interface Delivered {
  started: boolean
  /** Blocks of broken attempts before those of the current one. */
  leftovers: number
  /** The id of the first `message_start`: the caller knows the answer by it. */
  messageId?: string
  /** The note that stands there already. */
  note?: string
  /** By attempts whose answers do not count. */
  readonly spent: Spent
}

/** How one attempt ended: recorded and handed out, or with something left to decide. */
export type Relayed = { kind: 'answered' } | Broken

export interface Broken {
  kind: 'broke'
  wire: Wire
  /** The answer that is left if what is whole is kept: its complete calls, or all of an answer that falls short. */
  whole: AssistantMessage | undefined
  /** It is a part of what the model had begun to say. */
  isCut: boolean
  /** The text that is left otherwise. */
  text: readonly Block[]
  /** Hands out what was held of `whole`, once that is durable. */
  release(message: AssistantMessage): string
  /** Ends what the caller has seen of it, which stays there before the next attempt: kept, or taken back. */
  leave(isKept: boolean): Generator<string>
}

/** Relays one attempt; yields text for the caller, returns how it ended. */
export async function* relay(
  { response, watchdog }: Answer,
  recorder: AnswerRecorder,
  delivered: Delivered,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string, Relayed, undefined> {
  const assembler = new Assembler()
  const held = new HeldEvents(delivered.spent)
  const seen: Pick<Wire, 'inBandError' | 'cause' | 'timer' | 'endedPolitely'> & { events: number } = { events: 0 }
  let openBlock: number | undefined
  let isOver = false
  const index = (data: Json) => Number(data['index']) + delivered.leftovers

  /** What the caller gets for the events that came together. */
  function take(events: readonly ServerSentEvent[]): string {
    let text = ''
    try {
      for (const event of events) {
        text += heard(event)
        isOver = seen.inBandError !== undefined
        if (isOver) break
      }
    } catch (error) {
      Object.assign(seen, brokenBy(error, watchdog))
      isOver = true
    }
    return text
  }

  function heard(event: ServerSentEvent): string {
    if (!known.has(event.event)) {
      if (event.event !== 'ping' && event.data !== '') watchdog.progress()
      return event.raw
    }
    const data = JSON.parse(event.data) as Json
    if (event.event === 'error') {
      seen.inBandError = data['error'] ?? {}
      return ''
    }
    watchdog.progress()
    seen.events += 1
    assembler.take(data)
    switch (event.event) {
      case 'message_start':
        if (delivered.started) return ''
        delivered.started = true
        delivered.messageId = String((data['message'] as Json | undefined)?.['id'])
        return event.raw
      case 'content_block_start': {
        recorder.began()
        const block = data['content_block'] as Block
        let note = ''
        if (!isThinking(block) && recorder.note !== undefined && delivered.note !== recorder.note) {
          note = noteAt(index(data), recorder.note)
          delivered.note = recorder.note
          delivered.leftovers += 1
        }
        if (block.type === 'tool_use') held.begin()
        return note + ofBlock(event, data)
      }
      case 'content_block_delta':
      case 'content_block_stop':
        return ofBlock(event, data)
      default:
        held.end(event)
        return ''
    }
  }

  function ofBlock(event: ServerSentEvent, data: Json): string {
    const text = shifted(event, data, delivered.leftovers)
    if (held.isHolding) {
      held.add(Number(data['index']), text)
      return ''
    }
    if (event.event === 'content_block_start') openBlock = index(data)
    if (event.event === 'content_block_stop') openBlock = undefined
    tellDelta(data, recorder)
    return text
  }

  watchdog.resume()
  try {
    for await (const events of readEvents(response.body)) {
      const text = take(events)
      if (text !== '') {
        // Time in which the reader does something else is not silence of the API.
        watchdog.hold()
        yield text
        watchdog.resume()
      }
      if (isOver) break
    }
    seen.endedPolitely = !isOver
  } catch (error) {
    Object.assign(seen, brokenBy(error, watchdog))
  } finally {
    watchdog.stop()
    if (signal.aborted && assembler.blockCount > 0) recorder.dropped()
  }

  // Nobody takes an answer that its caller broke off: no call of it may be recorded as handed out.
  signal.throwIfAborted()
  const complete = assembler.isComplete ? assembler.message() : undefined
  const shortfall = complete && shortfallOf(complete, recorder.isBilled)
  if (complete && !shortfall) {
    const message = usablePart(complete)
    const requestId = response.headers.get('request-id') ?? undefined
    await recorder.answered({ message, requestId, salvaged: false })
    yield held.release(message)
    return { kind: 'answered' }
  }

  const whole = complete ? usablePart(complete) : assembler.salvage()
  const text = assembler.keptText()
  const { events, ...rest } = seen
  return {
    kind: 'broke',
    whole,
    isCut: !complete,
    text,
    wire: {
      phase: 'body',
      status: response.status,
      headers: response.headers,
      contentType: contentTypeOf(response.headers),
      eventsSeen: events,
      stopReasonSeen: assembler.stopReason !== null,
      tokens: costOf(assembler.usage),
      ...(shortfall ? { answer: shortfall } : whole ? { complete: 'calls' } : text.length > 0 && { complete: 'text' }),
      ...rest,
      now: clock.now(),
    },
    release: (message) => held.release(message),
    *leave(isKept) {
      if (openBlock !== undefined) {
        yield writeEvent('content_block_stop', { type: 'content_block_stop', index: openBlock })
      }
      const streamed = held.isHolding ? held.firstIndex : assembler.blockCount
      if (streamed > 0 && !isKept) recorder.dropped()
      delivered.leftovers += streamed
      delivered.spent.add(assembler)
    },
  }
}

/** Events that say something of the answer; others pass as they are. */
const known: ReadonlySet<string> = new Set([
  'error',
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
])

function shifted(event: ServerSentEvent, data: Json, by: number): string {
  return by === 0 ? event.raw : writeEvent(event.event, { ...data, index: Number(data['index']) + by })
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

function tellDelta(data: Json, recorder: AnswerRecorder): void {
  const delta = (data['delta'] ?? {}) as Json
  if (delta['type'] === 'text_delta') recorder.delta('text', String(delta['text']))
  if (delta['type'] === 'thinking_delta') recorder.delta('thinking', String(delta['thinking']))
}
