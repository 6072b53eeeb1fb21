/**
 * A store in the memory of this process: for tests, and for sessions that need not outlive it. It keeps JSON text, so
 * that callers share no object with it and get back exactly what any other store would give.
 */
import { type Clock, systemClock } from '../clock.ts'
import type { Entry } from '../journal/journal.ts'
import { memorySharedState } from '../records/memory-shared-state.ts'
import { type LeftOut, listError } from './left-out.ts'
import { parseHead } from './head.ts'
import {
  type Holder,
  type Lease,
  type SessionSummary,
  type Store,
  assertAppend,
  assertBlobName,
  assertSessionId,
  journalConflict,
  leaseLost,
  matchesFilter,
  sessionBusy,
} from './store.ts'

export interface MemoryStoreOptions {
  /** Default: the system's clock. */
  clock?: Clock
}

/** One session: a fence that outlives its holder, and a journal that may still be empty. */
interface Kept {
  fence: number
  holder: Holder | null
  /** Entries as JSON; entry `seq` is at `seq - 1`. */
  entries: string[]
  head: string
  blobs: Map<string, string>
}

/** Sessions that end with this process. Two stores never share anything. */
export function memoryStore({ clock = systemClock }: MemoryStoreOptions = {}): Store {
  const sessions = new Map<string, Kept>()

  const liveHolder = (kept: Kept | undefined): Holder | null =>
    kept?.holder && kept.holder.expiresAt > clock.now() ? structuredClone(kept.holder) : null

  async function summary(sessionId: string): Promise<SessionSummary | undefined> {
    assertSessionId(sessionId)
    const kept = sessions.get(sessionId)
    if (!kept || kept.entries.length === 0) return undefined
    return { head: parseHead(JSON.parse(kept.head), `memory:${sessionId}`, sessionId), holder: liveHolder(kept) }
  }

  /** The session, if this is still its newest lease, held by the same owner and not released. */
  const heldUnder = ({ sessionId, fence, owner }: Lease): (Kept & { holder: Holder }) | undefined => {
    const kept = sessions.get(sessionId)
    const isHeld = kept?.fence === fence && kept.holder?.owner.id === owner.id
    return isHeld ? (kept as Kept & { holder: Holder }) : undefined
  }

  return {
    location: 'memory:',
    shared: memorySharedState(),
    journalAt: (sessionId) => `memory:${sessionId}`,

    async acquire(sessionId, owner, ttlMs, takeover) {
      assertSessionId(sessionId)
      const kept = sessions.get(sessionId) ?? unused(0)
      const live = liveHolder(kept)
      if (live && live.owner.id !== owner.id && live.fence !== takeover) return { kind: 'busy', sessionId, ...live }
      const since = clock.now()
      kept.fence += 1
      kept.holder = { owner: structuredClone(owner), fence: kept.fence, since, expiresAt: since + ttlMs }
      sessions.set(sessionId, kept)
      return { kind: 'lease', sessionId, ...structuredClone(kept.holder) }
    },

    async renew(lease, ttlMs) {
      const kept = heldUnder(lease)
      if (kept) kept.holder.expiresAt = clock.now() + ttlMs
      return kept !== undefined
    },

    async release(lease) {
      const kept: Kept | undefined = heldUnder(lease)
      if (kept) kept.holder = null
    },

    async append(lease, afterSeq, entries, head) {
      assertAppend(lease, afterSeq, entries, head)
      const kept = heldUnder(lease)
      if (!kept) throw leaseLost(lease.sessionId, lease.fence)
      const lines = entries.map((entry) => JSON.stringify(entry))
      const repeated = lines.every((line, i) => line === kept.entries[afterSeq + i])
      if (!repeated) {
        const { length } = kept.entries
        if (length !== afterSeq) throw journalConflict(lease.sessionId, afterSeq, length)
        for (const line of lines) kept.entries.push(line)
        kept.head = JSON.stringify(head)
      }
      return afterSeq + entries.length
    },

    async putBlob(lease, name, text) {
      assertBlobName(name)
      const kept = heldUnder(lease)
      if (!kept) throw leaseLost(lease.sessionId, lease.fence)
      kept.blobs.set(name, text)
    },

    async readBlob(sessionId, name) {
      assertSessionId(sessionId)
      assertBlobName(name)
      return sessions.get(sessionId)?.blobs.get(name)
    },

    async *read(sessionId, afterSeq = 0) {
      assertSessionId(sessionId)
      const lines = sessions.get(sessionId)?.entries.slice(afterSeq) ?? []
      for (const line of lines) yield JSON.parse(line) as Entry
    },

    summary,

    async *list(filter = {}) {
      const leftOut: LeftOut[] = []
      for (const sessionId of sessions.keys()) {
        const found = await summary(sessionId).catch((error: unknown) => void leftOut.push({ sessionId, error }))
        if (found && matchesFilter(found, filter)) yield found
      }
      if (leftOut.length > 0) throw listError(leftOut)
    },

    async findings() {
      return [
        {
          severity: 'danger',
          what: 'sessions are kept in the memory of this process',
          risk: 'no other process can read what was acknowledged (P1): it is gone when this one ends',
          mend: 'use fileStore() of @lastgood/core/file, or redisStore(client) of @lastgood/redis',
        },
      ]
    },

    async remove(sessionId, lease) {
      assertSessionId(sessionId)
      const kept = sessions.get(sessionId)
      const live = liveHolder(kept)
      // A session that is gone was removed by this very call, whose answer was lost.
      const isThere = kept && (kept.holder !== null || kept.entries.length > 0)
      if (lease && isThere && !(live && heldUnder(lease))) throw leaseLost(sessionId, lease.fence)
      if (live && !lease) throw sessionBusy({ sessionId, ...live })
      // The fence stays and grows, so that the next session of that name refuses a late writer of this one.
      if (kept) sessions.set(sessionId, unused(kept.fence + 1))
    },

    async close() {},
  }
}

function unused(fence: number): Kept {
  return { fence, holder: null, entries: [], head: '', blobs: new Map() }
}
