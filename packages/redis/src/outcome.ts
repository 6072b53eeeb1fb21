/** The replies of the scripts in terms of the store contract: leases, summaries, errors. */
import {
  type Busy,
  type Holder,
  type Lease,
  type Owner,
  type SessionSummary,
  LastgoodError,
  parseHead,
  journalConflict,
  leaseLost,
  sessionBusy,
} from '@lastgood/core'
import type { Reply } from './server.ts'

export function acquired([kind, ...holder]: Reply, sessionId: string, place: string): Lease | Busy {
  return { kind: kind === 'lease' ? 'lease' : 'busy', sessionId, ...holderFrom(holder, place) }
}

/** The last sequence; throws the reason if nothing was appended. */
export function appended([kind, ...values]: Reply, lease: Lease, afterSeq: number, place: string): number {
  if (kind === 'appended') return Number(values[0])
  if (kind === 'lease-lost') throw leaseLost(lease.sessionId, lease.fence)
  if (kind === 'journal-short') throw journalShort(place, Number(values[0]), Number(values[1]))
  if (kind === 'gap') throw lostTail(lease.sessionId, place, Number(values[0]), afterSeq)
  throw journalConflict(lease.sessionId, afterSeq)
}

/** The score of the session's row in the index. Throws `session-busy`; with a lease, `lease-lost`. */
export function removed([kind, ...values]: Reply, sessionId: string, lease: Lease | undefined, place: string): number {
  if (kind === 'removed') return Number(values[0])
  if (lease) throw leaseLost(sessionId, lease.fence)
  throw sessionBusy({ sessionId, ...holderFrom(values, place) })
}

export type Summarized = SessionSummary | 'gone' | 'empty'

export function summarized([kind, head, ...holder]: Reply, sessionId: string, place: string): Summarized {
  if (kind === 'gone' || kind === 'empty') return kind
  if (kind === 'journal-short') throw journalShort(place, Number(head), Number(holder[0]))
  return {
    head: parseHead(jsonFrom(head, `${place}[head]`), `${place}[head]`, sessionId),
    holder: kind === 'held' ? holderFrom(holder, place) : null,
  }
}

/** The journal has another number of entries than its head says. */
export function journalShort(place: string, length: number, seq: number): LastgoodError {
  return new LastgoodError('journal-corrupt', `${place}: the head is at entry ${seq}, but the journal has ${length}`, {
    hint: 'the server lost part of its data (a restart without appendfsync always, a fail-over, an eviction): restore both keys of the session from a copy',
    details: { length, seq },
  })
}

/** Head and journal agree, but both end before an entry that was acknowledged to this writer. */
function lostTail(sessionId: string, place: string, seq: number, afterSeq: number): LastgoodError {
  return new LastgoodError(
    'journal-conflict',
    `${place}: the journal ends at entry ${seq}, and cannot continue after entry ${afterSeq}`,
    {
      hint: `the server lost what it had acknowledged (a fail-over, a restart without appendfsync always): restore both keys of the session from a copy, or check what its last tools did and open the session again: it continues from what is left`,
      details: { sessionId, seq, afterSeq },
    },
  )
}

/** The entries were not added: once the blob is written again, the same append succeeds. */
export function blobLost(location: string): LastgoodError {
  return new LastgoodError(
    'store-unavailable',
    `the store at ${location} cannot answer: it lost a large result before the entry that names it`,
    {
      hint: 'nothing was added: store the blob again, then append again; after a fail-over a session does this by itself',
      details: { location },
    },
  )
}

export function damaged(place: string, what: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `${place}: ${what}`, {
    hint: 'somebody else wrote to this key, or the server lost part of its data: restore the session from a copy',
  })
}

/** A JSON value. The parser's error would quote the text, so it is dropped. */
function jsonFrom(text: unknown, place: string): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    throw damaged(place, 'not JSON')
  }
}

function holderFrom([owner, fence, since, expiresAt]: readonly unknown[], place: string): Holder {
  return {
    owner: jsonFrom(owner, `${place}[owner]`) as Owner,
    fence: Number(fence),
    since: Number(since),
    expiresAt: Number(expiresAt),
  }
}
