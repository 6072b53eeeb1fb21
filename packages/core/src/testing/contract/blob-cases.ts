/** Blobs: what is kept beside a journal because of its size. */
import assert from 'node:assert/strict'
import { owner } from '../entries.ts'
import { type StoreCase, added, rejects, taken, ttlMs } from './harness.ts'

const [one, two] = ['1'.repeat(64), '2'.repeat(64)]

export const blobCases: readonly StoreCase[] = [
  {
    name: 'a blob comes back as it was kept, for every handle, also before its session has an entry (P1, P4)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const text = `"é😀${'x'.repeat(1_000_000)}\n\u0000"`
      await store.putBlob(lease, one, text)
      await store.putBlob(lease, two, '')
      const other = await another()
      assert.equal(await other.readBlob('s', one), text)
      assert.equal(await other.readBlob('s', two), '')
      await added(store, lease, 0)
      assert.equal(await store.readBlob('s', one), text)
    },
  },
  {
    name: 'a blob that nobody kept is undefined, and sessions do not see those of others',
    async run({ store }) {
      assert.equal(await store.readBlob('nobody', one), undefined)
      await store.putBlob(await taken(store, 's'), one, 'text')
      await taken(store, 'S')
      for (const [id, name] of [
        ['S', one],
        ['s', two],
      ] as const)
        assert.equal(await store.readBlob(id, name), undefined)
    },
  },
  {
    name: 'the same blob twice, and from two calls at once, is one',
    async run({ store }) {
      const lease = await taken(store, 's')
      await Promise.all([store.putBlob(lease, one, 'text'), store.putBlob(lease, one, 'text')])
      await store.putBlob(lease, one, 'text')
      assert.equal(await store.readBlob('s', one), 'text')
    },
  },
  {
    name: 'a writer that was fenced off keeps nothing (P3)',
    async run({ store, another, elapse }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await elapse('s', ttlMs + 1)
      const other = await another()
      await taken(other, 's', owner('bob'))
      await rejects(store.putBlob(lease, one, 'late'), 'lease-lost')
      assert.equal(await other.readBlob('s', one), undefined)
    },
  },
  {
    name: 'under a lease that was given back, or that is of another owner, nothing is kept (P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await rejects(store.putBlob({ ...lease, owner: owner('bob') }, one, 'not mine'), 'lease-lost')
      await store.release(lease)
      await rejects(store.putBlob(lease, one, 'late'), 'lease-lost')
      assert.equal(await (await another()).readBlob('s', one), undefined)
    },
  },
  {
    name: 'remove takes the blobs of its session and of no other',
    async run({ store }) {
      for (const id of ['s', 't']) {
        const lease = await taken(store, id)
        await store.putBlob(lease, one, id)
        await added(store, lease, 0)
        await store.release(lease)
      }
      await store.remove('s')
      assert.equal(await store.readBlob('s', one), undefined)
      assert.equal(await store.readBlob('t', one), 't')
      await added(store, await taken(store, 's'), 0)
      assert.equal(await store.readBlob('s', one), undefined)
    },
  },
  {
    name: 'a late writer of a session that was removed and made anew adds nothing to the new one, and takes nothing (P3)',
    async run({ store, another }) {
      const stale = await taken(store, 's')
      await store.putBlob(stale, one, 'old')
      await added(store, stale, 0)
      const other = await another()
      await other.remove('s', stale)
      const lease = await taken(other, 's', owner('bob'))
      await other.putBlob(lease, two, 'new')
      await rejects(store.putBlob(stale, one, 'old'), 'lease-lost')
      await rejects(store.putBlob(stale, two, 'new'), 'lease-lost')
      assert.equal(await other.readBlob('s', one), undefined)
      assert.equal(await other.readBlob('s', two), 'new')
    },
  },
  {
    name: 'what cannot name a blob is a bad-option',
    async run({ store }) {
      const lease = await taken(store, 's')
      for (const name of ['', 'a', '../x', 'G'.repeat(64), `${one}0`]) {
        await rejects(store.putBlob(lease, name, 'x'), 'bad-option')
        await rejects(store.readBlob('s', name), 'bad-option')
      }
    },
  },
]
