/**
 * How a caller's request relates to the recorded conversation: it goes on from its end, goes on from an earlier point,
 * or has nothing in common with it.
 *
 * 1. Messages are compared by meaning, as the API does: key order, cache markers, fields without a value and the short
 *    form of text do not matter.
 * 2. A recorded answer counts as the same when the caller's copy has all of it in order and ends with it: the copy may
 *    have blocks of broken attempts in between, and may lack what clients lose: thinking, citations, the input of a
 *    server's tool. The recorded answer is the one sent on.
 */
import type { Block, Message } from './journal.ts'
import { blocksOf, isServerCall, isThinking } from './message.ts'

export interface Continuation {
  /** How many recorded messages are the same; all of them when the request goes on from the end. */
  kept: number
  /** The request's messages, with the recorded answer wherever the caller's copy of it differs. */
  resolved: Message[]
  /** No message of the caller had to be replaced by the recorded one. */
  exact: boolean
}

export function continuationOf(recorded: readonly Message[], incoming: readonly Message[]): Continuation {
  const resolved = [...incoming]
  let kept = 0
  let exact = true
  for (; kept < recorded.length && kept < incoming.length; kept += 1) {
    const [ours, theirs] = [recorded[kept], incoming[kept]]
    if (!ours || !theirs) break
    const sameness = samenessOf(ours, theirs)
    if (sameness === 'other') break
    if (sameness === 'exact') continue
    resolved[kept] = ours
    exact = false
  }
  return { kept, resolved, exact }
}

type Sameness = 'exact' | 'says the same' | 'other'

/** Remembers comparisons: a caller may send the same message objects again. */
const found = new WeakMap<Message, { ours: Message; sameness: Sameness }>()

function samenessOf(ours: Message, theirs: Message): Sameness {
  if (ours === theirs) return 'exact'
  const before = found.get(theirs)
  if (before?.ours === ours) return before.sameness
  const sameness = isSameMessage(ours, theirs) ? 'exact' : isSameAnswer(ours, theirs) ? 'says the same' : 'other'
  found.set(theirs, { ours, sameness })
  return sameness
}

function isSameMessage(ours: Message, theirs: Message): boolean {
  return (
    ours.role === theirs.role &&
    meansTheSame(blocksOf(ours), blocksOf(theirs)) &&
    // A system message may consist of nothing but the effort that it sets.
    meansTheSame(ours['output_config'] ?? null, theirs['output_config'] ?? null)
  )
}

function isSameAnswer(ours: Message, theirs: Message): boolean {
  if (ours.role !== 'assistant' || theirs.role !== 'assistant') return false
  const [said, heard] = [spokenBlocks(ours), spokenBlocks(theirs)]
  if (said.length === 0) return endsWith(blocksOf(theirs), blocksOf(ours))
  if (!saysTheSame(said.at(-1), heard.at(-1))) return false
  // A last block that is a call has an id of its own: then a client may have joined text with that of a broken attempt.
  const isSurely = said.at(-1)?.type === 'tool_use'
  let at = 0
  for (const block of heard) {
    const ours = said[at]
    if (ours && (saysTheSame(ours, block) || (isSurely && endsWithTextOf(ours, block)))) at += 1
  }
  return at === said.length
}

/** LangChain loses the input of a server's tool in a stream, and the Vercel AI SDK the citations of a text. */
function saysTheSame(ours: Block | undefined, theirs: Block | undefined): boolean {
  if (!ours || !theirs) return false
  if (meansTheSame(ours, theirs)) return true
  const field = isServerCall(ours) ? 'input' : 'citations'
  const isLost = Object.keys(theirs[field] ?? {}).length === 0
  return isLost && ours.type === theirs.type && meansTheSame(ours, { ...theirs, [field]: ours[field] })
}

/** An answer that is nothing but thinking has to be there in full. */
const endsWith = (theirs: readonly Block[], ours: readonly Block[]): boolean =>
  ours.length > 0 && meansTheSame(ours, theirs.slice(-ours.length))

const endsWithTextOf = (ours: Block, theirs: Block): boolean =>
  ours.type === 'text' && theirs.type === 'text' && String(theirs['text']).endsWith(String(ours['text']))

const spokenBlocks = (message: Message): Block[] => blocksOf(message).filter((block) => !isThinking(block))

/** Whether two JSON values mean the same to the API. Walks them side by side: each request has a history to compare. */
export function meansTheSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => meansTheSame(value, b[i]))
    )
  }
  const [ours, theirs] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const isSame = (field: string) => !hasMeaning(field, ours[field]) || meansTheSame(ours[field], theirs[field])
  return (
    Object.keys(ours).every(isSame) &&
    Object.keys(theirs).every((field) => hasMeaning(field, ours[field]) || !hasMeaning(field, theirs[field]))
  )
}

function hasMeaning(field: string, value: unknown): boolean {
  return value !== null && value !== undefined && field !== 'cache_control'
}
