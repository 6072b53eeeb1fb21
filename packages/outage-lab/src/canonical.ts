/**
 * One spelling for everything that the API treats as equal: signatures and cache keys are made over it.
 * 1. Key order, JSON formatting, `cache_control` and fields that are null do not matter.
 * 2. String content and a list with one text block are the same.
 * 3. A direct `caller` is the same as none: the API adds it to its answers.
 */
import { isObject, type JsonObject } from './json.ts'

export function canonical(value: unknown): string {
  return JSON.stringify(plain(value))
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  const entries = Object.entries(value)
    .filter(([key, field]) => !isDecoration(key, field, value))
    .map(
      ([key, field]) => [key, key === 'content' && typeof field === 'string' ? asBlocks(field) : plain(field)] as const,
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries)
}

function asBlocks(text: string): unknown {
  return [{ text, type: 'text' }]
}

function isDecoration(key: string, field: unknown, owner: JsonObject): boolean {
  if (key === 'cache_control' || field === null || field === undefined) return true
  if (key === 'caller') return isObject(field) && field['type'] === 'direct'
  return key === 'is_error' && field === false && owner['type'] === 'tool_result'
}
