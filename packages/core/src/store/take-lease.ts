import type { LastgoodError } from '../errors.ts'
import type { Owner } from '../journal/journal.ts'
import { isDead } from './owner.ts'
import { sessionBusy, type Busy, type Lease, type Store } from './store.ts'

/**
 * Takes the lease of a session, also from a holder known to be dead; with `takeover`, from a live one too. Errors:
 * `session-busy`, `store-unavailable`.
 */
export async function takeLease(
  store: Store,
  sessionId: string,
  owner: Owner,
  ttlMs: number,
  takeover = false,
): Promise<Lease> {
  const first = await store.acquire(sessionId, owner, ttlMs)
  if (first.kind === 'lease') return first
  if (!takeover && !isDead(first.owner)) throw await busyAt(store, first)
  const second = await store.acquire(sessionId, owner, ttlMs, first.fence)
  if (second.kind === 'lease') return second
  throw await busyAt(store, second)
}

async function busyAt(store: Store, busy: Busy): Promise<LastgoodError> {
  const summary = await store.summary(busy.sessionId).catch(() => undefined)
  return sessionBusy(busy, summary?.head)
}
