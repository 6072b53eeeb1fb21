/**
 * Opening a session: its lease is taken, its journal folded, and the restart recorded.
 */
import { isLastgoodError, LastgoodError } from '../errors.ts'
import { assertFinished } from '../store/unfinished.ts'
import { foldHistory, type Folded } from './fold.ts'
import { readHistory } from '../store/history.ts'
import type { EntryBody } from '../journal/journal.ts'
import { lasting } from './lease-keeper.ts'
import type { StateName } from '../machine/machine-state.ts'
import { retentionChange } from './retention.ts'
import { Session } from './session.ts'
import { resolveOptions, type ResolvedOptions, type SessionOptions } from './session-options.ts'
import type { Head } from '../store/head.ts'
import { assertSessionId, leaseLost, sessionNotFound } from '../store/store.ts'
import { takeLease } from '../store/take-lease.ts'
import { writerVersion } from '../version.ts'

/**
 * Opens a new or an existing session for writing, and takes its lease. What was in flight when its last process died is
 * owed again: see `Session.owed`.
 *
 * Errors: `bad-option`, `session-busy`, `lease-lost`, `store-unavailable`, `journal-corrupt`, `journal-sealed`,
 * `journal-version`.
 */
export async function openSession(id: string, options: SessionOptions = {}): Promise<Session> {
  const resolved = resolveOptions(options)
  return opened(id, resolved, async (session, { refolded }, before) => {
    await session.watchers.open(resolved.watchers, session, before)
    await recordRestart(session, resolved, refolded)
    await shortenWait(session)
    return session
  })
}

/**
 * Lets `record` write to an existing session (a rewind, how long it is kept) and closes it again. Not a restart:
 * what is in flight is owed when the session is opened next.
 *
 * Errors: those of `openSession`, `session-not-found`, and what `record` throws.
 */
export async function visitSession<T>(
  id: string,
  options: SessionOptions,
  record: (session: Session) => Promise<T>,
): Promise<T> {
  const resolved = resolveOptions(options)
  if (!(await resolved.store.summary(id))) throw sessionNotFound(id, resolved.store)
  return opened(id, resolved, async (session) => {
    const result = await record(session)
    await session.close()
    return result
  })
}

/** A process that dies in one of these leaves nothing in flight. */
const atRest: ReadonlySet<StateName> = new Set(['idle', 'refused'])

/** The restart is a fact too, so that what was in flight has one way back in. */
async function recordRestart(session: Session, options: ResolvedOptions, refolded: boolean): Promise<void> {
  const { owner, callsElsewhere, retention } = options
  if (session.seq === 0) {
    const kept = retentionChange(session.facts, retention)
    await session.stage([sessionOpened(options), ...(kept ? [kept] : [])])
    return
  }
  if (refolded || !(atRest.has(session.state) || (callsElsewhere && session.state === 'executingTools'))) {
    await session.record([{ type: 'session-resumed', owner, ...(refolded && { refolded }) }])
  }
  await session.retain(retention)
}

/** The first entry of a session. */
export function sessionOpened({ owner, cwd }: ResolvedOptions): EntryBody {
  return { type: 'session-opened', owner, ...(cwd !== null && { cwd }), writer: writerVersion }
}

/** A wait that was armed while the clock was ahead keeps the length it was meant to have, not its instant. */
async function shortenWait(session: Session): Promise<void> {
  const { owed, context } = session
  const now = session.clock.now()
  const { waitsSince: since = now } = session.transcript
  if (owed.kind !== 'wait' || since <= now) return
  const until = now + Math.max(0, owed.until - since)
  await session.record([{ type: 'request-held', until, reason: context.reason ?? '' }])
}

async function opened<T>(
  id: string,
  options: ResolvedOptions,
  use: (session: Session, folded: Folded, before: Head | undefined) => Promise<T>,
): Promise<T> {
  assertSessionId(id)
  const { store, leaseMs, clock } = options
  const runs = lasting(clock, leaseMs)
  const lease = await takeLease(store, id, options)
  let session: Session | undefined
  try {
    const summary = await store.summary(id)
    if (summary) assertFinished(summary.head)
    const folded = await foldedAs(id, options, summary?.head).catch(async (error: unknown) => {
      // Between two reads another writer may have taken the session and gone on, or removed it: then this is no damage.
      const isHeld = isLastgoodError(error, 'store-unavailable') || (await store.renew(lease, leaseMs))
      throw isHeld ? error : leaseLost(id, lease.fence)
    })
    session = new Session(lease, folded, options, runs)
    return await use(session, folded, summary?.head)
  } catch (error) {
    // The caller has to get the first error; a lease that cannot be given back expires by itself.
    await (session ? session.close() : store.release(lease)).catch(() => {})
    throw error
  }
}

/** Errors: those of `foldHistory`; `journal-corrupt` where the journal is not as long as `head` says. */
async function foldedAs(id: string, { store, machineVersion }: ResolvedOptions, head?: Head): Promise<Folded> {
  const folded = await foldHistory(readHistory(store, id), machineVersion, head)
  if (head && head.seq !== folded.seq) throw shorterThanItsHead(id, folded.seq, head.seq)
  return folded
}

function shorterThanItsHead(id: string, length: number, seq: number): LastgoodError {
  return new LastgoodError(
    'journal-corrupt',
    `session ${id}: the journal has ${length} entries, but its head says ${seq}`,
    {
      hint: `the store lost part of it: restore it from a copy; lastgood show ${id} shows what is left`,
      details: { sessionId: id, length, seq },
    },
  )
}
