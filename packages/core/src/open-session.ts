/**
 * Opening a session: its lease is taken, its journal folded, and the restart recorded.
 */
import { withBlobs } from './blobs.ts'
import { LastgoodError } from './errors.ts'
import { foldJournal } from './fold.ts'
import { isDead } from './owner.ts'
import { Session } from './session.ts'
import { resolveOptions, type ResolvedOptions, type SessionOptions } from './session-options.ts'
import { assertSessionId, sessionBusy, type Lease } from './store.ts'

/**
 * Opens a session for writing, a new one or one that is there, and takes its lease. What was in flight when its last
 * process died is owed again: see `Session.owed`.
 *
 * Errors: `bad-option`, `session-busy`, `store-unavailable`, `journal-corrupt`, `journal-version`.
 */
export async function openSession(id: string, options: SessionOptions = {}): Promise<Session> {
  assertSessionId(id)
  const resolved = resolveOptions(options)
  const { store } = resolved
  const lease = await takeLease(id, resolved)
  let session: Session | undefined
  try {
    const summary = await store.summary(id)
    const folded = await foldJournal(withBlobs(store, id, store.read(id)), resolved.machineVersion, summary?.head)
    if (summary && summary.head.seq !== folded.seq) throw shorterThanItsHead(id, folded.seq, summary.head.seq)
    session = new Session(id, lease, folded, resolved)
    await session.restore(folded.refolded)
    return session
  } catch (error) {
    // What went wrong first is what the caller has to hear; a lease that cannot be given back runs out by itself.
    await (session ? session.close() : store.release(lease)).catch(() => {})
    throw error
  }
}

function shorterThanItsHead(id: string, length: number, seq: number): LastgoodError {
  return new LastgoodError(
    'journal-corrupt',
    `session ${id}: the journal has ${length} entries, its head says ${seq}`,
    {
      hint: `the store lost a part of it: restore it from a copy; lastgood show ${id} shows what is left`,
      details: { sessionId: id, length, seq },
    },
  )
}

async function takeLease(id: string, { store, owner, leaseMs, takeover }: ResolvedOptions): Promise<Lease> {
  const first = await store.acquire(id, owner, leaseMs)
  if (first.kind === 'lease') return first
  if (!takeover && !isDead(first.owner)) throw sessionBusy(first)
  const second = await store.acquire(id, owner, leaseMs, first.fence)
  if (second.kind === 'lease') return second
  throw sessionBusy(second)
}
