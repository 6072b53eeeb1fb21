/**
 * A tool call in one line, as a person would say it: `run node --test`, `read src/slug.js`. The first text field of the
 * input is enough to identify the call; input without text is shown as JSON.
 */
import { shorten } from './text.ts'

/** `columns` limits the input; the name has 40 more. Both are the model's: control characters are neutralised. */
export function callLabel(name: string, input: unknown, columns: number): string {
  const said = inputLabel(input, columns)
  return said === '' ? shorten(name, 40) : `${shorten(name, 40)} ${said}`
}

export function inputLabel(input: unknown, columns: number): string {
  const values = typeof input === 'object' && input !== null ? Object.values(input) : []
  const text = values.find((value) => typeof value === 'string' && value.trim() !== '')
  if (typeof text === 'string') return shorten(text, columns)
  return values.length === 0 ? '' : shorten(JSON.stringify(input), columns)
}
