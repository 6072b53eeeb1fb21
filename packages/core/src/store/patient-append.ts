/**
 * One append to a store that may not answer.
 *
 * 1. It is tried again with the same entries: idempotent by sequence, so an attempt that was applied unheard is no harm.
 * 2. What is kept apart is durable before the entry that names it. It is kept anew with each attempt: the store that took
 *    it may have been replaced since.
 */
import { fullJitter } from '../backoff.ts'
import { keptApart } from './blobs.ts'
import type { Clock } from '../clock.ts'
import { isLastgoodError } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'
import type { Head, Lease, Store } from './store.ts'

export interface PatientAppend {
  store: Store
  lease: Lease
  afterSeq: number
  entries: readonly Entry[]
  head: Head
  clock: Clock
  /** How long it is tried, ms. */
  patienceMs: number
  /** Ends the waiting between two attempts. */
  signal: AbortSignal
}

/** Errors: those of `Store.append`; `store-unavailable` when the patience has run out. */
export async function appendPatiently(options: PatientAppend): Promise<void> {
  const { store, lease, afterSeq, head, clock, signal } = options
  const kept = options.entries.map(keptApart)
  const stored = kept.map((one) => one.stored)
  const giveUpAt = clock.now() + options.patienceMs
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const { blob } of kept) if (blob) await store.putBlob(lease, blob.name, blob.text)
      await store.append(lease, afterSeq, stored, head)
      return
    } catch (error) {
      const again = clock.now() + fullJitter(attempt, 50, 2_000, clock.random())
      if (!isLastgoodError(error, 'store-unavailable') || again > giveUpAt) throw error
      await clock.sleepUntil(again, { signal })
    }
  }
}
