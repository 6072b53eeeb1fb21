/**
 * Keeps a lease alive, and says when it is gone.
 *
 * 1. Renewal is a courtesy to other writers: the store's fence, not this loop, protects the journal (P3).
 * 2. Only the store's word ends a lease here. A store that cannot answer is asked again; a pause of this process that
 *    outlasts the lease ends it only if another writer has taken it meanwhile.
 */
import type { Clock } from '../clock.ts'
import { isLastgoodError } from '../errors.ts'
import { leaseLost, type Lease, type Store } from '../store/store.ts'

export interface LeaseKeeper {
  /** Stops renewing; does not release the lease. */
  stop(): void
}

/** Renews every third of `ttlMs`; calls `onLost` once, when another owner has the lease, and never after `stop`. */
export function keepLease(
  store: Store,
  lease: Lease,
  ttlMs: number,
  clock: Clock,
  onLost: (reason: Error) => void,
): LeaseKeeper {
  const stopped = new AbortController()
  void renewals()
  return { stop: () => stopped.abort() }

  async function renewals(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await clock.sleepUntil(clock.now() + ttlMs / 3, { signal: stopped.signal, background: true })
      } catch {
        return // stopped
      }
      const gone = await lostAfterRenewal()
      if (!gone) continue
      if (!stopped.signal.aborted) onLost(gone)
      return
    }
  }

  /** Why the lease is gone, if it is. */
  async function lostAfterRenewal(): Promise<Error | undefined> {
    try {
      return (await store.renew(lease, ttlMs)) ? undefined : leaseLost(lease.sessionId, lease.fence)
    } catch (error) {
      return isLastgoodError(error, 'store-unavailable') ? undefined : (error as Error)
    }
  }
}
