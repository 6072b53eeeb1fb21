/**
 * The store contract: where journals live. It speaks of sessions, leases and entries, not of keys and values.
 *
 * 1. `append` is ONE atomic step: fence and sequence are checked, entries added, head replaced, or nothing happens.
 * 2. What `append` acknowledged is visible to every later `read`, of any process on any host.
 * 3. Every granted lease has a higher fence than all before it; `append` refuses a writer with an older one, whatever
 *    its clock says. Only `remove` may start the fences of an id anew, so stores compare the owner's id as well.
 * 4. `append` is idempotent by sequence: the same entries again at the same place are acknowledged, not doubled.
 * 5. A store never deletes by itself, and never turns an error into "empty".
 *
 * Errors: `lease-lost` (stale fence), `journal-conflict` (sequence), `store-unavailable` (cannot answer now; the write
 * may or may not have been applied), `journal-corrupt`, `journal-version`. It has no transactions and no connections:
 * a store is a literal made from a client that its owner opens and closes.
 */
import { LastgoodError } from '../errors.ts'
import { isRemover } from './owner.ts'
import type { Head, SessionStatus } from './head.ts'
import type { Entry, Owner } from '../journal/journal.ts'
import { isSessionId } from '../journal/session-id.ts'
import type { SharedState } from '../records/shared-state.ts'
import { isSha256 } from '../sha256.ts'

/** Who holds a session, and until when its lease runs (epoch ms, the store's clock). */
export interface Holder {
  owner: Owner
  /** Higher than that of every lease before it. */
  fence: number
  /** When the lease was taken, and when it ends unless it is renewed: epoch ms, by the store's clock. */
  since: number
  expiresAt: number
}
/** The right to write a session, until it ends or is taken over. */
export interface Lease extends Holder {
  kind: 'lease'
  sessionId: string
}
/** Somebody else has that right. */
export interface Busy extends Holder {
  kind: 'busy'
  sessionId: string
}

export interface SessionSummary {
  head: Head
  /** The live holder, or null if nobody holds an unexpired lease. */
  holder: Holder | null
}

export interface SessionFilter {
  status?: readonly SessionStatus[]
  /** Only sessions updated at or after this instant (epoch ms). */
  updatedSince?: number
}

/** Something about a store that endangers the promises, for people. */
export interface Finding {
  /** `danger`: what was acknowledged can be lost, read by others, or not be continued. `info`: good to know. */
  severity: 'danger' | 'warning' | 'info'
  /** The fact, with names and values; never content. */
  what: string
  /** Which promise is at risk, and how. */
  risk: string
  /** The one command or setting that mends it. */
  mend: string
}

export interface Store {
  /** Where it is, for people, without credentials: `file:/home/a/.local/state/lastgood`, `redis://host:6379/0`. */
  readonly location: string
  /** Small records that all sessions of the store share. */
  readonly shared: SharedState
  /** Where this session's journal is or would be, for a person with `tail`, `jq` or `redis-cli`: a path, a key. */
  journalAt(sessionId: string): string
  /**
   * Take the session for writing, also one that does not exist yet. A live lease of another owner gives `Busy`, unless
   * `takeover` is the fence of that lease: for a holder known to be dead, or when a person asks for it. A store may
   * refuse the takeover from a remover until its lease expires.
   */
  acquire(sessionId: string, owner: Owner, ttlMs: number, takeover?: number): Promise<Lease | Busy>
  /** Extend the lease, also an expired one that nobody took; false if it was released or another owner took over. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>
  /** Give the lease back: nothing can be appended under it any more. Without effect if it is no longer ours. */
  release(lease: Lease): Promise<void>
  /**
   * Add `entries` (at least one, `seq` from `afterSeq + 1`) and replace the head; returns the new last sequence. Where
   * the journal ends before `afterSeq`, `details.seq` of the `journal-conflict` is its last entry.
   */
  append(lease: Lease, afterSeq: number, entries: readonly Entry[], head: Head): Promise<number>
  /**
   * Keep `text` beside the journal under `name`, 64 hex digits that stand for it: durable when this returns, without
   * effect if it is there already. From then on an entry may name it. `lease-lost` as for `append`. If a server loses
   * it again, the next `append` under this lease is `store-unavailable` and adds nothing until the blob is written
   * again.
   */
  putBlob(lease: Lease, name: string, text: string): Promise<void>
  /** The text under `name`, or undefined if there is none. Not verified: the caller knows what it should be. */
  readBlob(sessionId: string, name: string): Promise<string | undefined>
  /** The entries after `afterSeq` (default 0: all), in order, verified. Stores use `inChunks` for fast full reads. */
  read(sessionId: string, afterSeq?: number): AsyncIterable<Entry>
  /** The head and the live holder, or undefined if no entry was ever appended. */
  summary(sessionId: string): Promise<SessionSummary | undefined>
  /**
   * All sessions with at least one entry, in no particular order. Sessions that cannot be read are left out, and an
   * error that names them (`listError`) ends the list.
   */
  list(filter?: SessionFilter): AsyncIterable<SessionSummary>
  /** What endangers the promises here, for people: settings, space, rights, damage. Reads only. */
  findings(): Promise<Finding[]>
  /**
   * Delete a session that nobody holds (`session-busy` otherwise), or the one under `lease`, which must not have
   * expired (`lease-lost` otherwise): then nobody else has held it since. Without a lease the session need not be
   * readable.
   */
  remove(sessionId: string, lease?: Lease): Promise<void>
  /** Release what the store itself opened; not the client that it was given. */
  close(): Promise<void>
}

