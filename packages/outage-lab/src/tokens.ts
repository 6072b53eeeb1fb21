import { canonical } from './canonical.ts'

/** Characters per token; about right for English, and the same on every machine. */
export const CHARS_PER_TOKEN = 4

/** A deterministic approximation of the tokens of a block, tool or text. */
export function tokensOf(value: unknown): number {
  const text = typeof value === 'string' ? value : canonical(value)
  return Math.ceil(text.length / CHARS_PER_TOKEN)
}
