/**
 * An append or a renewal on a store that may not answer: it is tried again for as long as the patience lasts.
 *
 * 1. An append is tried again with the same entries. It is idempotent by sequence, so an attempt that was applied without
 *    an acknowledgement does no harm, and none is waited for longer than the patience lasts.
 * 2. A blob is durable before the entry that names it. It is written again with each attempt: the store that took it
 *    may have been replaced since.
 */
import { fullJitter } from '../backoff.ts'
import { noAnswer, shortestLimitMs } from './answering.ts'
import { keptApart } from './blobs.ts'
import type { Clock } from '../clock.ts'
import { isLastgoodError, type LastgoodError } from '../errors.ts'
import { inTime, type Late } from '../in-time.ts'
import type { Entry } from '../journal/journal.ts'
import type { Head } from './head.ts'
import type { Lease, Store } from './store.ts'

/** The lease under which a store is asked, and for how long. */
export interface Asking {
  readonly store: Store
  readonly lease: Lease
  readonly clock: Clock
  /** How long to keep trying, ms; 0 is a single attempt. */
  readonly patienceMs: number
  /** Ends the waiting between two attempts. */
  readonly signal: AbortSignal
}

export interface Appended {
  readonly afterSeq: number
  readonly entries: readonly Entry[]
  readonly head: Head
}

/** Errors: those of `Store.append`; `store-unavailable` once the patience has run out. */
export function appendPatiently(asking: Asking, { afterSeq, entries, head }: Appended): Promise<void> {
  const { store, lease } = asking
  const kept = entries.map(keptApart)
  const stored = kept.map((one) => one.stored)
  const blobs = kept.flatMap(({ blob }) => blob ?? [])
  const append = async (late: Late) => {
    for (const { name, text } of blobs) await store.putBlob(lease, name, text)
    late.throwIfOver()
    await store.append(lease, afterSeq, stored, head)
  }
  return patiently(asking, 'it may have taken the entries', append)
}

/** Extends the lease; false if it is no longer ours. Errors: `store-unavailable` once the patience has run out. */
export function renewPatiently(asking: Asking, ttlMs: number): Promise<boolean> {
  return patiently(asking, 'nothing was started', () => asking.store.renew(asking.lease, ttlMs))
}

async function patiently<Result>(
  { store, clock, patienceMs, signal }: Asking,
  ifLate: string,
  ask: (late: Late) => Promise<Result>,
): Promise<Result> {
  // By `elapsed`: no correction of the wall clock shortens or lengthens it.
  const giveUpAt = clock.elapsed() + patienceMs
  for (let attempt = 1, refused: LastgoodError | undefined; ; attempt += 1) {
    try {
      const leftMs = Math.max(shortestLimitMs, giveUpAt - clock.elapsed())
      return await inTime(clock, leftMs, ask, () => refused ?? noAnswer(store, ifLate))
    } catch (error) {
      const waitMs = fullJitter(attempt, 50, 2_000, clock.random())
      if (!isLastgoodError(error, 'store-unavailable') || clock.elapsed() + waitMs >= giveUpAt) throw error
      refused = error
      await clock.sleepUntil(clock.now() + waitMs, { signal })
    }
  }
}
