/**
 * Checks of calls against results.
 * 1. The results of a turn stand in the message right after it, as sent: the API's merging of messages does not rejoin
 *    results that a client has split.
 * 2. A call of a server tool may stand after the last call of a client tool: it waits for the results.
 */
import type { PlacedBlock } from '../conversation.ts'
import { stringOf } from '../json.ts'
import { place, type Found, type Transcript } from '../transcript.ts'

type Pairing = 'multiple' | 'orphan' | 'missing' | 'split' | 'late' | 'trailing'

export function findPairing(kind: Pairing): (transcript: Transcript) => Found | undefined {
  return ({ turns }) => {
    for (const [at, turn] of turns.entries()) {
      if (turn.role === 'user') {
        const found =
          kind === 'orphan' || kind === 'multiple'
            ? inResults(kind, turn.blocks, callIds(turns[at - 1]?.blocks ?? []))
            : undefined
        if (found) return found
      }
      if (turn.role !== 'assistant') continue
      const next = turns[at + 1]
      const ids = callIds(turn.blocks)
      const found =
        ids.length > 0 && next ? inCalls(kind, turn.blocks, ids, next.role === 'user' ? next.blocks : []) : undefined
      if (found) return found
    }
    return undefined
  }
}

function inResults(
  kind: 'orphan' | 'multiple',
  blocks: readonly PlacedBlock[],
  calls: readonly string[],
): Found | undefined {
  const results = blocks.filter(({ block }) => block.type === 'tool_result')
  const bad = results.find(({ block }, at) =>
    kind === 'orphan'
      ? !calls.includes(stringOf(block['tool_use_id']))
      : results.findIndex((other) => other.block['tool_use_id'] === block['tool_use_id']) < at,
  )
  return bad && { path: place(bad), id: stringOf(bad.block['tool_use_id']) }
}

function inCalls(
  kind: Pairing,
  blocks: readonly PlacedBlock[],
  ids: readonly string[],
  next: readonly PlacedBlock[],
): Found | undefined {
  const results = next.filter(({ block }) => block.type === 'tool_result')
  const lastCall = blocks.findLast(({ block }) => block.type === 'tool_use')
  const found = (bad: readonly string[]): Found | undefined =>
    bad.length > 0 ? { message: lastCall?.message ?? 0, ids: bad.join(', ') } : undefined
  if (kind === 'missing') return found(ids.filter((id) => !answered(results, id)))
  if (kind === 'split') {
    const together = results.filter(({ message }) => message === next[0]?.message)
    return found(ids.filter((id) => !answered(together, id)))
  }
  if (kind === 'late') {
    const firstOther = next.findIndex(({ block }) => block.type !== 'tool_result')
    const late = firstOther < 0 ? [] : next.slice(firstOther).filter(({ block }) => block.type === 'tool_result')
    return found(ids.filter((id) => answered(late, id)))
  }
  const after = lastCall ? blocks.slice(blocks.indexOf(lastCall) + 1) : []
  return kind === 'trailing' && after.some(({ block }) => block.type !== 'server_tool_use') ? found(ids) : undefined
}

function answered(results: readonly PlacedBlock[], id: string): boolean {
  return results.some(({ block }) => block['tool_use_id'] === id)
}

function callIds(blocks: readonly PlacedBlock[]): readonly string[] {
  return blocks.filter(({ block }) => block.type === 'tool_use').map(({ block }) => stringOf(block['id']))
}
