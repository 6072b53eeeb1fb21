/**
 * The entries of sessions that other processes write, as they become durable.
 *
 * 1. It only reads. A store sends no notifications, so its heads are polled, and only new entries are read.
 * 2. A store that does not answer is reported once, and so is its return; nothing written meanwhile is left out.
 * 3. A session that was removed and begun anew is followed from its new beginning.
 * 4. When all sessions are followed, one that cannot be read is reported once, and does not hide the others.
 */
import {
  isJournalError,
  isLastgoodError,
  withBlobs,
  type Clock,
  type Entry,
  type Head,
  type LastgoodError,
  type Store,
} from '@lastgood/core'

export type Seen =
  | { kind: 'entry'; sessionId: string; entry: Entry }
  | { kind: 'away'; error: LastgoodError }
  | { kind: 'back' }
  | { kind: 'unreadable'; error: LastgoodError }

/** How much of a session was seen; another session of the same id has another `createdAt`. */
export type Known = Pick<Head, 'seq' | 'createdAt'>

export interface FollowOptions {
  store: Store
  clock: Clock
  signal: AbortSignal
  /** Only this session. Default: all of the store, including new ones. */
  sessionId?: string | undefined
  /** What is already known of each session. One that is missing is new. */
  seen: Map<string, Known>
}

/** Between two polls. */
const everyMs = 500

/** Ends when `signal` aborts. Errors: those of `sessionId`, if it is damaged. */
export async function* follow({ store, clock, signal, sessionId, seen }: FollowOptions): AsyncGenerator<Seen> {
  let isAway = false
  const told = new Set<string>()
  /** Reports an error that need not end the watch; throws any other. */
  function* survived(error: unknown): Generator<Seen> {
    if (sessionId !== undefined || !isJournalError(error)) throw error
    if (!told.has(error.message)) yield { kind: 'unreadable', error }
    told.add(error.message)
  }
  while (!signal.aborted) {
    try {
      try {
        for await (const head of headsOf(store, sessionId)) {
          try {
            yield* newIn(store, head, seen)
          } catch (error) {
            yield* survived(error)
          }
        }
      } catch (error) {
        // The list reports all other sessions before it throws.
        yield* survived(error)
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

async function* newIn(store: Store, head: Head, seen: Map<string, Known>): AsyncGenerator<Seen> {
  const { sessionId, seq, createdAt } = head
  const before = seen.get(sessionId)
  const known = before?.createdAt === createdAt && before.seq <= seq ? before.seq : 0
  if (known === seq) return
  for await (const entry of withBlobs(store, sessionId, store.read(sessionId, known))) {
    yield { kind: 'entry', sessionId, entry }
    seen.set(sessionId, { seq: entry.seq, createdAt })
  }
}

async function* headsOf(store: Store, sessionId: string | undefined): AsyncGenerator<Head> {
  if (sessionId === undefined) {
    for await (const { head } of store.list()) yield head
    return
  }
  const summary = await store.summary(sessionId)
  if (summary) yield summary.head
}
