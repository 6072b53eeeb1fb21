/** What an answer's `usage` counts, in tokens. A count that is missing or not a number is 0. Pure. */
import type { CacheLife } from './prices.ts'

export interface Usage {
  /** All input, whether it was in the prompt cache or not. */
  readonly input: number
  readonly cacheRead: number
  readonly cacheWritten: number
  readonly output: number
  /** The lifetime of what was written to the cache. */
  readonly cacheLife: CacheLife
}

export function usageIn(usage: unknown): Usage {
  const cacheRead = count(usage, 'cache_read_input_tokens')
  const cacheWritten = count(usage, 'cache_creation_input_tokens')
  const { cache_creation: created } = (usage ?? {}) as { cache_creation?: unknown }
  return {
    input: count(usage, 'input_tokens') + cacheRead + cacheWritten,
    cacheRead,
    cacheWritten,
    output: count(usage, 'output_tokens'),
    cacheLife: count(created, 'ephemeral_1h_input_tokens') > 0 ? '1h' : '5m',
  }
}

/** Of what the model read last: an answer's sums count again what it read after each use of a server's tool. */
export function lastReadIn(usage: unknown): Usage {
  const { iterations } = (usage ?? {}) as { iterations?: unknown }
  const all = Array.isArray(iterations) ? (iterations as readonly { type?: unknown }[]) : []
  return usageIn(all.findLast((one) => one?.type === 'message' || one?.type === 'fallback_message') ?? usage)
}

function count(counts: unknown, name: string): number {
  const value = ((counts ?? {}) as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'number' ? value : 0
}
