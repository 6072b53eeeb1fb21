/**
 * How a caller's request relates to the recorded conversation: it goes on from it, goes back and on from an earlier
 * point, or has nothing in common with it.
 *
 * 1. Messages are compared by meaning, as the API does: key order, cache markers, fields without a value and the short
 *    form of text do not matter.
 * 2. A recorded answer counts as the same when the caller's copy ends with what it said: a caller may hold blocks of a
 *    broken attempt before it, and may have left its thinking out. What is sent on is the recorded one.
 */
import type { Block, Message } from './journal.ts'

export type Continuation =
  /** All that is recorded, and `added` after it. `exact` when the caller's own words say the same. */
  | { kind: 'extends'; added: Message[]; exact: boolean }
  /** The first `kept` recorded messages, and `added` after them. */
  | { kind: 'rewinds'; kept: number; added: Message[]; exact: boolean }
  | { kind: 'unrelated' }

export function continuationOf(recorded: readonly Message[], incoming: readonly Message[]): Continuation {
  let same = 0
  let exact = true
  for (; same < recorded.length && same < incoming.length; same += 1) {
    const [ours, theirs] = [recorded[same], incoming[same]]
    if (!ours || !theirs) break
    if (JSON.stringify(ours) === JSON.stringify(theirs) || meaning(ours) === meaning(theirs)) continue
    if (!isSameAnswer(ours, theirs)) break
    exact = false
  }
  const added = incoming.slice(same)
  if (same === recorded.length) return { kind: 'extends', added, exact }
  return same === 0 ? { kind: 'unrelated' } : { kind: 'rewinds', kept: same, added, exact }
}

function isSameAnswer(ours: Message, theirs: Message): boolean {
  if (ours.role !== 'assistant' || theirs.role !== 'assistant') return false
  const [said, heard] = [spokenBlocks(ours), spokenBlocks(theirs)]
  return said.length > 0 && said.every((block, i) => block === heard[heard.length - said.length + i])
}

/** The meaning of each block that is not thinking. */
function spokenBlocks(message: Message): string[] {
  return blocksOf(message)
    .filter(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
    .map((block) => JSON.stringify(block, onlyMeaning))
}

/** The message as one text in which only meaning is left. */
function meaning(message: Message): string {
  return `${message.role} ${JSON.stringify(blocksOf(message), onlyMeaning)}`
}

function blocksOf({ content }: Message): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function onlyMeaning(key: string, value: unknown): unknown {
  if (key === 'cache_control' || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