/** Throws `bad-option` if `id` cannot name a session. */
export function assertSessionId(id: unknown): void {
  if (isSessionId(id)) return
  const given = typeof id === 'string' ? JSON.stringify(id.slice(0, 140)) : id === null ? 'null' : typeof id
  throw new LastgoodError('bad-option', `not a session id: ${given}`, {
    hint: 'a session id is a string of 1 to 128 letters, digits, ".", "_" or "-" that starts with a letter or digit, and is not "last"',
  })
}

/** Throws `bad-option` if `name` cannot name a blob. */
export function assertBlobName(name: string): void {
  if (isSha256(name)) return
  throw new LastgoodError('bad-option', 'not the name of a blob', { hint: 'a blob is named by 64 hex digits' })
}

/** Whether a summary passes a filter; for stores that filter after reading. */
export function matchesFilter({ head }: SessionSummary, filter: SessionFilter): boolean {
  if (filter.status && !filter.status.includes(head.status)) return false
  return filter.updatedSince === undefined || head.updatedAt >= filter.updatedSince
}

/**
 * Throws `journal-conflict` unless the sequences of `entries` continue from `afterSeq` under the lease's fence and the
 * head points at the last: a mistake of the caller, found before the store is asked.
 */
export function assertAppend(lease: Lease, afterSeq: number, entries: readonly Entry[], head: Head): void {
  const inOrder = entries.every((entry, i) => entry.seq === afterSeq + 1 + i && entry.fence === lease.fence)
  if (entries.length > 0 && inOrder && head.seq === afterSeq + entries.length && head.sessionId === lease.sessionId)
    return
  throw journalConflict(lease.sessionId, afterSeq)
}

/** `seq`: the last entry of the journal, if that is before `afterSeq`. */
export function journalConflict(sessionId: string, afterSeq: number, seq = afterSeq): LastgoodError {
  const isShort = seq < afterSeq
  return new LastgoodError(
    'journal-conflict',
    `session ${sessionId}: the journal ${isShort ? `ends at entry ${seq}, and cannot` : 'does not'} continue after entry ${afterSeq}`,
    {
      hint: 'open the session again: it continues from what its journal has',
      details: { sessionId, afterSeq, ...(isShort && { seq }) },
    },
  )
}

export function leaseLost(sessionId: string, fence: number): LastgoodError {
  return new LastgoodError(
    'lease-lost',
    `session ${sessionId} is no longer ours: another writer took it, or it was removed (our fence was ${fence})`,
    {
      hint: `stop this process; who has the session now: lastgood list --all`,
      details: { sessionId, fence },
    },
  )
}

export function sessionNotFound(sessionId: string, { location }: Store): LastgoodError {
  return new LastgoodError('session-not-found', `no session ${sessionId} in ${location}`, {
    hint: 'see what is there: lastgood list --all',
    details: { sessionId, location },
  })
}

/**
 * `head`: of the session, where it is known: only what an agent ran is taken over by a command, and only where a turn
 * has ended is there something to fork.
 */
export function sessionBusy(
  { sessionId, owner, since, expiresAt, fence }: Omit<Busy, 'kind'>,
  head?: Pick<Head, 'agent' | 'lastGoodTurn'>,
): LastgoodError {
  const who = `pid ${owner.pid} on ${owner.host} since ${new Date(since).toISOString()}`
  const details = { sessionId, host: owner.host, pid: owner.pid, since, expiresAt, fence }
  if (isRemover(owner)) {
    const hint = `that ends at ${new Date(expiresAt).toISOString()} at the latest; then try again`
    return new LastgoodError('session-busy', `session ${sessionId} is being removed by ${who}`, { hint, details })
  }
  const past =
    head?.agent === undefined
      ? 'end that process'
      : `take it over, which shuts that process out: lastgood resume ${sessionId} --takeover`
  return new LastgoodError('session-busy', `session ${sessionId} is written by ${who}`, {
    hint: `wait for it; ${head?.lastGoodTurn ? `work in a fork beside it: lastgood fork ${sessionId}; ` : ''}or ${past}`,
    details,
  })
}
