/** What a tool gives the model, of whatever its code returned. Pure. */
import { messageOf } from '../errors.ts'
import type { Block } from '../journal/journal.ts'
import { areBlocks } from '../journal/surely.ts'

/** Text, or content blocks as the API takes them in a `tool_result`. */
export type ToolContent = string | Block[]

/** Code without types returns anything; a tool that did its work and says nothing has not failed. Errors: what JSON cannot say. */
export function toolContent(value: unknown): ToolContent {
  if (typeof value === 'string') return value
  const text = textOf(value)
  if (text === undefined || !Array.isArray(value)) return text ?? ''
  // As it will be read back: what JSON leaves out or writes otherwise is no part of it.
  const blocks = JSON.parse(text) as unknown[]
  return areBlocks(blocks) ? blocks : text
}

/** Undefined for what JSON leaves out. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // Whoever reads it must not take it for a call that did nothing (P2).
    throw new Error(`the tool did run, but its output cannot be written as JSON: ${messageOf(error)}`, { cause: error })
  }
}
