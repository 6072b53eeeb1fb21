/** Stores with one fault each, to see that the contract finds it. Otherwise they are memory stores. */
import { journalConflict, memoryStore, type Clock, type Entry, type Lease, type Store } from '@lastgood/core'

/** Accepts entries under any fence that it ever granted: a stale writer gets in. */
export function forgetsFences(clock: Clock): Store {
  const store = memoryStore({ clock })
  const newest = new Map<string, Lease>()
  const written = new Map<string, Entry>()
  return {
    ...store,
    async acquire(...args) {
      const result = await store.acquire(...args)
      if (result.kind === 'lease') newest.set(result.sessionId, result)
      return result
    },
    async append(lease, afterSeq, entries, head) {
      const current = newest.get(lease.sessionId) ?? lease
      const { fence } = current
      const last = await store.append(
        current,
        afterSeq,
        entries.map((entry) => ({ ...entry, fence })),
        head,
      )
      for (const entry of entries) written.set(`${lease.sessionId} ${entry.seq}`, structuredClone(entry))
      return last
    },
    async *read(sessionId, afterSeq) {
      for await (const entry of store.read(sessionId, afterSeq)) {
        yield structuredClone(written.get(`${sessionId} ${entry.seq}`) ?? entry)
      }
    },
  }
}

/** Acknowledges all entries of an append, and keeps all but the last. */
export function losesLastEntries(clock: Clock): Store {
  const store = memoryStore({ clock })
  return {
    ...store,
    async append(lease, afterSeq, entries, head) {
      const kept = entries.length > 1 ? entries.slice(0, -1) : entries
      await store.append(lease, afterSeq, kept, { ...head, seq: afterSeq + kept.length })
      return afterSeq + entries.length
    },
  }
}

/** Does not recognise an append that it has already applied. */
export function isNotIdempotent(clock: Clock): Store {
  const store = memoryStore({ clock })
  return {
    ...store,
    async append(lease, afterSeq, entries, head) {
      const seq = (await store.summary(lease.sessionId))?.head.seq ?? 0
      if (afterSeq < seq) throw journalConflict(lease.sessionId, afterSeq)
      return store.append(lease, afterSeq, entries, head)
    },
  }
}

/** Grants the session to every caller. */
export function letsEverybodyIn(clock: Clock): Store {
  const store = memoryStore({ clock })
  return {
    ...store,
    async acquire(sessionId, owner, ttlMs, takeover) {
      const result = await store.acquire(sessionId, owner, ttlMs, takeover)
      return result.kind === 'lease' ? result : store.acquire(sessionId, owner, ttlMs, result.fence)
    },
  }
}

/** Acknowledges entries when it has only begun to write them. */
export function acknowledgesTooEarly(clock: Clock): Store {
  const store = memoryStore({ clock })
  return {
    ...store,
    async append(lease, afterSeq, entries, head) {
      setImmediate(() => void store.append(lease, afterSeq, entries, head).catch(() => {}))
      return afterSeq + entries.length
    },
  }
}

/** Adds the entries of one append one by one, so that readers see a part of them. */
export function appendsInPieces(clock: Clock): Store {
  const store = memoryStore({ clock })
  return {
    ...store,
    async append(lease, afterSeq, entries, head) {
      if (entries.length === 0) return store.append(lease, afterSeq, entries, head)
      for (const [i, entry] of entries.entries()) {
        await store.append(lease, afterSeq + i, [entry], { ...head, seq: afterSeq + i + 1 })
        await new Promise((resolve) => setImmediate(resolve))
      }
      return afterSeq + entries.length
    },
  }
}
