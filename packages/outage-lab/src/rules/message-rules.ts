/** Roles and texts of the messages, calls against results, and how a transcript ends. */
import { isObject, objectsOf, stringOf } from '../json.ts'
import { when, type Rule } from './rule.ts'
import { asksToCompact } from './compaction-checks.ts'
import { findPairing } from './pair-checks.ts'
import { everyBlock, place } from '../transcript.ts'

const PAIR =
  '`tool_use` ids were found without `tool_result` blocks immediately after: {ids}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.'

/** https://platform.claude.com/docs/en/build-with-claude/effort-per-message; the second is what Claude Code sends. */
const EFFORT_BETAS = ['mid-conversation-output-config-2026-07-01', 'per-turn-control-2026-07-01']

export const MESSAGE_RULES: readonly Rule[] = [
  {
    name: 'first-user',
    row: 13,
    text: 'messages: first message must use the "user" role',
    check: ({ raw, blocks }) => when(raw[0]?.['role'] !== 'user' && blocks[0]?.block.type !== 'compaction'),
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
        (turn, at) =>
          turn.role === 'system' &&
          turn.blocks.length > 0 &&
          (turns[at - 1]?.role !== 'user' || turns[at + 1]?.role === 'user'),
      )
      return bad && { message: bad.message }
    },
  },
  {
    name: 'message-effort',
    own: true,
    text: 'messages.{message}.output_config: Extra inputs are not permitted',
    check: ({ raw, betas, card }) => {
      const isTaken = card.habits.messageEffort && betas.some((beta) => EFFORT_BETAS.includes(beta))
      const bad = raw.findIndex(
        ({ role, output_config: effort }) => effort !== undefined && !(isTaken && role === 'system'),
      )
      return bad < 0 ? undefined : { message: bad }
    },
  },
  {
    name: 'message-empty',
    row: 12,
    text: 'messages.{message}: all messages must have non-empty content except for the optional final assistant message',
    check: ({ raw }) => {
      const bad = raw.findIndex(
        ({ content, role, output_config: effort }, at) =>
          (content === '' || (Array.isArray(content) && content.length === 0)) &&
          !(at === raw.length - 1 && role === 'assistant') &&
          !(role === 'system' && isObject(effort)),
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
]

export const PAIR_RULES: readonly Rule[] = [
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
]

export const END_RULES: readonly Rule[] = [
  {
    name: 'prefill',
    row: 17,
    text: 'This model does not support assistant message prefill. The conversation must end with a user message.',
    check: ({ turns, card, paused, request }) =>
      when(turns.at(-1)?.role === 'assistant' && !card.habits.prefill && !paused && !asksToCompact(request)),
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
