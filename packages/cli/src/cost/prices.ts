/**
 * Input prices of models, in USD per million tokens. A dated table: prices change, and the configuration file's
 * `prices` override it.
 *
 * Source: https://platform.claude.com/docs/en/about-claude/pricing
 */
import { isSameModel } from '@lastgood/core'

export interface Price {
  /** USD per million input tokens at the full price. */
  readonly input: number
  /** The price of all tokens of a request that has more than `tokens`. */
  readonly above?: { readonly tokens: number; readonly input: number }
}

/** By requested model name. */
export type Prices = Readonly<Record<string, Price>>

export const pricesAsOf = '2026-10-31'

const builtIn: Prices = {
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

/**
 * USD per million input tokens of a request that has `tokens` of them. `own` comes first, by requested model name.
 * Undefined for a model without a known price.
 */
export function inputPrice(model: string, tokens: number, own: Prices = {}): number | undefined {
  const price = Object.hasOwn(own, model)
    ? own[model]
    : Object.entries(builtIn).find(([name]) => isSameModel(name, model))?.[1]
  return price?.above && tokens > price.above.tokens ? price.above.input : price?.input
}
