/** A folder for one test, and the few steps that most tests of the file store share. */
import { join } from 'node:path'
import { newFolder } from '../../../../test/support/folder.ts'
import type { Entry } from '../journal/journal.ts'
import type { Lease, Store } from '../store/store.ts'
import { entriesAfter, head, owner, turnStarted } from '../testing/entries.ts'
import { fileStore } from './file-store.ts'

/** `open` makes a store as another process would; `journal` is the file of session `s`. */
export async function place(under?: string) {
  const dir = newFolder(under)
  const state = join(dir, 'state')
  const sessions = join(state, 'sessions')
  return {
    dir,
    state,
    sessions,
    shared: join(state, 'shared'),
    journal: join(sessions, 's.jsonl'),
    lease: join(sessions, 's.lease'),
    open: () => fileStore({ dir: state }),
  }
}

export async function taken(store: Store, name = 'ann', takeover?: number): Promise<Lease> {
  const lease = await store.acquire('s', owner(name), 600_000, takeover)
  if (lease.kind === 'busy') throw new Error('s is busy')
  return lease
}

export async function add(store: Store, lease: Lease, afterSeq: number, count = 1, text = 'hello'): Promise<Entry[]> {
  const entries = entriesAfter(afterSeq, count, lease.fence, turnStarted(text))
  await store.append(lease, afterSeq, entries, head('s', afterSeq + count))
  return entries
}

export async function all(store: Store): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const one of store.read('s')) entries.push(one)
  return entries
}

/** The code of the error that `promise` rejects with, or `ok`. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? 'no code',
  )
