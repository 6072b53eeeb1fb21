/**
 * The entries of sessions that other processes write, as they become durable.
 *
 * 1. It reads, and changes nothing: a store has no wire to listen at, so its heads are looked at again and again, and only
 *    what is new is read.
 * 2. A store that does not answer is told of once, and so is that it is back; nothing that was written meanwhile is left out.
 * 3. A session that was removed and begun anew is followed from its new beginning.
 */
import { isLastgoodError, withBlobs, type Clock, type Entry, type LastgoodError, type Store } from '@lastgood/core'

export type Seen =
  | { kind: 'entry'; sessionId: string; entry: Entry }
  | { kind: 'away'; error: LastgoodError }
  | { kind: 'back' }

export interface FollowOptions {
  store: Store
  clock: Clock
  signal: AbortSignal
  /** Only this session. Default: all of the store, also those that come. */
  sessionId?: string | undefined
  /** What is known already: the last entry of each session. One that is not named is new. */
  seen: Map<string, number>
}

/** Between two looks. */
const everyMs = 500

/** Ends when `signal` aborts. Errors: those of a damaged session. */
export async function* follow({ store, clock, signal, sessionId, seen }: FollowOptions): AsyncGenerator<Seen> {
  let isAway = false
  while (!signal.aborted) {
    try {
      for await (const { id, seq } of headsOf(store, sessionId)) {
        const known = seen.get(id) ?? 0
        if (seq === known) continue
        for await (const entry of withBlobs(store, id, store.read(id, seq < known ? 0 : known))) {
          yield { kind: 'entry', sessionId: id, entry }
          seen.set(id, entry.seq)
        }
      }
      if (isAway) yield { kind: 'back' }
      isAway = false
    } catch (error) {
      if (!isLastgoodError(error, 'store-unavailable')) throw error
      if (!isAway) yield { kind: 'away', error }
      isAway = true
    }
    await clock.sleepUntil(clock.now() + everyMs, { signal }).catch(() => {})
  }
}

async function* headsOf(store: Store, sessionId: string | undefined): AsyncGenerator<{ id: string; seq: number }> {
  if (sessionId === undefined) {
    for await (const { head } of store.list()) yield { id: head.sessionId, seq: head.seq }
    return
  }
  const summary = await store.summary(sessionId)
  if (summary) yield { id: sessionId, seq: summary.head.seq }
}
