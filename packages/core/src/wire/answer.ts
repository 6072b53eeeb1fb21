/**
 * What of an answer counts.
 *
 * 1. A tool call that was cut off never runs: not with half its input, and not with the empty input it began with.
 * 2. The model's refusal is no turn: its calls are not handed out and its words are not history.
 */
import { assistantMessageSchema, type AssistantMessage, type Block } from '../journal.ts'

/** Stop reasons that cut an answer wherever it was. */
const cutReasons: ReadonlySet<string | null> = new Set(['max_tokens', 'model_context_window_exceeded'])

export const isCut = (stopReason: string | null): boolean => cutReasons.has(stopReason)

/** The part of an answer that is handed out: no call of a refusal, and no last call that its end may have cut. */
export function usablePart(message: AssistantMessage): AssistantMessage {
  const { content, stop_reason } = message
  const firstCall = content.findIndex(isCall)
  if (stop_reason === 'refusal' && firstCall >= 0) return { ...message, content: content.slice(0, firstCall) }
  const last = content.at(-1)
  // Nothing tells whether its input is whole.
  return isCut(stop_reason) && last && isCall(last) ? { ...message, content: content.slice(0, -1) } : message
}

export function callsOf({ content }: AssistantMessage): readonly Block[] {
  return content.filter(isCall)
}

const isCall = ({ type }: Block) => type === 'tool_use'

/** Whether the turn is over with this answer, and ended well. */
export function endsTurn(message: AssistantMessage): boolean {
  const { stop_reason } = message
  return callsOf(message).length === 0 && !['refusal', 'pause_turn', 'compaction'].includes(stop_reason ?? '')
}

/** The message that `text` is, or undefined when it is something else. */
export function messageIn(text: string): AssistantMessage | undefined {
  try {
    return assistantMessageSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
