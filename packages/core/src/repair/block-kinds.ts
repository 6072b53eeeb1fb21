/** Blocks by kind, and a message made of them. */
import type { Block, Message } from '../journal/journal.ts'
import { pausesTurn } from '../journal/answer.ts'
import { blocksOf, isCall, isServerCall } from '../journal/message.ts'
import { isRecord } from '../json.ts'

/** The message with these blocks; the same message if they are the ones it has. */
export function withBlocks(message: Message, blocks: readonly Block[]): Message {
  const before = blocksOf(message)
  const isSame = blocks.length === before.length && blocks.every((block, at) => block === before[at])
  return isSame || (typeof message.content === 'string' && isThatText(message.content, blocks))
    ? message
    : { ...message, content: [...blocks] }
}

function isThatText(content: string, blocks: readonly Block[]): boolean {
  const [only, ...others] = blocks
  return others.length === 0 && only?.type === 'text' && only['text'] === content && Object.keys(only).length === 2
}

export const textBlock = (text: string): Block => ({ type: 'text', text })

const isText = ({ type }: Block): boolean => type === 'text'
export const isResult = ({ type }: Block): boolean => type === 'tool_result'
export const isServerResult = ({ type }: Block): boolean => type !== 'tool_result' && type.endsWith('_tool_result')

/**
 * Whether the message does nothing but set the effort from there on: it then has no content and may stand anywhere.
 * https://platform.claude.com/docs/en/build-with-claude/effort-per-message
 */
export const setsEffort = (message: Message): boolean =>
  message.role === 'system' && blocksOf(message).length === 0 && isRecord(message['output_config'])

/** The field's text; '' if it is none. */
export function textIn(block: Readonly<Record<string, unknown>>, field: string): string {
  const value = block[field]
  return typeof value === 'string' ? value : ''
}

export const idOf = (block: Block): string => textIn(block, 'id')
export const callIdOf = (block: Block): string => textIn(block, 'tool_use_id')

export const callIdsOf = (message: Message | undefined): string[] =>
  message?.role === 'assistant' ? blocksOf(message).filter(isCall).map(idOf) : []

/** Whether the answer ends in the middle of the server's own work: sent back as it is, the server continues it. */
export function isPaused(message: Message | undefined, stopReason?: string | null): boolean {
  const last = message && blocksOf(message).at(-1)
  if (message?.role !== 'assistant' || !last) return false
  return (
    pausesTurn({ stop_reason: stopReason }) || isServerCall(last) || (isServerResult(last) && stopReason === undefined)
  )
}

/** The content of a block, as blocks that may stand anywhere. */
export function inWords(block: Block): readonly Block[] {
  const { content } = block
  if (typeof content === 'string') return content.trim() === '' ? [] : [textBlock(content)]
  if (!Array.isArray(content)) return []
  return (content as readonly Block[]).filter((inner) => !isText(inner) || String(inner['text']).trim() !== '')
}
