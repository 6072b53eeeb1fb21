/**
 * One answer put together from its stream events, block by block.
 *
 * 1. A block counts after its `content_block_stop`; before that it may be cut, and is never handed out as complete.
 * 2. Tool input is parsed from its own JSON text, never taken from the empty object of `content_block_start`. An answer
 *    with a call that has no end, or non-JSON input, is not complete, unless the model was cut off there or refused.
 * 3. Unknown blocks and deltas are kept as they come: a delta's fields are laid over the block. Of a known delta only its
 *    piece is the block's: a count for display, sent back, would be refused.
 * 4. An event that belongs to nothing that has begun breaks the answer: a part of it was lost, or came twice. A block's
 *    place is that of its beginning among the others, however a gateway on the way numbers it.
 * 5. As in the SDK, a field of the end that is null says nothing, and the last `fallback` names the answer's model.
 */
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { losesNumbers, withInputs } from '../journal/exact-inputs.ts'
import { isAskedFor, isCall, isServerCall, sumsUp } from '../journal/message.ts'
import { isRecord } from '../json.ts'
import { firstTwin, mayBeHalf, withoutOddUsage, type EarlierAnswers } from '../journal/answer.ts'

type Json = Record<string, unknown>

const isSpokenText = (block: Block) => block.type === 'text' && String(block['text']).trim() !== ''

interface OpenBlock {
  block: Block
  /** The pieces of a tool's input. */
  json: string
  complete: boolean
  /** Its JSON did not parse: cut by `max_tokens`, most likely. */
  broken: boolean
}

/** The blocks that a known kind of delta is for, and its text. Any other kind may be for any block. */
const usualDeltas: Readonly<Record<string, { readonly of: string; readonly field?: string }>> = {
  text_delta: { of: 'text', field: 'text' },
  citations_delta: { of: 'text' },
  thinking_delta: { of: 'thinking', field: 'thinking' },
  signature_delta: { of: 'thinking', field: 'signature' },
  input_json_delta: { of: 'tool_use', field: 'partial_json' },
}

const usualBlocks: ReadonlySet<string> = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use'])

/** Whether a delta can be read where it stands: clients leave out what cannot, or stop. */
function fits(delta: Json, { type }: Block): boolean {
  const usual = usualDeltas[String(delta['type'])]
  if (!usual) return true
  const kind = type.endsWith('tool_use') ? 'tool_use' : type
  return (
    !(usualBlocks.has(kind) && usual.of !== kind) &&
    !(usual.field !== undefined && typeof delta[usual.field] !== 'string')
  )
}

/** The block as it begins, with a text to which its pieces can be added. */
export function withText(block: Block): Block {
  const { type } = block
  const lacksIt = (type === 'text' || type === 'thinking') && typeof block[type] !== 'string'
  return lacksIt ? { ...block, [type]: '' } : block
}

/** Whether it is an incomplete call; a text without its end lacks nothing. */
const isHalfCall = ({ block, complete, broken }: OpenBlock): boolean =>
  broken || (!complete && block.type.endsWith('tool_use'))

/** Deltas that carry the whole value. */
const wholeDeltas: ReadonlySet<unknown> = new Set(['compaction_delta', 'signature_delta'])

/** `before` with `fields` laid over it; null replaces no value. */
const laidOver = (before: unknown, fields: unknown): Json => {
  const known = isRecord(before) ? before : {}
  const said = Object.entries(isRecord(fields) ? fields : {})
  return { ...known, ...Object.fromEntries(said.filter(([name, value]) => value !== null || known[name] == null)) }
}

const untilFirst = <T>(at: number, list: readonly T[]): readonly T[] => (at < 0 ? list : list.slice(0, at))

export class Assembler {
  #message: Json | undefined
  readonly #blocks: OpenBlock[] = []
  /** By the index that its events have. */
  readonly #places = new Map<unknown, number>()
  /** By the id of the call. */
  readonly #exactInputs: Record<string, string> = {}
  #stopped = false

  /** Takes the parsed data of one event. What it does not know changes nothing. Throws for what breaks the answer. */
  take(data: Json): void {
    switch (data['type']) {
      case 'message_start':
        if (!isRecord(data['message'])) throw new Error('the answer begins without a message')
        this.#message = withoutOddUsage({ ...data['message'] })
        break
      case 'content_block_start':
        this.#begin(data)
        break
      case 'content_block_delta':
        this.#applyDelta(this.#blockOf(data), data['delta'])
        break
      case 'content_block_stop':
        this.#complete(this.#blockOf(data))
        break
      case 'message_delta':
        this.#applyEnd(data)
        break
      case 'message_stop':
        this.#stopped = true
        break
    }
  }

  /** The answer's end was seen: `message_stop`, or at least a stop reason (then only the last event is missing). */
  get isComplete(): boolean {
    return this.#message !== undefined && (this.#stopped || this.stopReason !== null) && !this.#hasHalfCall
  }

  /** `message_stop` was seen, and a call has no end, or non-JSON input: the model wrote it so. */
  get hasBrokenCall(): boolean {
    return this.#stopped && this.#hasHalfCall
  }

