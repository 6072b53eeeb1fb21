/**
 * How a caller's request relates to the recorded conversation: it goes on from it, goes back and on from an earlier
 * point, or is about something else.
 *
 * 1. Messages are compared by meaning, as the API does: key order, cache markers and the short form of text do not matter.
 * 2. A caller who saw blocks of a broken attempt still holds them before the recorded answer; that counts as the same.
 * 3. Nothing in common with a recorded conversation is a side request, never a rewind to the beginning.
 */
import type { Message } from './journal.ts'

export type Continuation =
  /** All that is recorded, and `added` after it. `exact` when the caller's own bytes say the same. */
  | { kind: 'extends'; added: Message[]; exact: boolean }
  /** The first `kept` recorded messages, and `added` after them. */
  | { kind: 'rewinds'; kept: number; added: Message[]; exact: boolean }
  | { kind: 'unrelated' }

/** Blocks of broken attempts that the caller's accumulator holds before the recorded content, by message index. */
export type Leftovers = ReadonlyMap<number, number>

export function continuationOf(
  recorded: readonly Message[],
  incoming: readonly Message[],
  leftovers: Leftovers = new Map(),
): Continuation {
  let same = 0
  let exact = true
  for (; same < recorded.length && same < incoming.length; same += 1) {
    const [ours, theirs] = [recorded[same] as Message, incoming[same] as Message]
    if (sameMessage(ours, theirs)) continue
    if (!sameMessage(ours, withoutLeftovers(theirs, leftovers.get(same) ?? 0))) break
    exact = false
  }
  const added = incoming.slice(same)
  if (same === recorded.length) return { kind: 'extends', added, exact }
  return same === 0 ? { kind: 'unrelated' } : { kind: 'rewinds', kept: same, added, exact }
}

function withoutLeftovers(message: Message, blocks: number): Message {
  return blocks > 0 && Array.isArray(message.content) ? { ...message, content: message.content.slice(blocks) } : message
}

function sameMessage(a: Message, b: Message): boolean {
  return JSON.stringify(a) === JSON.stringify(b) || meaning(a) === meaning(b)
}

/** The message as one text in which only meaning is left. */
function meaning({ role, content }: Message): string {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return `${role} ${JSON.stringify(blocks, onlyMeaning)}`
}

function onlyMeaning(key: string, value: unknown): unknown {
  if (key === 'cache_control') return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
