/**
 * What is left of a reply where output is limited, by `max_tokens` or by the end of the context window.
 * 1. Text and thinking are cut where the limit is; a call keeps its place, and the JSON of its arguments breaks off.
 * 2. A block of which nothing would be left is dropped.
 */
import type { Block } from './conversation.ts'
import { stringOf } from './json.ts'
import type { Reply, StopReason } from './reply.ts'
import { CHARS_PER_TOKEN, tokensOf } from './tokens.ts'

export interface LimitedReply extends Reply {
  /** The arguments of the last call, as far as they go. */
  readonly partialInput?: string
}

export interface OutputLimits {
  readonly maxTokens: number
  /** What the context window has left. */
  readonly windowTokens: number
}

export function limitReply(reply: Reply, { maxTokens, windowTokens }: OutputLimits): LimitedReply {
  const stopReason: StopReason = windowTokens < maxTokens ? 'model_context_window_exceeded' : 'max_tokens'
  let left = Math.max(0, Math.min(maxTokens, windowTokens))
  for (const [at, block] of reply.blocks.entries()) {
    const words = wordsOf(block)
    const cost = tokensOf(words ?? block)
    if (cost <= left) {
      left -= cost
      continue
    }
    const part = (words ?? '').slice(0, left * CHARS_PER_TOKEN).replace(/[\ud800-\udbff]$/, '')
    const blocks = reply.blocks.slice(0, at)
    if (part.trim() === '') return { blocks, stopReason }
    if (!calls(block)) return { blocks: [...blocks, { ...block, [block.type]: part }], stopReason }
    return { blocks: [...blocks, { ...block, input: {} }], stopReason, partialInput: part }
  }
  return reply
}

/** The text of a block that can be cut; undefined for a block that comes whole or not at all. */
function wordsOf(block: Block): string | undefined {
  if (calls(block)) return JSON.stringify(block['input'] ?? {})
  return block.type === 'text' || block.type === 'thinking' ? stringOf(block[block.type]) : undefined
}

function calls(block: Block): boolean {
  return block.type === 'tool_use' || block.type === 'server_tool_use'
}
