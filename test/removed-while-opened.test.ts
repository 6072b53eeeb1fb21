/** A session is removed while another process opens it, which has lost its lease: on every store, at every read. */
import { memoryStore, openSession, removeSession, type EntryBody, type Store } from '@lastgood/core'
import { compressed } from '@lastgood/core/at-rest'
import { fileStore } from '@lastgood/core/file'
import { owner } from '@lastgood/core/testing'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'

const stores: Readonly<Record<string, () => Store>> = {
  'in memory': () => memoryStore(),
  'in files': () => fileStore({ dir: newFolder() }),
  'in Redis': () => {
    const client = new Redis(inject('redisUrl'))
    onTestFinished(() => client.disconnect())
    return redisStore(client, { prefix: `removed-${crypto.randomUUID()}` })
  },
}

/** With more entries than a store reads at once, and a text that is kept apart from them, at the end. */
async function withSession(store: Store): Promise<void> {
  const session = await openSession('s', { store })
  await session.startTurn([{ role: 'user', content: 'Begin.' }])
  const said = (length: number): EntryBody => ({
    type: 'turn-continued',
    messages: [{ role: 'user', content: 'x'.repeat(length) }],
  })
  for (let part = 0; part < 10; part++) await session.record(Array.from({ length: 100 }, () => said(2_000)))
  await session.record([said(100_000)])
  await session.close()
}

/** What another process does, under a lease of its own. */
async function removeMeanwhile(store: Store): Promise<void> {
  const fence = (await store.summary('s'))?.holder?.fence
  const lease = await store.acquire('s', owner('another'), 60_000, fence)
  if (lease.kind === 'lease') await store.release(lease)
  await removeSession(store, 's')
}

const places: Readonly<Record<string, (store: Store, remove: () => Promise<void>) => Store>> = {
  'before its entries are read': (store, remove) => ({
    ...store,
    async *read(...asked) {
      await remove()
      yield* store.read(...asked)
    },
  }),
  'between its entries': (store, remove) => ({
    ...store,
    async *read(...asked) {
      let count = 0
      for await (const entry of store.read(...asked)) {
        if ((count += 1) === 2) await remove()
        yield entry
      }
    },
  }),
  'before a long text is read': (store, remove) => ({
    ...store,
    async readBlob(...asked) {
      await remove()
      return store.readBlob(...asked)
    },
  }),
}

describe.each(Object.entries(stores))('%s', (_, open) => {
  describe.each([
    ['as it is', (store: Store) => store],
    ['compressed', (store: Store) => compressed(store)],
  ])('%s', (_how, decorated) => {
    test.each(Object.entries(places))(
      'who loses a session %s is told that it is no longer theirs (P3)',
      async (_where, at) => {
        const inner = open()
        onTestFinished(() => inner.close())
        const store = decorated(inner)
        await withSession(store)
        const opened = openSession('s', { store: at(store, () => removeMeanwhile(inner)) })
        await expect(opened).rejects.toMatchObject({ code: 'lease-lost', details: { sessionId: 's' } })
        expect(await inner.summary('s')).toBeUndefined()
      },
    )
  })
})
