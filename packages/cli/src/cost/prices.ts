/**
 * What models cost to read, in USD for a million input tokens. A dated table: prices change, and the configuration file's
 * `prices` come before it.
 *
 * Source: https://platform.claude.com/docs/en/about-claude/pricing
 */
import { isSameModel } from '@lastgood/core'

export interface Price {
  /** USD for a million input tokens at the full price. */
  readonly input: number
  /** Of a request that is longer than so many tokens, all of them cost more. */
  readonly above?: { readonly tokens: number; readonly input: number }
}

export const pricesAsOf = '2026-10-31'

const builtIn: Readonly<Record<string, Price>> = {
  'claude-fable-5-1': { input: 10 },
  'claude-opus-5-5': { input: 4 },
  'claude-opus-5': { input: 5 },
  'claude-sonnet-5-5': { input: 2 },
  'claude-sonnet-5': { input: 2 },
  'claude-haiku-5-5': { input: 0.1, above: { tokens: 100_000, input: 0.5 } },
  'claude-opus-4-8': { input: 5 },
  'claude-opus-4-7': { input: 5 },
  'claude-opus-4-6': { input: 5 },
  'claude-sonnet-4-6': { input: 3 },
}

/** A prompt that is read from the cache, or written to it: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
export const cacheFactors = { read: 0.1, write5m: 1.25, write1h: 2 }

/** Undefined for a model that nobody gave a price. `own` comes first, by the model's name as it is asked for. */
export function priceOf(model: string, own: Readonly<Record<string, Price>> = {}): Price | undefined {
  if (Object.hasOwn(own, model)) return own[model]
  return Object.entries(builtIn).find(([name]) => isSameModel(name, model))?.[1]
}
