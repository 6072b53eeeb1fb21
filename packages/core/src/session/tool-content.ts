/** What a tool gives the model, of whatever its code returned. Pure. */
import type { Block } from '../journal/journal.ts'
import { areBlocks } from '../journal/surely.ts'

/** Text, or content blocks as the API takes them in a `tool_result`. */
export type ToolContent = string | Block[]

/** Code without types returns anything; a tool that did its work and says nothing has not failed. Errors: what JSON cannot say. */
export function toolContent(value: unknown): ToolContent {
  if (typeof value === 'string') return value
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined || !Array.isArray(value)) return text ?? ''
  // As it will be read back: what JSON leaves out or writes otherwise is no part of it.
  const blocks = JSON.parse(text) as unknown[]
  return areBlocks(blocks) ? blocks : text
}
