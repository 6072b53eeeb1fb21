/** What a tool gives the model, of whatever its code returned. Pure. */
import { isRecord } from './json.ts'
import type { Block } from './journal.ts'

/** Text, or content blocks as the API takes them in a `tool_result`. */
export type ToolContent = string | Block[]

/** Code without types returns anything; a tool that did its work and says nothing has not failed. Errors: what JSON cannot say. */
export function toolContent(value: unknown): ToolContent {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((block) => isRecord(block) && typeof block['type'] === 'string')) {
    // As it will be read back: what JSON leaves out or writes otherwise is no part of it.
    return JSON.parse(JSON.stringify(value)) as Block[]
  }
  const text = JSON.stringify(value) as string | undefined
  return text ?? ''
}
