/** Pure questions about a conversation, for model functions. */
import { textOf, type Conversation } from './conversation.ts'
import { stringOf } from './json.ts'

export interface ToolOutcome {
  readonly id: string
  readonly name: string
  readonly input: unknown
  readonly text: string
  readonly isError: boolean
}

/** All tool results of the transcript, in order, each with the call it answers. */
export function toolResults(conversation: Conversation): readonly ToolOutcome[] {
  const blocks = conversation.messages.flatMap((message) => message.content)
  const calls = new Map(blocks.filter((block) => block.type === 'tool_use').map((block) => [block['id'], block]))
  return blocks
    .filter((block) => block.type === 'tool_result')
    .map((block) => {
      const call = calls.get(block['tool_use_id'])
      return {
        id: stringOf(block['tool_use_id']),
        name: stringOf(call?.['name']),
        input: call?.['input'],
        text: textOf(block['content']),
        isError: block['is_error'] === true,
      }
    })
}

export function lastToolResult(conversation: Conversation): ToolOutcome | undefined {
  return toolResults(conversation).at(-1)
}

/** The texts that the user wrote, one per user message that has text. */
export function userTurns(conversation: Conversation): readonly string[] {
  return conversation.messages
    .filter((message) => message.role === 'user' && message.content.some((block) => block.type === 'text'))
    .map((message) => textOf(message.content))
}

/** How many assistant messages the transcript has. */
export function assistantCount(conversation: Conversation): number {
  return conversation.messages.filter((message) => message.role === 'assistant').length
}
