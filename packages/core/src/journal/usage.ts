/**
 * What the `usage` of an answer counts, in tokens.
 *
 * 1. Its sums are those of the answer. What the server did besides, a compaction or the question to an advisor, is in its
 *    `iterations` alone, and billed as they are. An answer that is nothing but a compaction has sums of zero.
 *    https://platform.claude.com/docs/en/build-with-claude/compaction-on-demand#understanding-usage
 */
import { isRecord, recordsIn } from '../json.ts'
import type { Entry } from './journal.ts'

export type Usage = Readonly<Record<string, unknown>>

export const iterationsIn = (usage: Usage | undefined): readonly Usage[] => recordsIn(usage?.['iterations'])

/** `usage` with counts of all that was billed. */
export function billedUsage(usage: Usage = {}): Usage {
  const iterations = iterationsIn(usage)
  if (iterations.length === 0) return usage
  const created = summed(createdIn(usage), iterations.map(createdIn))
  return { ...usage, ...summed(usage, iterations), cache_creation: created }
}

const createdIn = ({ cache_creation: created }: Usage): Usage => (isRecord(created) ? created : {})

/** The counts of all `parts`; those of `whole` where the parts do not tell as much. */
function summed(whole: Usage, parts: readonly Usage[]): Usage {
  const names = new Set([whole, ...parts].flatMap((one) => Object.keys(one)).filter(isCount))
  const total = (name: string) => parts.reduce((sum, part) => sum + count(part, name), 0)
  return Object.fromEntries(Array.from(names, (name) => [name, Math.max(count(whole, name), total(name))]))
}

const isCount = (name: string): boolean => name.endsWith('_tokens')

function count(counts: Usage | undefined, name: string): number {
  const value = counts?.[name]
  return typeof value === 'number' ? value : 0
}

/** Whether a cost above zero is reported; undefined when there are no token counts at all. */
export function isBilled(usage: Usage | undefined): boolean | undefined {
  const counts = Object.entries(billedUsage(usage)).filter(
    ([name, value]) => isCount(name) && typeof value === 'number',
  )
  return counts.length === 0 ? undefined : counts.some(([, value]) => Number(value) > 0)
}

/** Times the full price of input: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
export const cacheRates = { read: 0.1, write: { '5m': 1.25, '1h': 2 } } as const
export type CacheLife = keyof typeof cacheRates.write

export interface TokenCounts {
  /** All input, whether it was in the prompt cache or not. */
  readonly input: number
  readonly cacheRead: number
  readonly cacheWritten: number
  /** What was written to the cache, by how long it lasts. */
  readonly writtenFor: Readonly<Record<CacheLife, number>>
  readonly output: number
}

/** A count that is missing or not a number is 0. */
export function tokensIn(usage: Usage = {}): TokenCounts {
  const created = createdIn(usage)
  const forAnHour = count(created, 'ephemeral_1h_input_tokens')
  const told = forAnHour + count(created, 'ephemeral_5m_input_tokens')
  const cacheWritten = Math.max(count(usage, 'cache_creation_input_tokens'), told)
  const cacheRead = count(usage, 'cache_read_input_tokens')
  return {
    input: count(usage, 'input_tokens') + cacheRead + cacheWritten,
    cacheRead,
    cacheWritten,
    writtenFor: { '5m': cacheWritten - forAnHour, '1h': forAnHour },
    output: count(usage, 'output_tokens'),
  }
}

/**
 * What the model read first and last for an answer: its sums count the conversation again after each use of a server's
 * tool.
 */
export function readsIn(usage: Usage = {}): { first: TokenCounts; last: TokenCounts } {
  const reads = iterationsIn(usage).filter(({ type }) => type === 'message' || type === 'fallback_message')
  return { first: tokensIn(reads[0] ?? usage), last: tokensIn(reads.at(-1) ?? usage) }
}

/** What the cache writes come to in full-price input tokens. */
export const costOfWriting = ({ writtenFor }: TokenCounts): number =>
  cacheRates.write['5m'] * writtenFor['5m'] + cacheRates.write['1h'] * writtenFor['1h']

/** What `usage` comes to in full-price input tokens: output counts five times. */
export function costOf(usage: Usage | undefined): number {
  const counts = tokensIn(billedUsage(usage))
  const { input, cacheRead, cacheWritten, output } = counts
  const uncached = input - cacheRead - cacheWritten
  return Math.round(uncached + cacheRates.read * cacheRead + costOfWriting(counts) + 5 * output)
}

/** The cost of a failed attempt of which no answer is recorded. The answer that is kept of one has its own usage. */
export function lostIn(entry: Entry): number {
  if (entry.type !== 'fault-observed') return 0
  const { fault, decision } = entry
  const isRecorded = decision.kind === 'keep-and-continue' && fault.complete !== 'text'
  return isRecorded ? 0 : (fault.tokens ?? 0)
}
