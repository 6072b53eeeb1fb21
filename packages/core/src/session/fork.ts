/**
 * Forking: a new session that goes on from the end of a turn of this one. The parent is only read; it may be written
 * meanwhile, and needs no lease.
 *
 * 1. Nothing is copied: the fork's journal begins with the place that it goes on from; see `history.ts`.
 * 2. That place is in the journal where the turn ended: for a turn that the parent inherited, an ancestor's journal.
 * 3. A fork exists only if its parent stays: first it is announced in a head that names the parent, then the parent is
 *    checked, then the fork is written; see `removal.ts`. Where a process died between, forking again starts over.
 */
import type { Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import { assertFinished, forkingHead, isUnfinishedFork } from '../store/unfinished.ts'
import { foldHistory } from './fold.ts'
import { HeldJournal } from './held-journal.ts'
import { endsOfTurns, inheritedFrom, readHistory } from '../store/history.ts'
import type { Origin, Owner } from '../journal/journal.ts'
import { isBeingRemoved, removeSession } from '../store/removal.ts'
import { sessionOpened } from './open-session.ts'
import { ownWayOn } from './own-way-on.ts'
import { retentionChange, type Retention } from './retention.ts'
import { resolveOptions } from './session-options.ts'
import type { Head } from '../store/head.ts'
import { assertSessionId, sessionNotFound, type Store } from '../store/store.ts'
import { takeLease } from '../store/take-lease.ts'

export interface ForkOptions extends Retention {
  /** The turn after which it goes on. Default: the last good turn. */
  turn?: number
  /** For people. Default: `forked after turn n of <session>`. */
  reason?: string
  /** Recorded with the fork. Default: the folder of this process. */
  cwd?: string
  /** Default: the system's. */
  clock?: Clock
  /** Default: this process. */
  owner?: Owner
  /** As for `openSession`. */
  machineVersion?: string
}

export interface Fork {
  sessionId: string
  /** Where it goes on from: in the parent's journal, or in that of a session the parent was forked from. */
  origin: Origin
  turn: number
}

/**
 * Makes session `newId` out of the turns of `sessionId` up to `turn`, and leaves it closed.
 *
 * Errors: `session-not-found`, `bad-option` (no such finished turn, or `newId` is taken), `session-busy`, and those of
 * reading and writing.
 */
export async function forkSession(
  store: Store,
  sessionId: string,
  newId: string,
  options: ForkOptions = {},
): Promise<Fork> {
  assertSessionId(sessionId)
  assertSessionId(newId)
  const { turn: wanted, reason, ...rest } = options
  const resolved = resolveOptions({ ...rest, store })
  const { store: asked, owner, leaseMs, clock, machineVersion } = resolved
  const forked = await asked.summary(sessionId)
  if (!forked) throw sessionNotFound(sessionId, store)
  assertFinished(forked.head)
  const there = await asked.summary(newId)
  if (there && !isUnfinishedFork(there.head)) throw taken(newId)
  const ends = await endsOfTurns(readHistory(asked, sessionId))
  const turn = wanted ?? [...ends.keys()].at(-1)
  const origin = turn === undefined ? undefined : ends.get(turn)
  if (turn === undefined || !origin) throw noSuchTurn(forked.head, wanted, [...ends.keys()])

  if (there) await removeSession(store, there.head, { clock, owner })
  const lease = await takeLease(asked, newId, { owner, leaseMs })
  let journal: HeldJournal | undefined
  try {
    if (await asked.summary(newId)) throw taken(newId)
    const folded = await foldHistory(inheritedFrom(asked, origin), machineVersion)
    journal = new HeldJournal(lease, folded, resolved)
    await journal.record([sessionOpened(resolved)], (head) => forkingHead(head, origin))
    const parent = await asked.summary(origin.sessionId)
    if (!parent || isBeingRemoved(parent)) throw sessionNotFound(origin.sessionId, store)
    const kept = retentionChange({}, resolved.retention)
    await journal.record([
      { type: 'session-forked', origin, reason: reason ?? `forked after turn ${turn} of ${sessionId}` },
      ...(kept ? [kept] : []),
    ])
    await journal.close()
    return { sessionId: newId, origin, turn }
  } catch (error) {
    await (journal ? journal.close() : asked.release(lease)).catch(() => {})
    const left = await asked.summary(newId).catch(() => undefined)
    if (left && isUnfinishedFork(left.head)) await removeSession(store, left.head, { clock, owner }).catch(() => {})
    throw error
  }
}

function taken(sessionId: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId} already exists`, {
    hint: `choose another id; lastgood show ${sessionId} shows the existing one`,
    details: { sessionId },
  })
}

function noSuchTurn({ sessionId, agent }: Head, wanted: number | undefined, turns: readonly number[]): LastgoodError {
  const toFinish = agent === undefined ? ownWayOn(sessionId) : `lastgood resume ${sessionId}`
  const what = wanted === undefined ? 'no finished turn' : `no finished turn ${wanted}`
  return new LastgoodError('bad-option', `session ${sessionId} has ${what} to fork after`, {
    hint: turns.length > 0 ? `finished turns: ${turns.join(', ')}` : `finish one first: ${toFinish}`,
    details: { sessionId, turns },
  })
}
