/**
 * What the API demands of a request, as a table: each rule with its exact text and the check beside it.
 * 1. Rules are tried in order, and the first that is broken answers: shape first, then meaning.
 * 2. A check gives the values for the `{places}` in the text, or undefined if the rule holds. It never throws,
 *    whatever the request contains.
 * 3. Texts marked `own` are this lab's words: the real ones are not known.
 */
import { invalid, type ApiError } from './api-error.ts'
import { findBrokenImage, findEmptyImage, findLargeImage } from './rule-images.ts'
import { findPairing, findServerPairing } from './rule-pairs.ts'
import {
  findBudget,
  findCacheOrder,
  findForcedTool,
  findMaxTokens,
  findSampling,
  findThinkingType,
} from './rule-settings.ts'
import { findBadBlock, findBadSetting, findBadTool } from './rule-shape.ts'
import { everyBlock, place, type Found, type Transcript } from './transcript.ts'
import { isThinking } from './conversation.ts'
import { isObject, objectsOf, stringOf } from './json.ts'

export interface Rule {
  readonly name: string
  /** Number in the list of known transcript invariants. */
  readonly row?: number
  readonly text: string
  readonly own?: true
  /** `details.error_code`, with the values of these places beside it. */
  readonly errorCode?: string
  readonly detailFields?: readonly string[]
  readonly check: (transcript: Transcript) => Found | undefined
}

const PAIR =
  '`tool_use` ids were found without `tool_result` blocks immediately after: {ids}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.'
const BOUND =
  ' The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
const NAME_LIMIT = 200
const TOOL_NAME_LIMIT = 128
const MESSAGE_LIMIT = 100_000
const MARKER_LIMIT = 4

