/**
 * A store whose process dies at a chosen write, to enumerate crash points instead of sampling them:
 *
 *     for (let n = 0; ; n++) {
 *       const store = crashAfter(inner, n, { applied: true })
 *       await runUntilCrash(store).catch(() => {})   // a CrashError somewhere
 *       if (!store.crashed) break                    // every point was visited
 *       await resumeAndCheck(inner)
 *     }
 *
 * 1. The write that the process dies in may still be applied (`applied`), but the caller does not learn of it.
 * 2. From then on every call fails without reaching `inner`.
 */
import type { Store } from '../store/store.ts'

/** Stands for the end of the process: nothing after it happened. */
export class CrashError extends Error {
  constructor(options?: { cause: unknown }) {
    super('the process died here (on purpose, by crashAfter)', options)
    this.name = 'CrashError'
  }
}

export interface CrashPoint {
  /** Whether the store still applies the write that the process dies in, without the caller learning of it. */
  applied: boolean
  /**
   * Which calls are counted: appends, or every call that can change the store, including leases, blobs and shared
   * records. Default `append`.
   */
  at?: 'append' | 'write'
}

export interface CrashingStore extends Store {
  readonly crashed: boolean
  /** Number of append calls, including the fatal one. */
  readonly appends: number
  /** Number of calls that can change the store, including appends and the fatal one. */
  readonly writes: number
}

/** `store`, except that append (or write, see `at`) number `n + 1` fails, and so does every call after it. */
export function crashAfter(store: Store, n: number, { applied, at = 'append' }: CrashPoint): CrashingStore {
  let appends = 0
  let writes = 0
  let crashed = false
  const alive = () => {
    if (crashed) throw new CrashError()
  }

  async function read<T>(call: () => Promise<T>): Promise<T> {
    alive()
    const result = await call()
    alive()
    return result
  }

  async function write<T>(call: () => Promise<T>, kind: CrashPoint['at'] = 'write'): Promise<T> {
    alive()
    writes += 1
    if (kind === 'append') appends += 1
    const isCounted = at === 'write' || kind === 'append'
    if (!isCounted || (at === 'write' ? writes : appends) <= n) return read(call)
    crashed = true
    if (applied) {
      await call().catch((cause: unknown) => {
        throw new CrashError({ cause })
      })
    }
    throw new CrashError()
  }

  async function* readEach<T>(items: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    alive()
    for await (const item of items()) {
      alive()
      yield item
    }
  }

  const { shared } = store
  return {
    location: store.location,
    journalAt: (sessionId) => store.journalAt(sessionId),
    shared: {
      read: (key) => read(() => shared.read(key)),
      write: (key, version, value) => write(() => shared.write(key, version, value)),
      list: (prefix) => read(() => shared.list(prefix)),
    },
    get crashed() {
      return crashed
    },
    get appends() {
      return appends
    },
    get writes() {
      return writes
    },
    acquire: (sessionId, owner, ttlMs, takeover) => write(() => store.acquire(sessionId, owner, ttlMs, takeover)),
    renew: (lease, ttlMs) => write(() => store.renew(lease, ttlMs)),
    release: (lease) => write(() => store.release(lease)),
    append: (lease, afterSeq, entries, head) => write(() => store.append(lease, afterSeq, entries, head), 'append'),
    putBlob: (lease, name, text) => write(() => store.putBlob(lease, name, text)),
    readBlob: (sessionId, name) => read(() => store.readBlob(sessionId, name)),
    read: (sessionId, afterSeq) => readEach(() => store.read(sessionId, afterSeq)),
    summary: (sessionId) => read(() => store.summary(sessionId)),
    list: (filter) => readEach(() => store.list(filter)),
    findings: () => read(() => store.findings()),
    remove: (sessionId, lease) => write(() => store.remove(sessionId, lease)),
    close: () => read(() => store.close()),
  }
}
