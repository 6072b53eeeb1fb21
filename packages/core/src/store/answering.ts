/**
 * A store that answers in time, or says that it did not: whoever opens a session, or removes one, does not wait for ever
 * for a server that hangs.
 *
 * 1. A lease that is granted too late is given back: nobody knows that they have it.
 * 2. A read or a list may take as long as it goes on: the limit is for each part of it.
 * 3. `append` and `putBlob` are not limited here: they are tried again, see `patient-append.ts`.
 */
import { chunksOf, inChunks } from './chunked.ts'
import type { Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import { inTime, type Late } from '../in-time.ts'
import { storeOver } from './store-over.ts'
import type { Store } from './store.ts'

/** Default of `storePatienceMs`. */
export const defaultPatienceMs = 15_000
/** No answer is given up sooner, however short the patience. */
export const shortestLimitMs = 5_000

/** `store`, whose answers are `store-unavailable` after `patienceMs`, at least `shortestLimitMs`. */
export function answering(store: Store, clock: Clock, patienceMs = defaultPatienceMs): Store {
  const limitMs = Math.max(shortestLimitMs, patienceMs)

  function answer<Result>(ifLate: string, ask: (late: Late) => Promise<Result>): Promise<Result> {
    return inTime(clock, limitMs, ask, () => noAnswer(store, ifLate))
  }

  function parts<Item>(items: () => AsyncIterable<Item>): AsyncIterable<Item> {
    return inChunks(async function* () {
      const inside = chunksOf(items())[Symbol.asyncIterator]()
      try {
        for (;;) {
          const part = await answer(unchanged, () => inside.next())
          if (part.done) return
          yield part.value
        }
      } finally {
        // Without effect after its end, and not waited for: one that hangs does not answer this either.
        inside.return?.().catch(() => {})
      }
    })
  }

  return storeOver(store, {
    acquire: (sessionId, owner, ttlMs, takeover) =>
      answer('nothing was started', async (late) => {
        const granted = await store.acquire(sessionId, owner, ttlMs, takeover)
        if (late.isOver && granted.kind === 'lease') await store.release(granted)
        return granted
      }),
    renew: (lease, ttlMs) => answer('nothing was started', () => store.renew(lease, ttlMs)),
    release: (lease) => answer('the lease may have been released, or will expire', () => store.release(lease)),
    summary: (sessionId) => answer(unchanged, () => store.summary(sessionId)),
    readBlob: (sessionId, name) => answer(unchanged, () => store.readBlob(sessionId, name)),
    remove: (sessionId, lease) => answer('it may have removed the session', () => store.remove(sessionId, lease)),
    read: (sessionId, afterSeq) => parts(() => store.read(sessionId, afterSeq)),
    list: (filter) => parts(() => store.list(filter)),
  })
}

const unchanged = 'nothing was changed'

/** `ifLate`: what has become of what was asked. */
export function noAnswer({ location }: Store, ifLate: string): LastgoodError {
  return new LastgoodError('store-unavailable', `the store at ${location} cannot answer: it did not answer in time`, {
    hint: `check that it is up and reachable from here; ${ifLate}; retrying is safe`,
    details: { location },
  })
}
