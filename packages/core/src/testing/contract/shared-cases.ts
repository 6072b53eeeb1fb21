/** What all sessions share: small records, for each version of which exactly one writer wins. */
import assert from 'node:assert/strict'
import type { SharedState } from '../../records/shared-state.ts'
import { type StoreCase, added, listed, rejects, taken } from './harness.ts'

/** Adds one to the counter at `key`, retrying until it wins; returns the version that it wrote. */
async function incremented(shared: SharedState, key: string): Promise<number> {
  for (;;) {
    const record = await shared.read(key)
    const version = record?.version ?? 0
    if (await shared.write(key, version, Number(record?.value ?? 0) + 1)) return version + 1
  }
}

export const sharedCases: readonly StoreCase[] = [
  {
    name: 'a shared record that nobody wrote is undefined, and no list has it',
    async run({ store: { shared } }) {
      assert.equal(await shared.read('nothing'), undefined)
      assert.deepEqual(await shared.list(''), [])
    },
  },
  {
    name: 'a shared record comes back as it was written, to every handle, under a version that grows',
    async run({ store, another }) {
      const other = await another()
      const values = [{ a: [1, null, '😀\u2028\u0000', { '': 0.1 }] }, [], 'text', 0, false, null]
      let before = 0
      for (const value of values) {
        assert.equal(await store.shared.write('k', before, value), true)
        for (const { shared } of [store, other]) {
          const record = await shared.read('k')
          assert.ok(record && record.version > before)
          assert.deepEqual(record, { key: 'k', version: record.version, value })
        }
        before = (await store.shared.read('k'))?.version ?? 0
      }
    },
  },
  {
    name: 'who writes on an old version, or on none where there is one, is told and changes nothing',
    async run({ store, another }) {
      const { shared } = await another()
      assert.equal(await shared.write('k', 1, 'early'), false)
      assert.equal(await store.shared.write('k', 0, 'first'), true)
      assert.equal(await shared.write('k', 0, 'late'), false)
      const { version = 0 } = (await shared.read('k')) ?? {}
      assert.equal(await shared.write('k', version, 'second'), true)
      for (const old of [0, version, version + 2]) assert.equal(await store.shared.write('k', old, 'late'), false)
      assert.equal((await store.shared.read('k'))?.value, 'second')
    },
  },
  {
    name: 'of ten writers of one version exactly one wins, again and again',
    async run({ store, another }) {
      const handles = [store.shared, (await another()).shared]
      for (let round = 0; round < 5; round++) {
        const { version = 0 } = (await store.shared.read('k')) ?? {}
        const wins = await Promise.all(
          Array.from({ length: 10 }, (_, i) => (handles[i % 2] ?? store.shared).write('k', version, `writer ${i}`)),
        )
        assert.equal(wins.filter(Boolean).length, 1)
        assert.equal((await store.shared.read('k'))?.value, `writer ${wins.indexOf(true)}`)
      }
    },
  },
  {
    name: 'writers who read again when they lost miss no step of a counter',
    async run({ store, another }) {
      const handles = [store.shared, (await another()).shared]
      const versions = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const shared = handles[i % 2] ?? store.shared
          return [await incremented(shared, 'k'), await incremented(shared, 'k')]
        }),
      )
      assert.equal(new Set(versions.flat()).size, 24)
      assert.equal((await store.shared.read('k'))?.value, 24)
    },
  },
  {
    name: 'a list has the records whose key begins so, each once and in its newest version',
    async run({ store, another }) {
      const keys = ['a', 'A', 'ab', 'a:b|c', 'a.b@c_d-e', 'b', 'x'.repeat(200), 'X'.repeat(200)]
      for (const key of keys) {
        await incremented(store.shared, key)
        await incremented(store.shared, key)
      }
      const { shared } = await another()
      for (const prefix of ['', 'a', 'A', 'a:', 'a.b', 'x', 'X'.repeat(200), 'none']) {
        const found = await shared.list(prefix)
        assert.deepEqual(found.map(({ key }) => key).sort(), keys.filter((key) => key.startsWith(prefix)).sort())
        for (const record of found) assert.deepEqual(record, { key: record.key, version: 2, value: 2 })
      }
    },
  },
  {
    name: 'a key or a value that a shared record cannot have is a bad-option, and 64 KiB fit',
    async run({ store: { shared } }) {
      for (const key of ['', 'a b', 'a/b', '../a', 'a*', '[a]', 'ü', 'a\n', 'x'.repeat(201)]) {
        await rejects(shared.read(key), 'bad-option')
        await rejects(shared.write(key, 0, 1), 'bad-option')
        if (key !== '') await rejects(shared.list(key), 'bad-option')
      }
      const fits = 'é'.repeat(32 * 1024 - 1)
      for (const value of [undefined, `${fits}x`]) await rejects(shared.write('k', 0, value), 'bad-option')
      assert.deepEqual(await shared.list(''), [])
      assert.equal(await shared.write('k', 0, fits), true)
      assert.equal((await shared.read('k'))?.value, fits)
    },
  },
  {
    name: 'neither what was shared nor what was read can be changed through the objects of the caller',
    async run({ store: { shared } }) {
      const value = { list: [1] }
      await shared.write('k', 0, value)
      value.list.push(2)
      const read = (await shared.read('k'))?.value as typeof value
      read.list.push(3)
      assert.deepEqual((await shared.read('k'))?.value, { list: [1] })
    },
  },
  {
    name: 'sessions and shared records know nothing of each other',
    async run({ store }) {
      for (const key of ['s', 'shared', 'sessions']) {
        await store.shared.write(key, 0, key)
        await added(store, await taken(store, key), 0)
      }
      assert.deepEqual(await listed(store), ['s', 'sessions', 'shared'])
      assert.deepEqual((await store.shared.list('')).map(({ key }) => key).sort(), ['s', 'sessions', 'shared'])
      assert.equal((await store.shared.read('sessions'))?.value, 'sessions')
    },
  },
]
