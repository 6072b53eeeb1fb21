/**
 * The events of a streamed answer that wait: until it is durable its tool calls, what comes after them, and its end;
 * until they have their results the calls of the server's tools. The Vercel AI SDK asks for an answer again and again
 * while such a call of it has none, as where the answer broke off and the next one does without the call.
 */
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { isCall, isServerCall } from '../journal/message.ts'
import { writeEvent, type ServerSentEvent } from './sse.ts'
import type { Spent } from './spent.ts'

export class HeldEvents {
  readonly #spent: Spent
  #blocks = new Map<number, string[]>()
  #ends: ServerSentEvent[] = []
  #firstIndex: number | undefined
  #isToEnd = false
  /** Calls of the server's tools. */
  readonly #unanswered = new Set<unknown>()

  constructor(spent: Spent) {
    this.#spent = spent
  }

  get isHolding(): boolean {
    return this.#firstIndex !== undefined
  }
  /** Index of the first block that is held from its beginning: one before it may end later. Undefined for none. */
  get firstIndex(): number | undefined {
    return this.#firstIndex
  }
  /** `block` begins; with `isToEnd` it waits until the answer is durable, whatever it is. */
  begin(index: number, block: Block, isToEnd: boolean): void {
    this.#isToEnd ||= isToEnd || isCall(block)
    if (isServerCall(block)) this.#unanswered.add(block['id'])
    else this.#unanswered.delete(block['tool_use_id'])
    if (this.#waits) this.#firstIndex ??= index
  }
  /** The blocks that have nothing more to wait for, as one ends. */
  passOn(): string {
    if (this.#waits) return ''
    const texts = [...this.#blocks.values()].flat()
    this.#blocks.clear()
    this.#firstIndex = undefined
    return texts.join('')
  }
  get #waits(): boolean {
    return this.#isToEnd || this.#unanswered.size > 0
  }
  add(index: number, text: string): void {
    const texts = this.#blocks.get(index)
    if (texts) texts.push(text)
    else this.#blocks.set(index, [text])
  }
  end(event: ServerSentEvent): void {
    this.#ends.push(event)
  }

  /** The blocks that `message` kept, then its end; what the stream lacks of the end is added here. */
  release(message: AssistantMessage): string {
    const kept = message.content.length
    const blocks = [...this.#blocks].sort(([a], [b]) => a - b).filter(([index]) => index < kept)
    const texts = blocks.flatMap(([, ofBlock]) => ofBlock)
    const usage = this.#spent.with(message)
    const stop = this.#ends.findIndex(({ event }) => event === 'message_stop')
    const [ends, last] = stop < 0 ? [this.#ends, []] : [this.#ends.slice(0, stop), this.#ends.slice(stop)]
    let isReasonSaid = false
    for (const { event, data, raw } of ends) {
      const said = event === 'message_delta' ? (JSON.parse(data) as { delta?: Record<string, unknown> }) : undefined
      const reason = said?.delta?.['stop_reason'] ?? undefined
      isReasonSaid ||= reason !== undefined
      // What is kept of an answer with a broken call has another stop reason than that answer.
      const isOther = reason !== undefined && reason !== message.stop_reason
      const delta = isOther && { delta: { ...said?.delta, stop_reason: message.stop_reason } }
      texts.push(said && (usage || delta) ? writeEvent(event, { ...said, ...delta, ...(usage && { usage }) }) : raw)
    }
    // What is kept of a cut answer has no end of its own.
    if (!isReasonSaid) {
      const delta = { stop_reason: message.stop_reason, stop_sequence: null }
      texts.push(writeEvent('message_delta', { type: 'message_delta', delta, usage: usage ?? message.usage ?? {} }))
    }
    texts.push(...last.map(({ raw }) => raw))
    if (stop < 0) texts.push(writeEvent('message_stop', { type: 'message_stop' }))
    return texts.join('')
  }
}
