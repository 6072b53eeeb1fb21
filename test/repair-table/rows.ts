/**
 * The rows of the table of repairs: what the API demands of a conversation, its words if that is violated, and what a
 * repair means for thinking, which is signed against everything before it.
 */
import { errorPatterns } from '../../packages/core/src/faults/error-patterns.ts'

/**
 * `settings`: nothing signed is touched. `end`: nothing signed comes after the place. `guarded`: if signed thinking
 * comes after it, the API is asked to leave that out, or all of it goes. `thinking`: it is about thinking.
 */
export type Safety = 'settings' | 'end' | 'guarded' | 'thinking'

/** `words`: what the API says; absent if it has no words of its own for it. */
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
    'Blocks and settings have the fields that the API knows',
    'guarded',
    'messages.1.content.0.text.parsed: Extra inputs are not permitted',
  ],
  12: ['No text is empty', 'guarded', 'text content blocks must be non-empty'],
  13: ['The first message is from the user', 'guarded', 'messages: first message must use the "user" role'],
  14: ['User and assistant take turns', 'guarded', 'messages: roles must alternate between "user" and "assistant"'],
  15: [
    'System messages are only where the model takes them',
    'guarded',
    "role 'system' is not supported on this model",
  ],
  16: [
    'An answer that the model continues does not end in white space',
    'end',
    'messages: final assistant content cannot end with trailing whitespace',
  ],
  17: ['The last message is from the user', 'end', 'This model does not support assistant message prefill'],
  18: [
    'The latest thinking is unchanged',
    'thinking',
    '`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified',
  ],
  19: ['Thinking has its signature', 'thinking', 'messages.1.content.0: Invalid `signature` in `thinking` block'],
  20: ['Thinking follows what it was signed against', 'thinking', 'The block is bound to a different conversation'],
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
  23: ['The model supports the thinking setting', 'settings', 'adaptive thinking is not supported on this model'],
  24: [
    'A tool is forced only if the model allows it',
    'settings',
    'tool_choice: type "tool" and "any" are not supported for this model.',
  ],
  25: [
    'Server tools have their results',
    'guarded',
    '`web_search` tool use with id `srvtoolu_01` was found without a corresponding `web_search_tool_result` block',
  ],
  26: ['While a server tool is pending, the user says nothing', 'guarded'],
  27: ['A paused answer is last and unchanged', 'end'],
  28: ['The container exists', 'settings'],
  29: ['What a block refers to exists', 'guarded'],
  30: ['At most four cache markers', 'settings', 'A maximum of 4 blocks with cache_control may be provided'],
  31: [
    'Long cache markers come before short ones',
    'settings',
    "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' one",
  ],
  32: [
    'Images are complete and within the limits',
    'guarded',
    'At least one of the image dimensions exceed max allowed size: 8000 pixels',
  ],
  33: ['Documents are only where the API takes them', 'guarded'],
  34: ['The conversation fits the window', 'guarded', 'prompt is too long: 208310 tokens > 200000 maximum'],
  35: [
    "max_tokens is within the model's limit",
    'settings',
    'max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens',
  ],
  36: ['The request has at most 32 MB', 'guarded', 'Request exceeds the maximum size'],
  37: [
    'Text is valid Unicode',
    'guarded',
    'The request body is not valid JSON: no low surrogate in string: line 1 column 162',
  ],
  38: ['Names of tools are unique', 'settings', 'tools: Tool names must be unique.'],
  40: ['Compaction blocks are where they belong', 'guarded'],
  42: ['Nothing of a model that declined comes before the next one', 'guarded'],
  44: [
    'Sampling settings only go to models that take them',
    'settings',
    '`temperature` may only be set to 1 when thinking is enabled.',
  ],
}

/** Invariants that the request alone cannot show, and what ensures them instead. */
export const heldElsewhere: Readonly<Record<number, readonly [invariant: string, held: string]>> = {
  39: ['Tools that history uses are declared', 'the tools of a session are pinned: a deploy does not remove them'],
  41: ['A compaction has content', 'a compaction is an answer: an empty one does not replace the history'],
  43: [
    'At most 100,000 messages',
    "every message was said, so none can be left out; the caller gets the API's own error",
  ],
  45: [
    'The organisation keeps data for 30 days, for models that require it',
    'a setting of the account; a ladder continues with another model',
  ],
  46: ['What the model declined is not history', 'the refused answer is in the journal, and never in the conversation'],
  47: ['A conversation has one writer', 'the lease of the session and its fence, checked with every append'],
}

/** The source of the API's words, if the table has a pattern for exactly these. */
export function sourceOf(words: string): string | undefined {
  const found = errorPatterns.find(({ text }) => text.test(words))
  // A pattern that matches any text about messages is no source for this one.
  return found?.text.test('messages: ') ? undefined : found?.source
}
