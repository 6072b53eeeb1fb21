/**
 * What the `usage` of an answer counts, in tokens.
 *
 * 1. Its sums are those of the answer. What the server did besides, a compaction or the question to an advisor, is in its
 *    `iterations` alone, and billed as they are. An answer that is nothing but a compaction has sums of zero.
 *    https://platform.claude.com/docs/en/build-with-claude/compaction-on-demand#understanding-usage
 */
import { isRecord, recordsIn } from '../json.ts'

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

/**
 * What `usage` comes to in full-price input tokens: output counts five times, a cache write for five minutes 1.25, one
 * for an hour 2, and a cache read 0.1 times. https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function costOf(usage: Usage | undefined): number {
  const billed = billedUsage(usage)
  return Math.round(
    count(billed, 'input_tokens') +
      5 * count(billed, 'output_tokens') +
      1.25 * count(billed, 'cache_creation_input_tokens') +
      0.75 * count(createdIn(billed), 'ephemeral_1h_input_tokens') +
      0.1 * count(billed, 'cache_read_input_tokens'),
  )
}
