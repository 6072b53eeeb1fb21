/**
 * What of an answer counts.
 *
 * 1. A tool call that was cut off never runs: not with half its input, and not with the empty input it began with.
 * 2. The model's refusal is no turn: its calls are not run and its words are not history.
 */
import { assistantMessageSchema, type AssistantMessage, type Block } from '../journal.ts'

/** Stop reasons that cut an answer wherever it was. */
const cutReasons: ReadonlySet<string | null> = new Set(['max_tokens', 'model_context_window_exceeded'])

export const isCut = (stopReason: string | null): boolean => cutReasons.has(stopReason)

/** The answer without a last tool call that its end may have cut: nothing tells whether its input is whole. */
export function withoutCutCall(message: AssistantMessage): AssistantMessage {
  if (!isCut(message.stop_reason) || message.content.at(-1)?.type !== 'tool_use') return message
  return { ...message, content: message.content.slice(0, -1) }
}

/** The calls that are to be run. */
export function callsOf({ content, stop_reason }: AssistantMessage): readonly Block[] {
  return stop_reason === 'refusal' ? [] : content.filter((block) => block.type === 'tool_use')
}

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