export const RULES: readonly Rule[] = [
  // Shape.
  { name: 'settings', row: 11, text: '{path}: {problem}', check: findBadSetting },
  {
    name: 'tool-names-length',
    row: 9,
    text: `tools.{at}.custom.name: String should have at most ${TOOL_NAME_LIMIT} characters`,
    check: ({ tools }) => indexFound(tools.findIndex((tool) => stringOf(tool['name']).length > TOOL_NAME_LIMIT)),
  },
  { name: 'tool-shape', text: 'tools.{path}: {problem}', check: findBadTool },
  {
    name: 'tool-names-unique',
    row: 38,
    text: 'tools: Tool names must be unique.',
    errorCode: 'tool_name_conflict',
    check: ({ tools }) => when(new Set(tools.map((tool) => tool['name'])).size < tools.length),
  },
  {
    name: 'message-count',
    row: 43,
    own: true,
    text: `messages: List should have at most ${MESSAGE_LIMIT} items, not {count}`,
    check: ({ raw }) => (raw.length > MESSAGE_LIMIT ? { count: raw.length } : undefined),
  },
  { name: 'block-shape', row: 11, text: '{path}: {problem}', check: findBadBlock },
  {
    name: 'tool-id-pattern',
    row: 8,
    text: "{path}.{type}.{field}: String should match pattern '^[a-zA-Z0-9_-]+$'",
    check: everyBlock(({ block }) => {
      const field = block.type === 'tool_use' ? 'id' : block.type === 'tool_result' ? 'tool_use_id' : undefined
      return field && !/^[a-zA-Z0-9_-]+$/.test(stringOf(block[field])) ? { type: block.type, field } : undefined
    }),
  },
  {
    name: 'tool-use-name-length',
    row: 9,
    text: `{path}.tool_use.name: String should have at most ${NAME_LIMIT} characters`,
    check: everyBlock(({ block }) => when(block.type === 'tool_use' && stringOf(block['name']).length > NAME_LIMIT)),
  },
  {
    name: 'tool-input-object',
    row: 10,
    own: true,
    text: '{path}.tool_use.input: Input should be a valid dictionary',
    check: everyBlock(({ block }) => when(block.type === 'tool_use' && !isObject(block['input']))),
  },
  {
    name: 'document-in-assistant',
    row: 33,
    own: true,
    text: '{path}: `document` blocks are not supported in assistant messages',
    check: (t) =>
      t.modern
        ? everyBlock(({ block, role }) => when(role === 'assistant' && block.type === 'document'))(t)
        : undefined,
  },
  {
    name: 'citations-in-user',
    own: true,
    text: '{path}: `citations` are not supported on text blocks in user messages',
    check: (t) =>
      t.modern
        ? everyBlock(({ block, role }) =>
            when(role === 'user' && block.type === 'text' && Array.isArray(block['citations'])),
          )(t)
        : undefined,
  },
  // Settings that the model or the API version does not take.
  {
    name: 'sampling',
    row: 44,
    own: true,
    text: '`{field}` is not supported for this model or API version.',
    check: findSampling,
  },
  {
    name: 'thinking-type',
    row: 23,
    text: '"thinking.type.{type}" is not supported for this model.',
    check: findThinkingType,
  },
  {
    name: 'thinking-adaptive',
    row: 23,
    text: 'adaptive thinking is not supported on this model',
    check: ({ card, thinkingType }) => when(thinkingType === 'adaptive' && !card.habits.thinking.includes('adaptive')),
  },
  {
    name: 'thinking-budget',
    row: 23,
    text: '`max_tokens` must be greater than `thinking.budget_tokens`',
    check: findBudget,
  },
  {
    name: 'max-tokens',
    row: 35,
    text: 'max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {model}',
    check: findMaxTokens,
  },
  {
    name: 'forced-tool',
    row: 24,
    text: 'tool_choice: type "tool" and "any" are not supported for this model.',
    check: findForcedTool,
  },
  {
    name: 'cache-markers',
    row: 30,
    text: `A maximum of ${MARKER_LIMIT} blocks with cache_control may be provided. Found {count}.`,
    check: ({ markers }) => (markers.length > MARKER_LIMIT ? { count: markers.length } : undefined),
  },
  {
    name: 'cache-order',
    row: 31,
    text: "{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    check: findCacheOrder,
  },
  // Messages.
  {
    name: 'first-user',
    row: 13,
    text: 'messages: first message must use the "user" role',
    check: ({ raw }) => when(raw[0]?.['role'] !== 'user'),
  },
  {
    name: 'system-role',
    row: 15,
    text: "role 'system' is not supported on this model",
    check: ({ turns, card }) => when(!card.habits.systemMessages && turns.some((turn) => turn.role === 'system')),
  },
  {
    name: 'system-place',
    row: 15,
    own: true,
    text: "messages.{message}: a message with role 'system' must follow a user message and precede an assistant message or the end",
    check: ({ turns }) => {
      const bad = turns.find(
        (turn, at) => turn.role === 'system' && (turns[at - 1]?.role !== 'user' || turns[at + 1]?.role === 'user'),
      )
      return bad && { message: bad.message }
    },
  },
  {
    name: 'message-empty',
    row: 12,
    text: 'messages.{message}: all messages must have non-empty content except for the optional final assistant message',
    check: ({ raw }) => {
      const bad = raw.findIndex(
        ({ content, role }, at) =>
          (content === '' || (Array.isArray(content) && content.length === 0)) &&
          !(at === raw.length - 1 && role === 'assistant'),
      )
      return bad < 0 ? undefined : { message: bad }
    },
  },
  {
    name: 'text-empty-marked',
    row: 12,
    text: '{path}.text: cache_control cannot be set for empty text blocks',
    check: everyBlock(({ block }) =>
      when(block.type === 'text' && block['text'] === '' && isObject(block['cache_control'])),
    ),
  },
  {
    name: 'text-empty',
    row: 12,
    text: 'messages: text content blocks must be non-empty',
    check: everyBlock(({ block }) => when(block.type === 'text' && block['text'] === '')),
  },
  {
    name: 'text-blank',
    row: 12,
    text: 'messages: text content blocks must contain non-whitespace text',
    check: everyBlock(({ block }) => when(block.type === 'text' && stringOf(block['text']).trim() === '')),
  },
  {
    name: 'system-empty',
    row: 12,
    text: 'system: text content blocks must be non-empty',
    check: ({ request }) => when(objectsOf(request['system']).some((block) => block['text'] === '')),
  },
  {
    name: 'tool-use-role',
    text: 'messages.{message}: `tool_use` blocks can only be in `assistant` messages',
    check: everyBlock(({ block, role, message }) =>
      block.type === 'tool_use' && role !== 'assistant' ? { message } : undefined,
    ),
  },
  {
    name: 'tool-result-role',
    text: 'messages.{message}: `tool_result` blocks can only be in `user` messages',
    check: everyBlock(({ block, role, message }) =>
      block.type === 'tool_result' && role !== 'user' ? { message } : undefined,
    ),
  },
  // Tool calls and their results.
  {
    name: 'tool-id-unique',
    row: 6,
    text: '{path}: `tool_use` ids must be unique',
    check: ({ blocks }) => {
      const seen = new Set<unknown>()
      const repeated = blocks.find(
        ({ block }) => block.type === 'tool_use' && (seen.has(block['id']) || !seen.add(block['id'])),
      )
      return repeated && { path: place(repeated) }
    },
  },
  {
    name: 'results-single',
    row: 7,
    text: '{path}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}',
    check: findPairing('multiple'),
  },
  {
    name: 'results-known',
    row: 5,
    text: '{path}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
    check: findPairing('orphan'),
  },
  { name: 'results-present', row: 1, text: `messages.{message}: ${PAIR}`, check: findPairing('missing') },
  { name: 'results-together', row: 2, text: `messages.{message}: ${PAIR}`, check: findPairing('split') },
  { name: 'results-first', row: 3, text: `messages.{message}: ${PAIR}`, check: findPairing('late') },
  { name: 'calls-last', row: 4, text: `messages.{message}: ${PAIR}`, check: findPairing('trailing') },
  {
    name: 'server-call-answered',
    row: 25,
    text: 'messages.{message}: `{name}` tool use with id `{id}` was found without a corresponding `{name}_tool_result` block',
    check: findServerPairing('missing'),
  },
  {
    name: 'server-result-known',
    row: 25,
    text: '{path}: unexpected `tool_use_id` found in `{type}` blocks: {id}. Each `{type}` block must have a corresponding `server_tool_use` block before it.',
    check: findServerPairing('orphan'),
  },
  // Thinking.
  {
    name: 'thinking-modified',
    row: 18,
    text: '{path}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.',
    check: ({ findings }) => placed(findings.find(({ fault, latest }) => fault === 'modified' && latest)),
  },
  {
    name: 'thinking-signature',
    row: 19,
    text: '{path}: Invalid `signature` in `thinking` block',
    check: ({ findings, card }) =>
      placed(
        findings.find(
          ({ fault }) =>
            fault === 'signature' || fault === 'modified' || (fault === 'model' && !card.habits.preservedThinking),
        ),
      ),
  },
  {
    name: 'thinking-binding',
    row: 20,
    text: `{path}: Invalid \`signature\` in \`thinking\` block.${BOUND}`,
    check: ({ findings, dropsBlocks }) =>
      placed(dropsBlocks ? undefined : findings.find(({ fault }) => fault === 'prefix')),
  },
  {
    name: 'thinking-first',
    row: 21,
    text: 'messages.{message}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{type}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`.',
    check: ({ turns, thinkingType }) => {
      const last = turns.findLast((turn) => turn.role === 'assistant')
      const first = last?.blocks[0]
      if (thinkingType !== 'enabled' || !last || !first || isThinking(first.block)) return undefined
      const calls = last === turns.at(-1) || last.blocks.some(({ block }) => block.type === 'tool_use')
      return calls ? { message: last.message, type: first.block.type } : undefined
    },
  },
  {
    name: 'thinking-disabled',
    row: 22,
    text: 'When thinking is disabled, an assistant message in the final position cannot contain thinking. To use thinking blocks, enable thinking in your request.',
    check: ({ turns, thinkingOff }) =>
      when(
        thinkingOff &&
          turns.at(-1)?.role === 'assistant' &&
          turns.at(-1)?.blocks.some(({ block }) => isThinking(block)) === true,
      ),
  },
  // Images.
  { name: 'image-empty', row: 32, text: '{path}: image cannot be empty', check: findEmptyImage },
  { name: 'image-broken', row: 32, text: 'Could not process image', check: findBrokenImage },
  {
    name: 'image-size',
    row: 32,
    text: '{path}.data: At least one of the image dimensions exceed max allowed size{kind}: {max_side_length_pixels} pixels',
    errorCode: 'image_dimensions_too_large',
    detailFields: ['max_side_length_pixels', 'paths'],
    check: findLargeImage,
  },
  // The end of the transcript.
  {
    name: 'prefill',
    row: 17,
    text: 'This model does not support assistant message prefill. The conversation must end with a user message.',
    check: ({ turns, card, paused }) => when(turns.at(-1)?.role === 'assistant' && !card.habits.prefill && !paused),
  },
  {
    name: 'trailing-whitespace',
    row: 16,
    text: 'messages: final assistant content cannot end with trailing whitespace',
    check: ({ turns, paused }) => {
      const last = turns.at(-1)?.role === 'assistant' && !paused ? turns.at(-1)?.blocks.at(-1)?.block : undefined
      return when(last?.type === 'text' && /\s$/.test(stringOf(last['text'])))
    },
  },
  {
    name: 'context-window',
    row: 34,
    text: 'prompt is too long: {tokens} tokens > {limit} maximum',
    check: ({ tokens, card }) => (tokens > card.maxInputTokens ? { tokens, limit: card.maxInputTokens } : undefined),
  },
]

/** The first rule that the transcript breaks, as the error that the API answers with. */
export function firstViolation(transcript: Transcript, rules: readonly Rule[] = RULES): ApiError | undefined {
  for (const { name, row, text, errorCode, detailFields = [], check } of rules) {
    const found = check(transcript)
    if (!found) continue
    const message = text.replaceAll(/\{(\w+)\}/g, (_, key: string) => String(found[key] ?? ''))
    const details = Object.fromEntries(detailFields.map((field) => [field, found[field]]))
    return invalid(message, {
      rule: name,
      ...(row !== undefined && { row }),
      ...(errorCode !== undefined && { details: { error_code: errorCode, ...details } }),
    })
  }
  return undefined
}

function when(broken: boolean): Found | undefined {
  return broken ? {} : undefined
}

function indexFound(index: number): Found | undefined {
  return index < 0 ? undefined : { at: index }
}

function placed(finding: Transcript['findings'][number] | undefined): Found | undefined {
  return finding && { path: place(finding.placed) }
}
