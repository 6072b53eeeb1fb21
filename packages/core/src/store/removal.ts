/**
 * Removing sessions for good, without taking the history of a fork away.
 *
 * A removal and a fork may meet, and each does first what the other looks for: a removal takes the lease as one that
 * removes and then looks for forks; a fork writes itself and then looks whether its parent is there and is not being
 * removed. So at least one of the two sees the other. The lease is given up only by the removal itself, and the store
 * refuses one that has run out meanwhile.
 *
 * Whoever decides to remove a session has read its head first, and somebody may write before the lease is taken. So the
 * head is read again under the lease, and a session that is not what was decided on stays.
 *
 * A store that is full has no room for a lease, and to make some is what a removal is for. It has none for a fork or an
 * entry either, so there a session is looked at once more and goes without a lease; the store still keeps one that is held.
 */
import { systemClock, type Clock } from '../clock.ts'
import { LastgoodError, isLastgoodError } from '../errors.ts'
import type { Owner } from '../journal/journal.ts'
import { isDead, isRemover, removerId, thisOwner } from './owner.ts'
import { takeLease } from './take-lease.ts'
import { leftOutBy } from './left-out.ts'
import { assertSessionId, type Head, type Lease, type SessionSummary, type Store } from './store.ts'

export interface RemovalOptions {
  /** Default: the system's. */
  clock?: Clock
  /** Who removes. Default: this process. */
  owner?: Owner
  /**
   * Remove them also where they are damaged (`journal-corrupt`), and look for forks among what can be read: others that
   * are damaged may be forks of theirs. Default false.
   */
  damaged?: boolean
}

/** Longer than it takes to list a store. */
const removalMs = 60_000

/** Whether whoever holds it is about to remove it. */
export function isBeingRemoved({ holder }: SessionSummary): boolean {
  return holder !== null && isRemover(holder.owner) && !isDead(holder.owner)
}

/** A session as it is, by its id; or only as it was, by the head that somebody decided on. */
export type Removable = string | Pick<Head, 'sessionId' | 'seq' | 'createdAt' | 'updatedAt'>

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
 * Errors: `bad-option` where it has forks (`details.forks`), `journal-conflict` where it is not what was decided on,
 * `session-busy`, `store-unavailable`.
 */
export async function removeSession(store: Store, session: Removable, options: RemovalOptions = {}): Promise<void> {
  for await (const { failure } of removeSessions(store, [session], options)) if (failure !== undefined) throw failure
}

/** Deletes sessions in this order, forks first; one that cannot go does not keep the others. */
export async function* removeSessions(
  store: Store,
  sessions: readonly Removable[],
  options: RemovalOptions = {},
): AsyncGenerator<Removal, void, undefined> {
  for (const one of sessions) assertSessionId(idOf(one))
  for (let from = 0; from < sessions.length; from += batch) {
    yield* removeBatch(store, sessions.slice(from, from + batch), options)
  }
}

async function* removeBatch(
  store: Store,
  sessions: readonly Removable[],
  options: RemovalOptions,
): AsyncGenerator<Removal> {
  const leases = new Map<string, Lease>()
  const failures = new Map<string, unknown>()
  const damaged = new Set<string>()
  try {
    for (const one of sessions) {
      const sessionId = idOf(one)
      try {
        if (options.damaged && (await isDamaged(store, sessionId))) {
          damaged.add(sessionId)
          continue
        }
        if (!(await store.summary(sessionId))) continue
        leases.set(sessionId, await leaseForRemoval(store, sessionId, options))
        await assertAsDecided(store, one)
      } catch (error) {
        const failure = isFull(error) ? await removedWithoutRoom(store, one, options) : error
        if (failure !== undefined) failures.set(sessionId, failure)
        await givenBack(store, sessionId, leases)
      }
    }
    const forks = await forksOf(store, new Set([...leases.keys(), ...damaged]), options)
    for (const sessionId of sessions.map(idOf)) {
      const goes = damaged.has(sessionId) || leases.has(sessionId)
      const failure = failures.get(sessionId) ?? (goes ? await removed(store, sessionId, leases, forks) : undefined)
      yield failure === undefined ? { sessionId } : { sessionId, failure }
    }
  } finally {
    for (const sessionId of leases.keys()) await givenBack(store, sessionId, leases)
  }
}

const idOf = (one: Removable): string => (typeof one === 'string' ? one : one.sessionId)