  get #hasHalfCall(): boolean {
    const last = this.#blocks.length - 1
    return this.#blocks.some((one, at) => isHalfCall(one) && !mayBeHalf(this.stopReason, at === last))
  }

  get stopReason(): string | null {
    const reason = this.#message?.['stop_reason']
    return typeof reason === 'string' ? reason : null
  }

  get usage(): Readonly<Record<string, unknown>> | undefined {
    return this.#message?.['usage'] as Readonly<Record<string, unknown>> | undefined
  }

  get model(): string {
    return String(this.#message?.['model'])
  }

  get blockCount(): number {
    return this.#blocks.length
  }

  /** The place of the block that an event is about. */
  placeOf({ index }: Json): number {
    return this.#places.get(index) ?? -1
  }

  /**
   * Whether the event says what was over before: the end of a block again, or anything after `message_stop`. Some
   * gateways say it twice, and clients run a call at each end of its block (P2).
   * https://github.com/BerriAI/litellm/issues/37273
   */
  isRepeated(data: Json): boolean {
    const isEnd = data['type'] === 'content_block_stop'
    return this.#stopped || (isEnd && this.#blocks[this.placeOf(data)]?.complete === true)
  }

  /** The whole answer. Where the model was cut off, its last call may be incomplete: see `usablePart`. */
  message(): AssistantMessage {
    return this.#messageOf(
      this.#blocks.map(({ block }) => block),
      this.stopReason,
    )
  }

  /**
   * What can be kept of a cut answer: its complete blocks up to the last tool call among them, ending as if the model
   * had stopped for the tools. Undefined without a call: then it is better to send the same request again.
   */
  salvage(earlier: Pick<EarlierAnswers, 'hasCall'>): AssistantMessage | undefined {
    const { complete } = this.#untilCut
    const pendingServerTool = complete.findIndex(
      (block) => isServerCall(block) && !complete.some((other) => other['tool_use_id'] === block['id']),
    )
    const usable = untilFirst(firstTwin(complete, earlier), untilFirst(pendingServerTool, complete))
    const lastCall = usable.findLastIndex(isCall)
    if (lastCall < 0) return undefined
    return this.#messageOf(usable.slice(0, lastCall + 1), 'tool_use')
  }

  /**
   * The text that can be kept of a cut answer: its complete blocks up to the last text or summary of a compaction, and the
   * unfinished text after them. Empty without such a block, or with a call among them.
   */
  keptText(): readonly Block[] {
    const { complete, open } = this.#untilCut
    const last = complete.findLastIndex((block) => isSpokenText(block) || (sumsUp(block) && !isAskedFor(block)))
    if (last < 0 || complete.some(({ type }) => type.endsWith('tool_use'))) return []
    return [
      ...complete.slice(0, last + 1),
      ...(open && last === complete.length - 1 && isSpokenText(open) ? [open] : []),
    ]
  }

  /** The complete blocks before the first that is not, and that one. */
  get #untilCut(): { complete: readonly Block[]; open: Block | undefined } {
    const firstCut = this.#blocks.findIndex((one) => !one.complete || one.broken)
    const complete = untilFirst(firstCut, this.#blocks).map((one) => one.block)
    return { complete, open: this.#blocks[firstCut]?.block }
  }

  #messageOf(content: Block[], stopReason: string | null): AssistantMessage {
    const message = this.#message ?? {}
    const whole: AssistantMessage = {
      ...message,
      id: String(message['id']),
      role: 'assistant',
      model: this.model,
      content,
      stop_reason: stopReason,
    }
    return withInputs(whole, this.#exactInputs)
  }

  #begin({ index, content_block: block }: Json): void {
    if (!this.#message) throw new Error('a block of the answer came before its beginning')
    if (this.#places.has(index)) throw new Error('a block of the answer has the index of an earlier one')
    this.#places.set(index, this.#blocks.length)
    const begun = { ...withText(block as Block) }
    this.#blocks.push({ block: begun, json: '', complete: false, broken: false })
    const model = begun.type === 'fallback' && isRecord(begun['to']) ? begun['to']['model'] : undefined
    if (typeof model === 'string') this.#message['model'] = model
  }

  #blockOf(data: Json): OpenBlock {
    const block = this.#blocks[this.placeOf(data)]
    if (!block) throw new Error('a piece of the answer belongs to no block of it')
    return block
  }

  #applyEnd({ usage, type: _type, delta, ...rest }: Json): void {
    const before = this.#message
    if (!before) throw new Error('the answer ends without its beginning')
    this.#message = { ...laidOver(laidOver(before, rest), delta), usage: laidOver(before['usage'], usage) }
  }

  #applyDelta(open: OpenBlock, delta: unknown): void {
    if (!isRecord(delta) || open.complete) throw new Error('a piece of the answer came after the end of its block')
    if (!fits(delta, open.block)) throw new Error('a piece of the answer is of another kind than its block')
    const { type } = delta
    if (type === 'input_json_delta') {
      open.json += String(delta['partial_json'])
      return
    }
    if (type === 'citations_delta') {
      open.block['citations'] = [
        ...((open.block['citations'] as unknown[] | null | undefined) ?? []),
        delta['citation'],
      ]
      return
    }
    // This runs for every piece of text: a loop, because a list of pairs would be allocated for each.
    const own = usualDeltas[String(type)]?.field
    for (const field in delta) {
      if (field === 'type' || (own !== undefined && field !== own)) continue
      const [before, value] = [open.block[field], delta[field]]
      const isPiece = typeof value === 'string' && typeof before === 'string' && !wholeDeltas.has(type)
      open.block[field] = isPiece ? before + value : value
    }
  }

  #complete(open: OpenBlock): void {
    open.complete = true
    if (open.json === '') return
    try {
      open.block['input'] = JSON.parse(open.json)
      if (losesNumbers(open.json)) this.#exactInputs[String(open.block['id'])] = open.json
    } catch {
      open.broken = true
    }
  }
}
