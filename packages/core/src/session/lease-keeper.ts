/**
 * Keeps a lease alive, and says when it is gone.
 *
 * 1. Renewal is a courtesy to other writers: the store's fence, not this loop, protects the journal (P3).
 * 2. Only the store's answer ends a lease here. A store that cannot answer is asked again; a pause of this process that
 *    outlasts the lease ends it only if another writer has taken it meanwhile.
 * 3. An effect begins only while the lease surely runs: for its time since it was last asked for. After a longer pause
 *    the store is asked first: the next writer may have run it (P2). An append says nothing, since it extends no lease;
 *    nor does an answer that takes longer than the lease lasts.
 */
import type { Clock } from '../clock.ts'
import { isLastgoodError } from '../errors.ts'
import { noAnswer } from '../store/answering.ts'
import { renewPatiently, type Asking } from '../store/patient-append.ts'
import { leaseLost } from '../store/store.ts'

export interface LeaseKeeper {
  /** Stops renewing, and asking; does not release the lease. */
  stop(reason?: Error): void
  /**
   * Asks the store unless the lease surely runs. Errors: `lease-lost`, and `store-unavailable` when the patience has run
   * out.
   */
  assertHeld(): Promise<void>
}

/** How often in a row the store may take longer to confirm a lease than that lasts. */
const mostAsked = 3

/**
 * Whether less than `ttlMs` has passed since this call: a lease that is asked for now runs as long. Where the wall clock
 * is set back, nobody can say.
 */
export function lasting(clock: Clock, ttlMs: number): () => boolean {
  const [at, startedAt] = [clock.now(), clock.elapsed()]
  return () => clock.now() >= at && clock.now() - at < ttlMs && clock.elapsed() - startedAt < ttlMs
}

/**
 * Renews every third of `ttlMs`; calls `onLost` once, when another owner has the lease, and never after `stop`. `runs`:
 * `lasting` since before its acquisition; without it, the store is asked before the first effect.
 */
export function keepLease(
  asking: Omit<Asking, 'signal'>,
  ttlMs: number,
  onLost: (reason: Error) => void,
  runs = () => false,
): LeaseKeeper {
  const { store, lease, clock } = asking
  const stopped = new AbortController()
  let surelyRuns = runs
  void renewals()
  return {
    stop: (reason) => stopped.abort(reason),
    async assertHeld() {
      for (let asked = 0; !surelyRuns(); asked += 1) {
        if (asked === mostAsked) throw noAnswer(store, 'nothing was started')
        if (await isRenewed(asking.patienceMs)) continue
        const gone = leaseLost(lease.sessionId, lease.fence)
        if (!stopped.signal.aborted) onLost(gone)
        throw gone
      }
    },
  }

  async function isRenewed(forMs: number): Promise<boolean> {
    const renewed = lasting(clock, ttlMs)
    const isHeld = await renewPatiently({ ...asking, patienceMs: forMs, signal: stopped.signal }, ttlMs)
    if (isHeld) surelyRuns = renewed
    return isHeld
  }

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
      return (await isRenewed(0)) ? undefined : leaseLost(lease.sessionId, lease.fence)
    } catch (error) {
      return isLastgoodError(error, 'store-unavailable') ? undefined : (error as Error)
    }
  }
}
