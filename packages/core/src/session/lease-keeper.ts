/**
 * Keeps a lease alive, and says when it is gone.
 *
 * 1. Renewal is a courtesy to other writers: the store's fence, not this loop, protects the journal (P3).
 * 2. Only the store's answer ends a lease here. A store that cannot answer is asked again; a pause of this process that
 *    outlasts the lease ends it only if another writer has taken it meanwhile.
 * 3. After such a pause an effect waits until the store confirms the lease: the next writer may have run it (P2).
 */
import { isLastgoodError } from '../errors.ts'
import { renewPatiently, type Asking } from '../store/patient-append.ts'
import { leaseLost } from '../store/store.ts'

export interface LeaseKeeper {
  /** Stops renewing, and asking; does not release the lease. */
  stop(reason?: Error): void
  /** The result of `write`. If the store accepts it, the lease was held when it was requested. */
  hearing<Result>(write: () => Promise<Result>): Promise<Result>
  /**
   * Asks the store if it has not been heard from for as long as the lease lasts, or never. Errors: `lease-lost`, and
   * `store-unavailable` when the patience has run out.
   */
  assertHeld(): Promise<void>
}

/** Renews every third of `ttlMs`; calls `onLost` once, when another owner has the lease, and never after `stop`. */
export function keepLease(
  { store, lease, clock, patienceMs }: Omit<Asking, 'signal'>,
  ttlMs: number,
  onLost: (reason: Error) => void,
): LeaseKeeper {
  const stopped = new AbortController()
  // Reading the journal may have taken longer than the lease lasts, so at first nothing is known.
  let wasJustHeld = () => false
  void renewals()
  return {
    stop: (reason) => stopped.abort(reason),
    async hearing(write) {
      const isRecent = recently()
      const result = await write()
      wasJustHeld = isRecent
      return result
    },
    async assertHeld() {
      if (wasJustHeld()) return
      const isRecent = recently()
      const asking = { store, lease, clock, patienceMs, signal: stopped.signal }
      if (await renewPatiently(asking, ttlMs)) return void (wasJustHeld = isRecent)
      const gone = leaseLost(lease.sessionId, lease.fence)
      if (!stopped.signal.aborted) onLost(gone)
      throw gone
    },
  }

  /** Tells whether less than `ttlMs` has passed since this call. Where the wall clock is set back, no one can say. */
  function recently(): () => boolean {
    const [at, startedAt] = [clock.now(), clock.elapsed()]
    return () => clock.now() >= at && clock.now() - at < ttlMs && clock.elapsed() - startedAt < ttlMs
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
      const once = { store, lease, clock, patienceMs: 0, signal: stopped.signal }
      return (await renewPatiently(once, ttlMs)) ? undefined : leaseLost(lease.sessionId, lease.fence)
    } catch (error) {
      return isLastgoodError(error, 'store-unavailable') ? undefined : (error as Error)
    }
  }
}
