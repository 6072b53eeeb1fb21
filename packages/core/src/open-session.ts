/**
 * Opening a session: its lease is taken, its journal folded, and the restart recorded.
 */
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
    const folded = await foldJournal(store.read(id), resolved.machineVersion, summary?.head)
    session = new Session(id, lease, folded, resolved)
    await session.restore(folded.refolded)
    return session
  } catch (error) {
    // What went wrong first is what the caller has to hear; a lease that cannot be given back runs out by itself.
    await (session ? session.close() : store.release(lease)).catch(() => {})
    throw error
  }
}

async function takeLease(id: string, { store, owner, leaseMs, takeover }: ResolvedOptions): Promise<Lease> {
  const first = await store.acquire(id, owner, leaseMs)
  if (first.kind === 'lease') return first
  if (!takeover && !isDead(first.owner)) throw sessionBusy(first)
  const second = await store.acquire(id, owner, leaseMs, first.fence)
  if (second.kind === 'lease') return second
  throw sessionBusy(second)
}
