/**
 * A list of messages as the API reads it: neighbours of one role are one turn, string content is one text block.
 *
 * 1. What a change leaves alone stays the same object.
 * 2. An answer that keeps nothing but thinking, or keeps thinking at its end, was changed into something that no model
 *    said: that thinking goes too.
 */
import type { Block, Message } from '../journal.ts'
import { count, isThinking } from './request/blocks.ts'
import type { Mend, Mended } from './rule.ts'

/** The messages from `from` up to, not including, `to`. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Turn extends Span {
  readonly role: string
}

export function turnsOf(messages: readonly Message[]): readonly Turn[] {
  const turns: { role: string; from: number; to: number }[] = []
  messages.forEach(({ role }, at) => {
    const last = turns.at(-1)
    if (last?.role === role) last.to = at + 1
    else turns.push({ role, from: at, to: at + 1 })
  })
  return turns
}

export function blocksOf({ content }: Message): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

export function blocksIn(messages: readonly Message[], { from, to }: Span): readonly Block[] {
  return messages.slice(from, to).flatMap(blocksOf)
}

export const isCall = ({ type }: Block): boolean => type === 'tool_use'
export const isResult = ({ type }: Block): boolean => type === 'tool_result'
/** Of a tool that the API runs. */
export const isServerCall = ({ type }: Block): boolean => type === 'server_tool_use' || type === 'mcp_tool_use'
export const isServerResult = ({ type }: Block): boolean => type.endsWith('_tool_result')

export const callId = (block: Block): string => String(block['id'])
export const resultId = (block: Block): string => String(block['tool_use_id'])

export const isBlankText = ({ type, text }: Block): boolean =>
  type === 'text' && (typeof text !== 'string' || text.trim() === '')

export const textBlock = (text: string): Block => ({ type: 'text', text })

export const userMessage = (content: Message['content']): Message => ({ role: 'user', content })

export function withBlocks(message: Message, blocks: readonly Block[]): Message {
  return { ...message, content: [...blocks] }
}

export interface Rewrite {
  readonly blocks: readonly Block[]
  readonly what: string
  readonly removed?: readonly Block[]
}

/** The messages with other blocks where `change` gives some. A message that is left without any is not sent. */
export function rewrite(
  messages: readonly Message[],
  change: (blocks: readonly Block[], message: Message, at: number) => Rewrite | undefined,
): Mended {
  const mends: Mend[] = []
  const rewritten = messages.flatMap((message, at) => {
    const changed = change(blocksOf(message), message, at)
    if (!changed) return [message]
    const { what, removed = [] } = changed
    const { kept, lost } = removed.length > 0 ? settled(message, changed.blocks) : { kept: changed.blocks, lost: [] }
    mends.push({ message: at, what, ...(removed.length > 0 && { removed: [...removed, ...lost] }) })
    return kept.length > 0 ? [withBlocks(message, kept)] : []
  })
  return mends.length > 0 ? { messages: rewritten, mends } : { mends }
}

/** The messages without the blocks for which `isBad` says so; `what` is told how many there were in one message. */
export function dropBlocks(
  messages: readonly Message[],
  isBad: (block: Block, message: Message, at: number, index: number) => boolean,
  what: (dropped: readonly Block[]) => string,
): Mended {
  return rewrite(messages, (blocks, message, at) => {
    const removed = blocks.filter((block, index) => isBad(block, message, at, index))
    if (removed.length === 0) return undefined
    return { blocks: blocks.filter((block, index) => !isBad(block, message, at, index)), removed, what: what(removed) }
  })
}

function settled({ role }: Message, blocks: readonly Block[]): { kept: readonly Block[]; lost: readonly Block[] } {
  const end = role === 'assistant' ? blocks.findLastIndex((block) => !isThinking(block)) + 1 : blocks.length
  return { kept: blocks.slice(0, end), lost: blocks.slice(end) }
}

/** `2 text blocks, 1 tool_use block`. */
export function countByType(blocks: readonly Block[]): string {
  const types = [...new Set(blocks.map(({ type }) => type))]
  return types.map((type) => count(blocks.filter((block) => block.type === type).length, `${type} block`)).join(', ')
}
