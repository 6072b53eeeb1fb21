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
  release(message: AssistantMessage): Generator<string>
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
  /** Time in which the reader does something else is not silence of the API. */
  function* handOut(text: string): Generator<string> {
    watchdog.hold()
    yield text
    watchdog.resume()
  }
  const index = (data: Json) => Number(data['index']) + delivered.leftovers

  watchdog.resume()
  try {
    for await (const event of readEvents(bodyOf(response))) {
      if (event.event === 'ping') {
        yield* handOut(event.raw)
        continue
      }
      if (!known.has(event.event)) {
        if (event.data !== '') watchdog.progress()
        yield* handOut(event.raw)
        continue
      }
      const data = JSON.parse(event.data) as Json
      if (event.event === 'error') {
        seen.inBandError = data['error'] ?? {}
        break
      }
      watchdog.progress()
      seen.events += 1
      assembler.take(data)
      switch (event.event) {
        case 'message_start':
          if (!delivered.started) {
            delivered.started = true
            delivered.messageId = String((data['message'] as Json | undefined)?.['id'])
            yield* handOut(event.raw)
          }
          break
        case 'content_block_start':
        case 'content_block_delta':
        case 'content_block_stop': {
          if (event.event === 'content_block_start') {
            recorder.began()
            const isSpoken = !isThinking(data['content_block'] as Block)
            if (isSpoken && recorder.note !== undefined && delivered.note !== recorder.note) {
              yield* handOut(noteAt(index(data), recorder.note))
              delivered.note = recorder.note
              delivered.leftovers += 1
            }
          }
          const text = shifted(event, data, delivered.leftovers)
          if (event.event === 'content_block_start' && (data['content_block'] as Json)['type'] === 'tool_use')
            held.begin()
          if (held.isHolding) {
            held.add(Number(data['index']), text)
            break
          }
          if (event.event === 'content_block_start') openBlock = index(data)
          if (event.event === 'content_block_stop') openBlock = undefined
          tellDelta(data, recorder)
          yield* handOut(text)
          break
        }
        case 'message_delta':
        case 'message_stop':
          held.end(event)
          break
      }
    }
    seen.endedPolitely = !seen.inBandError
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
    yield* held.release(message)
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

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body) yield* response.body
}
