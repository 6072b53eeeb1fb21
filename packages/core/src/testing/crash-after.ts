/**
 * A store whose process dies at a chosen append, to enumerate crash points instead of sampling them:
 *
 *     for (let n = 0; ; n++) {
 *       const store = crashAfter(inner, n, { applied: true })
 *       await runUntilCrash(store)                 // throws CrashError somewhere
 *       if (!store.crashed) break                  // every point was visited
 *       await resumeAndCheck(inner)
 *     }
 */
import type { Store } from '../store.ts'

/** Stands for the end of the process: nothing that was under way afterwards happened. */
export class CrashError extends Error {
  constructor(options?: { cause: unknown }) {
    super('the process died here (on purpose, by crashAfter)', options)
    this.name = 'CrashError'
  }
}

export interface CrashPoint {
  /** Whether the store still applied the append that the process died in, without anybody learning of it. */
  applied: boolean
}

export interface CrashingStore extends Store {
  readonly crashed: boolean
  /** Appends that were asked for, the fatal one included. */
  readonly appends: number
}

/** `store`, but its append number `n + 1` fails, and every call after that, of any kind, too. */
export function crashAfter(store: Store, n: number, { applied }: CrashPoint): CrashingStore {
  let appends = 0
  let crashed = false
  const alive = () => {
    if (crashed) throw new CrashError()
  }

  return {
    location: store.location,
    journalAt: (sessionId) => store.journalAt(sessionId),
    shared: {
      async read(key) {
        alive()
        return store.shared.read(key)
      },
      async write(key, version, value) {
        alive()
        return store.shared.write(key, version, value)
      },
      async list(prefix) {
        alive()
        return store.shared.list(prefix)
      },
    },
    get crashed() {
      return crashed
    },
    get appends() {
      return appends
    },
    async acquire(sessionId, owner, ttlMs, takeover) {
      alive()
      return store.acquire(sessionId, owner, ttlMs, takeover)
    },
    async renew(lease, ttlMs) {
      alive()
      return store.renew(lease, ttlMs)
    },
    async release(lease) {
      alive()
      return store.release(lease)
    },
    async append(lease, afterSeq, entries, head) {
      alive()
      if (++appends <= n) return store.append(lease, afterSeq, entries, head)
      crashed = true
      if (applied) {
        await store.append(lease, afterSeq, entries, head).catch((cause: unknown) => {
          throw new CrashError({ cause })
        })
      }
      throw new CrashError()
    },
    async putBlob(lease, name, text) {
      alive()
      return store.putBlob(lease, name, text)
    },
    async readBlob(sessionId, name) {
      alive()
      return store.readBlob(sessionId, name)
    },
    async *read(sessionId, afterSeq) {
      alive()
      for await (const entry of store.read(sessionId, afterSeq)) {
        alive()
        yield entry
      }
    },
    async summary(sessionId) {
      alive()
      return store.summary(sessionId)
    },
    async *list(filter) {
      alive()
      for await (const summary of store.list(filter)) {
        alive()
        yield summary
      }
    },
    async findings() {
      alive()
      return store.findings()
    },
    async remove(sessionId, lease) {
      alive()
      return store.remove(sessionId, lease)
    },
    async close() {
      alive()
      return store.close()
    },
  }
}
