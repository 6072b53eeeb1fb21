/** What a contract case is given, and the few steps that most cases share. */
import assert from 'node:assert/strict'
import { type ErrorCode, isLastgoodError } from '../../errors.ts'
import type { Entry, EntryBody, Owner } from '../../journal/journal.ts'
import type { Lease, SessionFilter, SessionSummary, Store } from '../../store/store.ts'
import { entriesAfter, head, owner } from '../entries.ts'

/** One empty store for one case. */
export interface StoreHarness {
  store: Store
  /** A second handle on the same data, as another process would have. */
  another(): Promise<Store>
  /** Makes the lease of this session older by `ms`. */
  elapse(sessionId: string, ms: number): Promise<void>
  close(): Promise<void>
}

export interface StoreCase {
  /** A claim. */
  name: string
  /** Throws when the claim does not hold. */
  run(harness: StoreHarness): Promise<void>
}

/** Long enough that no lease runs out by itself while a case runs. */
export const ttlMs = 600_000

/** Acquires `sessionId` or fails. */
export async function taken(
  store: Store,
  sessionId: string,
  by: Owner = owner('ann'),
  takeover?: number,
): Promise<Lease> {
  const lease = await store.acquire(sessionId, by, ttlMs, takeover)
  if (lease.kind === 'busy') assert.fail(`${sessionId} is busy`)
  return lease
}

/** Appends `count` entries after `afterSeq`, with a fitting head, and returns them. */
export async function added(
  store: Store,
  lease: Lease,
  afterSeq: number,
  count = 1,
  body?: EntryBody,
): Promise<Entry[]> {
  const entries = entriesAfter(afterSeq, count, lease.fence, body)
  const last = await store.append(lease, afterSeq, entries, head(lease.sessionId, afterSeq + count))
  assert.equal(last, afterSeq + count)
  return entries
}

export async function readAll(store: Store, sessionId: string, afterSeq?: number): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const one of store.read(sessionId, afterSeq)) entries.push(one)
  return entries
}

/** The ids that `list` gives, sorted; a session that is listed twice appears twice. */
export async function listed(store: Store, filter?: SessionFilter): Promise<string[]> {
  const ids: string[] = []
  for await (const { head } of store.list(filter)) ids.push(head.sessionId)
  return ids.sort()
}

export async function summaryOf(store: Store, sessionId: string): Promise<SessionSummary> {
  const summary = await store.summary(sessionId)
  assert.ok(summary, `${sessionId} has no summary`)
  return summary
}

/** Asserts that `promise` rejects with a lastgood error of one of these codes. */
export async function rejects(promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isLastgoodError(error), `not a lastgood error: ${String(error)}`)
    assert.ok(codes.includes(error.code), `${error.code} instead of ${codes.join(' or ')}`)
    assert.notEqual(error.hint, '', 'an error without a hint')
    return true
  })
}