/** One that cannot be given back runs out by itself. */
async function givenBack(store: Store, sessionId: string, leases: Map<string, Lease>): Promise<void> {
  const lease = leases.get(sessionId)
  leases.delete(sessionId)
  if (lease) await store.release(lease).catch(() => {})
}

/** Under the lease of the removal, when nobody writes any more. */
async function assertAsDecided(store: Store, one: Removable): Promise<void> {
  if (typeof one === 'string') return
  const head = (await store.summary(one.sessionId))?.head
  const isThat = head?.seq === one.seq && head.createdAt === one.createdAt && head.updatedAt === one.updatedAt
  if (head && !isThat) throw writtenMeanwhile(one.sessionId)
}

/** What went wrong. */
async function removed(
  store: Store,
  sessionId: string,
  leases: Map<string, Lease>,
  forks: ReadonlyMap<string, Set<string>>,
): Promise<unknown> {
  const lease = leases.get(sessionId)
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

/** What the server or the file system calls it. */
const fullCodes: readonly unknown[] = ['OOM', 'ENOSPC', 'EDQUOT']
const isFull = (error: unknown): boolean =>
  isLastgoodError(error, 'store-unavailable') && fullCodes.includes(error.details['code'])

/** What went wrong. At once, so that the next one may find room for its lease. */
async function removedWithoutRoom(store: Store, one: Removable, options: RemovalOptions): Promise<unknown> {
  const sessionId = idOf(one)
  try {
    const own = (await forksOf(store, new Set([sessionId]), options)).get(sessionId)
    if (own) return hasForks(sessionId, [...own])
    await assertAsDecided(store, one)
    await store.remove(sessionId)
    return undefined
  } catch (failure) {
    return isFull(failure) ? noRoom(store, sessionId, failure as LastgoodError) : failure
  }
}

async function leaseForRemoval(store: Store, sessionId: string, options: RemovalOptions): Promise<Lease> {
  const { clock = systemClock } = options
  const owner = options.owner ?? thisOwner(clock.newId())
  return takeLease(store, sessionId, { ...owner, id: removerId(owner.id) }, removalMs)
}

/** The forks of each of these sessions. A damaged session may be one, so a list that fails is no list. */
async function forksOf(
  store: Store,
  parents: ReadonlySet<string>,
  options: RemovalOptions,
): Promise<Map<string, Set<string>>> {
  const forks = new Map<string, Set<string>>()
  if (parents.size === 0) return forks
  try {
    for await (const { head } of store.list()) {
      const parent = head.origin?.sessionId
      if (parent === undefined || !parents.has(parent)) continue
      forks.set(parent, (forks.get(parent) ?? new Set()).add(head.sessionId))
    }
  } catch (error) {
    // It comes last: all that can be read were listed.
    const areDamaged =
      isLastgoodError(error, 'journal-corrupt') && leftOutBy(error).every(({ code }) => code === 'journal-corrupt')
    if (!options.damaged || !areDamaged) throw error
  }
  return forks
}

/** No lease can be had of it, where its end cannot be told. */
async function isDamaged(store: Store, sessionId: string): Promise<boolean> {
  return store.summary(sessionId).then(
    () => false,
    (error: unknown) => isLastgoodError(error, 'journal-corrupt'),
  )
}

function writtenMeanwhile(sessionId: string): LastgoodError {
  return new LastgoodError('journal-conflict', `session ${sessionId} was written meanwhile, and is kept`, {
    hint: `look at it before you ask for its removal again: lastgood show ${sessionId}`,
    details: { sessionId },
  })
}

function noRoom(store: Store, sessionId: string, { message, details, cause }: LastgoodError): LastgoodError {
  return new LastgoodError('store-unavailable', message, {
    hint: `a removal writes a little first: free some space there; or delete by hand, while no process is at the session, ${store.journalAt(sessionId)} and what beside it has its name`,
    details,
    cause,
  })
}

function hasForks(sessionId: string, forks: readonly string[]): LastgoodError {
  const some = forks.slice(0, 5).join(', ')
  const more = forks.length > 5 ? ` and ${forks.length - 5} more` : ''
  return new LastgoodError('bad-option', `session ${sessionId} has forks that read its journal: ${some}${more}`, {
    hint: `remove the forks first, or keep it out of the way: lastgood list --all; lastgood show ${forks[0] ?? ''}`,
    details: { sessionId, forks },
  })
}
