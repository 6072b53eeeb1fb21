/** What the server has done or holds: its own tools, compaction, other models that stepped in. */
import { isThinking } from '../conversation.ts'
import type { Rule } from './rule.ts'
import {
  findBadCompaction,
  findEmptyCompaction,
  findIncompleteTurn,
  findManyCompactions,
  findMisplacedCompaction,
  findNothingToCompact,
} from './compaction-checks.ts'
import {
  findMissingServerTool,
  findOtherThanResults,
  findUnansweredServerCall,
  findUnknownCaller,
  findUnknownReference,
  findUnknownServerResult,
} from './server-tool-checks.ts'
import { place } from '../transcript.ts'

/** Blocks that mark a border: what is before them belongs to another conversation or another model. */
export const BORDER_RULES: readonly Rule[] = [
  {
    name: 'fallback-before',
    row: 42,
    own: true,
    text: '{path}: a `{type}` block of the model that declined cannot stand before a `fallback` block',
    check: ({ turns }) => {
      for (const { role, blocks } of turns) {
        const border = blocks.findLastIndex(({ block }) => block.type === 'fallback')
        const bad = blocks
          .slice(0, Math.max(0, border))
          .find(({ block }) => role === 'assistant' && (isThinking(block) || block.type === 'tool_use'))
        if (bad) return { path: place(bad), type: bad.block.type }
      }
      return undefined
    },
  },
  {
    name: 'compaction-empty',
    row: 40,
    own: true,
    text: '{path}.compaction.content: String should have at least 1 character',
    check: findEmptyCompaction,
  },
  {
    name: 'compaction-single',
    row: 40,
    own: true,
    text: '{path}: `messages` can hold only one `compaction` block with content',
    errorCode: 'compaction_block_ambiguous',
    check: findManyCompactions,
  },
  {
    name: 'compaction-first',
    row: 40,
    own: true,
    text: '{path}: a `compaction` block must be the first block of the conversation',
    errorCode: 'compaction_block_misplaced',
    check: findMisplacedCompaction,
  },
  {
    name: 'compaction-signature',
    row: 40,
    own: true,
    text: '{path}: Invalid `signature` in `compaction` block',
    errorCode: 'compaction_signature_invalid',
    check: findBadCompaction('signature'),
  },
  {
    name: 'compaction-content',
    row: 40,
    own: true,
    text: '{path}: the `content` of the `compaction` block is not the one that was signed',
    errorCode: 'compaction_content_mismatch',
    check: findBadCompaction('content'),
  },
  {
    name: 'compaction-nothing',
    row: 40,
    own: true,
    text: 'compaction: there is nothing to summarize',
    errorCode: 'compaction_nothing_to_summarize',
    check: findNothingToCompact,
  },
  {
    name: 'compaction-turn',
    row: 40,
    own: true,
    text: 'compaction: the last assistant turn is not finished',
    errorCode: 'compaction_incomplete_turn',
    check: findIncompleteTurn,
  },
]

export const SERVER_RULES: readonly Rule[] = [
  {
    name: 'paused-unchanged',
    row: 27,
    own: true,
    text: 'messages.{message}: the content of a paused turn must be sent back unchanged',
    check: ({ turns, pause }) => (pause === 'changed' ? { message: turns.at(-1)?.message ?? 0 } : undefined),
  },
  {
    name: 'server-call-answered',
    row: 25,
    text: 'messages.{message}: `{name}` tool use with id `{id}` was found without a corresponding `{result}` block',
    check: findUnansweredServerCall,
  },
  {
    name: 'server-result-known',
    row: 25,
    text: '{path}: unexpected `tool_use_id` found in `{type}` blocks: {id}. Each `{type}` block must have a corresponding `server_tool_use` block before it.',
    check: findUnknownServerResult,
  },
  {
    name: 'pending-results-only',
    row: 26,
    own: true,
    text: '{path}: after a server tool call without a result, a user message can only contain `tool_result` blocks',
    check: findOtherThanResults,
  },
  {
    name: 'pending-tool-declared',
    row: 26,
    text: 'messages.{message}: `{name}` tool use with id `{id}` was found without a corresponding `{result}` block, but no `{name}` tool was provided',
    check: findMissingServerTool,
  },
  {
    name: 'caller-known',
    row: 29,
    text: '{path}: source tool {id} not found for tool use block',
    check: findUnknownCaller,
  },
  {
    name: 'tool-reference-known',
    row: 29,
    own: true,
    text: "{path}: Tool reference '{name}' not found in available tools",
    errorCode: 'tool_reference_unresolved',
    check: findUnknownReference,
  },
]
