/**
 * What this process has recorded lately, for a store that forgets what it acknowledged: a Redis that restarts from a
 * snapshot, or fails over to a replica that lagged behind.
 *
 * 1. Under a lease that is still ours nobody can have continued from the shorter journal, so the lost entries may be
 *    appended again: they are the same facts, in the same place. The store checks the lease in that append.
 * 2. Lost entries are given whole or not at all: a journal is never continued over a gap.
 */
import type { Clock } from '../clock.ts'
import { isLastgoodError } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'

/**
 * A Redis without an append-only file saves a snapshot an hour after a change at the latest, if it is set up as usual:
 * `save 3600 1 300 100 60 10000` of https://github.com/redis/redis/blob/7.2/redis.conf
 */
const keptMs = 3_600_000

/** Entries from `afterSeq + 1` on. */
export interface LostEntries {
  readonly afterSeq: number
  readonly entries: readonly Entry[]
}

export class RecentEntries {
  readonly #clock: Clock
  /** Those of one append each, in order, with the instant when it was acknowledged. */
  readonly #appends: { readonly since: number; readonly entries: readonly Entry[] }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(entries: readonly Entry[]): void {
    const now = this.#clock.elapsed()
    while (this.#appends[0] && now - this.#appends[0].since > keptMs) this.#appends.shift()
    this.#appends.push({ since: now, entries })
  }

  /** What a store has lost that refuses an append with this error; undefined if that is something else, or unknown. */
  lostBy(error: unknown): LostEntries | undefined {
    if (!isLastgoodError(error, 'journal-conflict')) return undefined
    const { seq: afterSeq } = error.details
    if (typeof afterSeq !== 'number') return undefined
    const entries = this.#appends.flatMap((one) => one.entries).filter(({ seq }) => seq > afterSeq)
    return entries[0]?.seq === afterSeq + 1 ? { afterSeq, entries } : undefined
  }
}
