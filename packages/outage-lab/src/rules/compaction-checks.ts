/**
 * Checks of `compaction` blocks.
 * 1. A block that was asked for is signed and is the first of the conversation. One that the server made on its own, by
 *    `context_management`, has `encrypted_content` and may stand in any assistant message.
 * 2. A block without content is a failed compaction: it is ignored.
 */
import type { CompactionFault } from '../signature.ts'
import { checkCompaction } from '../signature.ts'
import { isObject } from '../json.ts'
import { place, type Found, type RoledBlock, type Transcript } from '../transcript.ts'

export function findEmptyCompaction({ blocks }: Transcript): Found | undefined {
  const bad = blocks.find(({ block }) => block.type === 'compaction' && block['content'] === '')
  return bad && { path: place(bad) }
}

export function findBadCompaction(kind: CompactionFault): (transcript: Transcript) => Found | undefined {
  return ({ blocks }) => {
    const bad = askedFor(blocks).find(({ block }) => checkCompaction(block) === kind)
    return bad && { path: place(bad) }
  }
}

export function findManyCompactions({ blocks }: Transcript): Found | undefined {
  const [, second] = askedFor(blocks)
  return second && { path: place(second) }
}

export function findMisplacedCompaction({ blocks }: Transcript): Found | undefined {
  const bad = askedFor(blocks).find((placed) => placed !== blocks[0] || placed.role === 'system')
  return bad && { path: place(bad) }
}

/** A request to compact must end with a whole turn. */
export function findIncompleteTurn({ request, turns, paused }: Transcript): Found | undefined {
  const last = turns.at(-1)
  if (!asksToCompact(request) || last?.role !== 'assistant') return undefined
  return paused || last.blocks.some(({ block }) => block.type === 'tool_use') ? {} : undefined
}

export function findNothingToCompact({ request, blocks }: Transcript): Found | undefined {
  const content = blocks.some(({ block, role }) => role !== 'system' && block.type !== 'compaction')
  return asksToCompact(request) && !content ? {} : undefined
}

export function asksToCompact(request: Transcript['request']): boolean {
  return isObject(request['compaction'])
}

function askedFor(blocks: readonly RoledBlock[]): readonly RoledBlock[] {
  return blocks.filter(
    ({ block }) =>
      block.type === 'compaction' &&
      typeof block['content'] === 'string' &&
      (typeof block['signature'] === 'string' || typeof block['encrypted_content'] !== 'string'),
  )
}
