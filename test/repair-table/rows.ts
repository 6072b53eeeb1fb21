/**
 * The rows of the table of repairs: what the API demands of a conversation, its words when it is not met, and what a
 * repair means for thinking that is signed against what stands before it.
 */
import { errorPatterns } from '../../packages/core/src/faults/error-patterns.ts'

/**
 * `settings`: nothing that is signed is touched. `end`: nothing signed stands behind the place. `guarded`: where signed
 * thinking stands behind it, the API is asked to leave that out, or all of it goes. `thinking`: it is about thinking.
 */
export type Safety = 'settings' | 'end' | 'guarded' | 'thinking'

/** `words`: what the API says; absent where it has no words of its own. */
type RepairRow = readonly [invariant: string, safety: Safety, words?: string]

export const repairRows: Readonly<Record<number, RepairRow>> = {
  1: [
    'Every tool call has a result in the next message',
    'guarded',
    '`tool_use` ids were found without `tool_result` blocks immediately after',
  ],
  2: [
    'All results of one answer are in one message',
    'guarded',
    '`tool_use` ids were found without `tool_result` blocks',
  ],
  3: ['Results come first in their message', 'guarded', '`tool_use` ids were found without `tool_result` blocks'],
  4: [
    'Nothing follows the last call of an answer',
    'guarded',
    '`tool_use` ids were found without `tool_result` blocks',
  ],
  5: ['Every result has a call', 'guarded', 'unexpected `tool_use_id` found in `tool_result` blocks'],
  6: ['Ids of calls are unique', 'guarded', '`tool_use` ids must be unique'],
  7: ['A call has one result', 'guarded', 'each tool_use must have a single result'],
  8: [
    'Ids of calls are plain',
    'guarded',
    "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
  ],
  9: ['Names of tools are short enough', 'guarded', 'tools.3.custom.name: String should have at most 128 characters'],
  10: ['The input of a call is an object', 'guarded'],
  11: [
    'Blocks and settings have no unknown field',
    'guarded',
    'messages.1.content.0.text.parsed: Extra inputs are not permitted',
  ],
  12: ['No text is empty', 'guarded', 'text content blocks must be non-empty'],
  13: ['The user begins', 'guarded', 'messages: first message must use the "user" role'],
  14: ['User and assistant take turns', 'guarded', 'messages: roles must alternate between "user" and "assistant"'],
  15: ['System messages stand where the model takes them', 'guarded', "role 'system' is not supported on this model"],
  16: [
    'The end of an answer to go on with is no white space',
    'end',
    'messages: final assistant content cannot end with trailing whitespace',
  ],
  17: ['The user has the last word', 'end', 'This model does not support assistant message prefill'],
  18: [
    'The latest thinking is as it came',
    'thinking',
    '`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified',
  ],
  19: ['Thinking has its signature', 'thinking', 'messages.1.content.0: Invalid `signature` in `thinking` block'],
  20: [
    'Thinking stands behind what it was signed against',
    'thinking',
    'The block is bound to a different conversation',
  ],
  21: [
    'Where thinking is enabled, the open turn begins with it',
    'settings',
    'Expected `thinking` or `redacted_thinking`, but found `tool_use`',
  ],
  22: [
    'Where thinking is disabled, the last answer has none',
    'end',
    'When thinking is disabled, an assistant message in the final position cannot contain thinking',
  ],
  23: [
    'The thinking setting is one that the model takes',
    'settings',
    'adaptive thinking is not supported on this model',
  ],
  24: [
    'A tool is forced only where that is possible',
    'settings',
    'tool_choice: type "tool" and "any" are not supported for this model.',
  ],
  25: [
    'Server tools have their results',
    'guarded',
    '`web_search` tool use with id `srvtoolu_01` was found without a corresponding `web_search_tool_result` block',
  ],
  26: ['While a server tool is pending, people wait', 'guarded'],
  27: ['A paused answer is last and unchanged', 'end'],
  28: ['The container is there', 'settings'],
  29: ['What a block refers to is there', 'guarded'],
  30: ['At most four cache markers', 'settings', 'A maximum of 4 blocks with cache_control may be provided'],
  31: [
    'Long cache markers come before short ones',
    'settings',
    "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' one",
  ],
  32: [
    'Images are whole and within the limits',
    'guarded',
    'At least one of the image dimensions exceed max allowed size: 8000 pixels',
  ],
  33: ['Documents stand where they are taken', 'guarded'],
  34: ['The conversation fits the window', 'guarded', 'prompt is too long: 208310 tokens > 200000 maximum'],
  35: [
    'max_tokens is within what the model can say',
    'settings',
    'max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens',
  ],
  36: ['The request has at most 32 MB', 'guarded', 'Request exceeds the maximum size'],
  37: [
    'Text is valid Unicode',
    'guarded',
    'The request body is not valid JSON: no low surrogate in string: line 1 column 162',
  ],
  38: ['Tools have names of their own', 'settings', 'tools: Tool names must be unique.'],
  40: ['Compaction blocks stand where they belong', 'guarded'],
  42: ['Nothing of a model that declined stands before the next one', 'guarded'],
  44: [
    'Sampling settings only where they are taken',
    'settings',
    '`temperature` may only be set to 1 when thinking is enabled.',
  ],
}

/** What no look at a request can tell, and what holds it instead. */
export const heldElsewhere: Readonly<Record<number, readonly [invariant: string, held: string]>> = {
  39: ['Tools that history uses are declared', 'the tools of a session are pinned: a deploy does not take them away'],
  41: [
    'A compaction has content',
    'it is an answer, not a request: an empty one is not put in the place of the history',
  ],
  43: [
    'At most 100,000 messages',
    'there is nothing to leave out that was not said; the API says so and the caller is told',
  ],
  45: [
    'The organisation keeps data for 30 days where a model asks for it',
    'a setting of the account; a ladder goes on with another model',
  ],
  46: ['What the model declined is not history', 'the refused answer is in the journal, and never in the conversation'],
  47: ['A conversation has one writer', 'the lease of the session and its fence, checked with every append'],
}

/** The source of an API's words, where its table has a pattern for just them. */
export function sourceOf(words: string): string | undefined {
  const found = errorPatterns.find(({ text }) => text.test(words))
  // A pattern of any text about messages is no source of this one.
  return found?.text.test('messages: ') ? undefined : found?.source
}
