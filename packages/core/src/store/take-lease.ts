import type { LastgoodError } from '../errors.ts'
import type { Owner } from '../journal/journal.ts'
import { isDead } from './owner.ts'
import { sessionBusy, type Busy, type Lease, type Store } from './store.ts'

export interface TakeOptions {
  owner: Owner
  leaseMs: number
  /** From a live holder too. Default false. */
  takeover?: boolean
}

/** Takes the lease of a session, also from a holder known to be dead. Errors: `session-busy`, `store-unavailable`. */
export async function takeLease(
  store: Store,
  sessionId: string,
  { owner, leaseMs, takeover = false }: TakeOptions,
): Promise<Lease> {
  const first = await store.acquire(sessionId, owner, leaseMs)
  if (first.kind === 'lease') return first
  if (!takeover && !isDead(first.owner)) throw await busyAt(store, first)
  const second = await store.acquire(sessionId, owner, leaseMs, first.fence)
  if (second.kind === 'lease') return second
  throw await busyAt(store, second)
}

async function busyAt(store: Store, busy: Busy): Promise<LastgoodError> {
  const summary = await store.summary(busy.sessionId).catch(() => undefined)
  return sessionBusy(busy, summary?.head)
}
