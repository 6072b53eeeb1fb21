/** The shape of a request, and settings that its model or API version does not take. */
import { isObject, stringOf } from '../json.ts'
import { when, type Rule } from './rule.ts'
import {
  findBudget,
  findCacheOrder,
  findForcedTool,
  findMaxTokens,
  findSampling,
  findThinkingType,
} from './setting-checks.ts'
import { findBadBlock, findBadSetting, findBadTool } from './shape-checks.ts'
import { everyBlock } from '../transcript.ts'

const NAME_LIMIT = 200
const TOOL_NAME_LIMIT = 128
const MESSAGE_LIMIT = 100_000
const MARKER_LIMIT = 4

export const SHAPE_RULES: readonly Rule[] = [
  { name: 'settings', row: 11, text: '{path}: {problem}', check: findBadSetting },
  {
    name: 'tool-names-length',
    row: 9,
    text: `tools.{at}.custom.name: String should have at most ${TOOL_NAME_LIMIT} characters`,
    check: ({ tools }) => {
      const at = tools.findIndex((tool) => stringOf(tool['name']).length > TOOL_NAME_LIMIT)
      return at < 0 ? undefined : { at }
    },
  },
  { name: 'tool-shape', text: 'tools.{path}: {problem}', check: findBadTool },
  {
    name: 'tool-names-unique',
    row: 38,
    text: 'tools: Tool names must be unique.',
    errorCode: 'tool_name_conflict',
    check: ({ tools }) => {
      // A set of tools of an MCP server has no name.
      const names = tools.flatMap(({ name }) => (name === undefined ? [] : [name]))
      return when(new Set(names).size < names.length)
    },
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
]

export const SETTING_RULES: readonly Rule[] = [
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
    name: 'cache-deferred',
    row: 30,
    text: "Tool '{name}' cannot have both defer_loading=true and cache_control set. Tools with defer_loading cannot use prompt caching.",
    check: ({ tools }) => {
      const found = tools.find((tool) => tool['defer_loading'] === true && isObject(tool['cache_control']))
      return found && { name: stringOf(found['name']) }
    },
  },
  {
    name: 'cache-order',
    row: 31,
    text: "{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    check: findCacheOrder,
  },
]
