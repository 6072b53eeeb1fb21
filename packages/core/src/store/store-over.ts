/** A store that delegates to another one, except for a few operations of its own. */
import type { Store } from './store.ts'

/** `store` with the members of `own` in place of its own. */
export function storeOver(store: Store, own: Partial<Store>): Store {
  return {
    location: store.location,
    shared: store.shared,
    journalAt: (sessionId) => store.journalAt(sessionId),
    acquire: (sessionId, owner, ttlMs, takeover) => store.acquire(sessionId, owner, ttlMs, takeover),
    renew: (lease, ttlMs) => store.renew(lease, ttlMs),
    release: (lease) => store.release(lease),
    append: (lease, afterSeq, entries, head) => store.append(lease, afterSeq, entries, head),
    putBlob: (lease, name, text) => store.putBlob(lease, name, text),
    readBlob: (sessionId, name) => store.readBlob(sessionId, name),
    read: (sessionId, afterSeq) => store.read(sessionId, afterSeq),
    summary: (sessionId) => store.summary(sessionId),
    list: (filter) => store.list(filter),
    findings: () => store.findings(),
    remove: (sessionId, lease) => store.remove(sessionId, lease),
    close: () => store.close(),
    ...own,
  }
}
