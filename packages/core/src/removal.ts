/**
 * Removing sessions for good, without taking the history of a fork away.
 *
 * A removal and a fork may meet, and each does first what the other looks for: a removal takes the lease as one that
 * removes and then looks for forks; a fork writes itself and then looks whether its parent is there and is not being
 * removed. So at least one of the two sees the other. The lease is given up only by the removal itself, and the store
 * refuses one that has run out meanwhile.
 */
import { systemClock, type Clock } from './clock.ts'
import { LastgoodError } from './errors.ts'
import type { Owner } from './journal.ts'
import { isDead, isRemover, removerId, thisOwner } from './owner.ts'
import { assertSessionId, sessionBusy, type Lease, type SessionSummary, type Store } from './store.ts'

export interface RemovalOptions {
  /** Default: the system's. */
  clock?: Clock
  /** Who removes. Default: this process. */
  owner?: Owner
}

/** Longer than it takes to list a store. */
const removalMs = 60_000

/** Whether whoever holds it is about to remove it. */
export function isBeingRemoved({ holder }: SessionSummary): boolean {
  return holder !== null && isRemover(holder.owner) && !isDead(holder.owner)
}

/** What became of one of several; without a failure it is gone. */
export interface Removal {
  readonly sessionId: string
  readonly failure?: unknown
}

/** So many are held at once, and share one look for forks. */
const batch = 50

/**
 * Deletes a session; without effect when there is none. Its forks read its journal, so it goes only after them.
 *
 * Errors: `bad-option` where it has forks (`details.forks`), `session-busy`, `store-unavailable`.
 */
export async function removeSession(store: Store, sessionId: string, options: RemovalOptions = {}): Promise<void> {
  for await (const { failure } of removeSessions(store, [sessionId], options)) if (failure !== undefined) throw failure
}

/** Deletes sessions in this order, forks first; one that cannot go does not keep the others. */
export async function* removeSessions(
  store: Store,
  sessionIds: readonly string[],
  options: RemovalOptions = {},
): AsyncGenerator<Removal, void, undefined> {
  for (const id of sessionIds) assertSessionId(id)
  for (let from = 0; from < sessionIds.length; from += batch) {
    yield* removeBatch(store, sessionIds.slice(from, from + batch), options)
  }
}

async function* removeBatch(store: Store, ids: readonly string[], options: RemovalOptions): AsyncGenerator<Removal> {
  const leases = new Map<string, Lease>()
  const failures = new Map<string, unknown>()
  try {
    for (const id of ids) {
      try {
        if (await store.summary(id)) leases.set(id, await leaseForRemoval(store, id, options))
      } catch (failure) {
        failures.set(id, failure)
      }
    }
    const forks = await forksOf(store, leases)
    for (const sessionId of ids) {
      const failure = failures.get(sessionId) ?? (await removed(store, sessionId, leases, forks))
      yield failure === undefined ? { sessionId } : { sessionId, failure }
    }
  } finally {
    for (const lease of leases.values()) await store.release(lease).catch(() => {})
  }
}

/** What went wrong. */
async function removed(
  store: Store,
  sessionId: string,
  leases: Map<string, Lease>,
  forks: ReadonlyMap<string, Set<string>>,
): Promise<unknown> {
  const lease = leases.get(sessionId)
  if (!lease) return undefined
  const own = [...(forks.get(sessionId) ?? [])]
  if (own.length > 0) return hasForks(sessionId, own)
  try {
    await store.remove(sessionId, lease)
    leases.delete(sessionId)
    for (const children of forks.values()) children.delete(sessionId)
    return undefined
  } catch (failure) {
    return failure
  }
}

async function leaseForRemoval(store: Store, sessionId: string, options: RemovalOptions): Promise<Lease> {
  const { clock = systemClock } = options
  const owner = options.owner ?? thisOwner(clock.newId())
  const marked = { ...owner, id: removerId(owner.id) }
  const first = await store.acquire(sessionId, marked, removalMs)
  if (first.kind === 'lease') return first
  if (!isDead(first.owner)) throw sessionBusy(first)
  const second = await store.acquire(sessionId, marked, removalMs, first.fence)
  if (second.kind === 'lease') return second
  throw sessionBusy(second)
}

/** The forks of each of these sessions. A damaged session may be one, so a list that fails is no list. */
async function forksOf(store: Store, parents: ReadonlyMap<string, unknown>): Promise<Map<string, Set<string>>> {
  const forks = new Map<string, Set<string>>()
  if (parents.size === 0) return forks
  for await (const { head } of store.list()) {
    const parent = head.origin?.sessionId
    if (parent === undefined || !parents.has(parent)) continue
    forks.set(parent, (forks.get(parent) ?? new Set()).add(head.sessionId))
  }
  return forks
}

function hasForks(sessionId: string, forks: readonly string[]): LastgoodError {
  const some = forks.slice(0, 5).join(', ')
  const more = forks.length > 5 ? ` and ${forks.length - 5} more` : ''
  return new LastgoodError('bad-option', `session ${sessionId} has forks that read its journal: ${some}${more}`, {
    hint: `remove the forks first, or keep it out of the way: lastgood list --all; lastgood show ${forks[0] ?? ''}`,
    details: { sessionId, forks },
  })
}
