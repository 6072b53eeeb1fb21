/**
 * A recorded answer as a stream again, for a caller that did not get the end of it: what `Assembler` reads from these
 * events is the answer. Pure.
 */
import { asGiven, inputText } from '../journal/exact-inputs.ts'
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { writeEvent } from './sse.ts'

type Json = Readonly<Record<string, unknown>>

export function* replayed(message: AssistantMessage): Generator<string, void, undefined> {
  const { content, stop_reason, usage, ...rest } = asGiven(message)
  const { stop_sequence = null, ...start } = rest as Json
  // Some of it comes with the end from the API, and there clients look for it: verdicts on the calls, a container.
  const { id: _id, type: _type, role: _role, model: _model, ...end } = start
  yield event({
    type: 'message_start',
    message: { ...start, content: [], stop_reason: null, stop_sequence: null, usage },
  })
  for (const [index, block] of content.entries()) yield* blockReplayed(index, block, message)
  yield event({ type: 'message_delta', delta: { ...end, stop_reason, stop_sequence }, usage: usage ?? {} })
  yield event({ type: 'message_stop' })
}

/** A block of `message` at the place that it has for the caller. */
export function* blockReplayed(
  index: number,
  block: Block,
  message: AssistantMessage,
): Generator<string, void, undefined> {
  const [begun, ...deltas] = inPieces(block, message)
  yield event({ type: 'content_block_start', index, content_block: begun })
  for (const delta of deltas) yield event({ type: 'content_block_delta', index, delta })
  yield event({ type: 'content_block_stop', index })
}

const event = (data: Json & { readonly type: string }): string => writeEvent(data.type, data)

/** The block as it begins, and the deltas added to it. A kind that is not known to come in pieces comes all at once. */
function inPieces(block: Block, message: AssistantMessage): readonly [Json, ...Json[]] {
  const { type } = block
  if (type === 'text') {
    const { text, citations, ...rest } = block
    const cited = Array.isArray(citations) ? (citations as unknown[]) : []
    return [
      { ...rest, text: '', citations: cited.length > 0 ? [] : citations },
      ...cited.map((citation) => ({ type: 'citations_delta', citation })),
      { type: 'text_delta', text },
    ]
  }
  if (type === 'thinking') {
    const { thinking, signature, ...rest } = block
    return [
      { ...rest, thinking: '', ...('signature' in block && { signature: '' }) },
      { type: 'thinking_delta', thinking },
      ...('signature' in block ? [{ type: 'signature_delta', signature }] : []),
    ]
  }
  if (type.endsWith('tool_use') && 'input' in block) {
    const { input: _input, ...rest } = block
    return [
      { ...rest, input: {} },
      { type: 'input_json_delta', partial_json: inputText(message, block) },
    ]
  }
  return [block]
}
