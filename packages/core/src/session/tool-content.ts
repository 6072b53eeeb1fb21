/** The content that the model gets, made from whatever a tool's code returned. Pure. */
import { messageOf } from '../errors.ts'
import type { Block } from '../journal/journal.ts'
import { areBlocks } from '../journal/surely.ts'

/** Text, or content blocks as the API takes them in a `tool_result`. */
export type ToolContent = string | Block[]

/**
 * Untyped code may return anything; a tool that did its work and returns nothing has not failed. Errors: for what JSON
 * cannot express.
 */
export function toolContent(value: unknown): ToolContent {
  if (typeof value === 'string') return value
  const text = textOf(value)
  if (text === undefined || !Array.isArray(value)) return text ?? ''
  // As it will be read back: what JSON omits or changes is not part of it.
  const blocks = JSON.parse(text) as unknown[]
  return areBlocks(blocks) ? blocks : text
}

/** Undefined for what JSON leaves out. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // The message must not read as if the call did nothing (P2).
    throw new Error(`the tool did run, but its output cannot be written as JSON: ${messageOf(error)}`, { cause: error })
  }
}
