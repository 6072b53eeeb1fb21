/**
 * Removes sessions for good, without taking away the history of a fork.
 *
 * 1. A removal and a fork may race, and each first does what the other looks for. A removal takes the lease as a
 *    remover, then looks for forks; a fork announces itself, then checks that its parent is there and not being removed.
 *    So at least one of the two sees the other. Only the removal itself gives up the lease, and the store refuses an
 *    expired one.
 * 2. The decision to remove is made on a head, and another writer may append before the lease is taken. So the head is
 *    read again under the lease, and a session that has changed since stays.
 * 3. A full store has no room for a lease, although a removal would make room. It has none for a fork or an entry
 *    either, so there the session is checked once more and removed without a lease; the store still keeps one that is
 *    held.
 */
import { answering } from './answering.ts'
import { systemClock, type Clock } from '../clock.ts'
import { LastgoodError, isLastgoodError } from '../errors.ts'
import type { Owner } from '../journal/journal.ts'
import { isDead, isRemover, removerId, thisOwner } from './owner.ts'
import { takeLease } from './take-lease.ts'
import { leftOutBy } from './left-out.ts'
import type { Head } from './head.ts'
import { assertSessionId, type Lease, type SessionSummary, type Store } from './store.ts'

export interface RemovalOptions {
  /** Default: the system's. */
  clock?: Clock
  /** The owner of the removal's lease. Default: this process. */
  owner?: Owner
  /**
   * Also remove damaged sessions (`journal-corrupt`), and look for forks only among readable ones: other damaged
   * sessions may be forks of them. Default false.
   */
  damaged?: boolean
}

/** Longer than it takes to list a store. */
const removalMs = 60_000

/** Whether its holder is about to remove it. */
export function isBeingRemoved({ holder }: SessionSummary): boolean {
  return holder !== null && isRemover(holder.owner) && !isDead(holder.owner)
}

/** A session by its id, whatever its state; or by a head, to be removed only if it has not changed since. */
export type Removable = string | Pick<Head, 'sessionId' | 'seq' | 'createdAt' | 'updatedAt'>

/** The result for one of several sessions; without a failure it is gone. */
export interface Removal {
  readonly sessionId: string
  readonly failure?: unknown
}

/** Sessions that are held at once and share one search for forks. */
const batch = 50

/**
 * Deletes a session; without effect if there is none. Its forks read its journal, so they have to be removed first.
 *
 * Errors: `bad-option` if it has forks (`details.forks`), `journal-conflict` if it has changed since the given head,
 * `session-busy`, `store-unavailable`.
 */
export async function removeSession(store: Store, session: Removable, options: RemovalOptions = {}): Promise<void> {
  for await (const { failure } of removeSessions(store, [session], options)) if (failure !== undefined) throw failure
}

/** Deletes sessions in this order, forks first; one that cannot be removed does not keep the others. */
export async function* removeSessions(
  store: Store,
  sessions: readonly Removable[],
  options: RemovalOptions = {},
): AsyncGenerator<Removal, void, undefined> {
  for (const one of sessions) assertSessionId(idOf(one))
  const asked = answering(store, options.clock ?? systemClock)
  for (let from = 0; from < sessions.length; from += batch) {
    yield* removeBatch(asked, sessions.slice(from, from + batch), options)
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

/** A lease that cannot be released expires by itself. */
async function givenBack(store: Store, sessionId: string, leases: Map<string, Lease>): Promise<void> {
  const lease = leases.get(sessionId)
  leases.delete(sessionId)
  if (lease) await store.release(lease).catch(() => {})
}

/** Called under the removal's lease, when nobody else can write. */
async function assertAsDecided(store: Store, one: Removable): Promise<void> {
  if (typeof one === 'string') return
  const head = (await store.summary(one.sessionId))?.head
  const isThat = head?.seq === one.seq && head.createdAt === one.createdAt && head.updatedAt === one.updatedAt
  if (head && !isThat) throw writtenMeanwhile(one.sessionId)
}

/** Returns the failure, if any. */
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

/** The codes of a full Redis server or file system. */
const fullCodes: readonly unknown[] = ['OOM', 'ENOSPC', 'EDQUOT']
const isFull = (error: unknown): boolean =>
  isLastgoodError(error, 'store-unavailable') && fullCodes.includes(error.details['code'])

/** Returns the failure, if any. Removes at once, so that the next session may find room for its lease. */
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
  return takeLease(store, sessionId, { owner: { ...owner, id: removerId(owner.id) }, leaseMs: removalMs })
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
    // The error comes last: all readable sessions were listed.
    const areDamaged =
      isLastgoodError(error, 'journal-corrupt') && leftOutBy(error).every(({ code }) => code === 'journal-corrupt')
    if (!options.damaged || !areDamaged) throw error
  }
  return forks
}

/** Whether the end of its journal cannot be read, so that no lease of it can be granted. */
async function isDamaged(store: Store, sessionId: string): Promise<boolean> {
  return store.summary(sessionId).then(
    () => false,
    (error: unknown) => isLastgoodError(error, 'journal-corrupt'),
  )
}

function writtenMeanwhile(sessionId: string): LastgoodError {
  return new LastgoodError('journal-conflict', `session ${sessionId} was written to meanwhile, and is kept`, {
    hint: `look at it before removing it again: lastgood show ${sessionId}`,
    details: { sessionId },
  })
}

function noRoom(store: Store, sessionId: string, { message, details, cause }: LastgoodError): LastgoodError {
  return new LastgoodError('store-unavailable', message, {
    hint: `a removal first writes a little: free some space there; or, while no process uses the session, delete by hand ${store.journalAt(sessionId)} and everything beside it that has its name`,
    details,
    cause,
  })
}

function hasForks(sessionId: string, forks: readonly string[]): LastgoodError {
  const some = forks.slice(0, 5).join(', ')
  const more = forks.length > 5 ? ` and ${forks.length - 5} more` : ''
  return new LastgoodError('bad-option', `session ${sessionId} has forks that read its journal: ${some}${more}`, {
    hint: `remove the forks first, or keep this session; see them: lastgood list --all; lastgood show ${forks[0] ?? ''}`,
    details: { sessionId, forks },
  })
}
