/** Summaries, lists, removal, and the names of sessions. */
import assert from 'node:assert/strict'
import { isLastgoodError } from '../../errors.ts'
import { leftOutBy } from '../../store/left-out.ts'
import { headVersion, type Head } from '../../store/head.ts'
import { entriesAfter, head, owner, testEpoch } from '../entries.ts'
import {
  type StoreCase,
  type StoreHarness,
  added,
  listed,
  readAll,
  rejects,
  summaryOf,
  taken,
  ttlMs,
} from './harness.ts'

/** Makes a session of one entry that nobody holds. */
async function finished({ store }: StoreHarness, sessionId: string, changes: Partial<Head> = {}): Promise<void> {
  const lease = await taken(store, sessionId)
  await store.append(lease, 0, entriesAfter(0, 1, lease.fence), head(sessionId, 1, changes))
  await store.release(lease)
}

export const listingCases: readonly StoreCase[] = [
  {
    name: 'a summary has the whole head of the last append, and its live holder',
    async run({ store, another }) {
      const { kind: _, sessionId: __, ...holder } = await taken(store, 's')
      const lease = { ...holder, kind: 'lease', sessionId: 's' } as const
      const first = head('s', 1, {
        agent: 'coder',
        cwd: '/tmp',
        model: 'm',
        reason: 'overloaded',
        dueAt: testEpoch + 5,
        status: 'waiting',
      })
      const second = head('s', 2, { machine: { version: '2', value: 'idle', context: { deep: [{ a: null }] } } })
      for (const [i, top] of [first, second].entries()) {
        await store.append(lease, i, entriesAfter(i, 1, lease.fence), top)
        for (const handle of [store, await another()])
          assert.deepEqual(await handle.summary('s'), { head: top, holder })
      }
    },
  },
  {
    name: 'the holder is null after a release, and after the lease ran out',
    async run({ store, elapse }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await store.release(lease)
      assert.equal((await summaryOf(store, 's')).holder, null)
      await taken(store, 's', owner('bob'))
      assert.equal((await summaryOf(store, 's')).holder?.owner.id, 'bob')
      await elapse('s', ttlMs + 1)
      assert.equal((await summaryOf(store, 's')).holder, null)
    },
  },
  {
    name: 'list gives every session once, with the same summary as `summary`',
    async run(harness) {
      const { store, another } = harness
      for (const id of ['a', 'b', 'c']) await finished(harness, id)
      await added(store, await taken(store, 'd'), 0)
      const other = await another()
      assert.deepEqual(await listed(other), ['a', 'b', 'c', 'd'])
      for await (const summary of other.list()) assert.deepEqual(summary, await store.summary(summary.head.sessionId))
    },
  },
  {
    name: 'list filters by status, age, and both together',
    async run(harness) {
      const { store } = harness
      await finished(harness, 'a', { status: 'idle', updatedAt: 1000 })
      await finished(harness, 'b', { status: 'waiting', updatedAt: 2000 })
      await finished(harness, 'c', { status: 'suspended', updatedAt: 3000 })
      await finished(harness, 'd', { status: 'needs-input', updatedAt: 4000 })
      assert.deepEqual(await listed(store, {}), ['a', 'b', 'c', 'd'])
      assert.deepEqual(await listed(store, { status: ['waiting', 'needs-input'] }), ['b', 'd'])
      assert.deepEqual(await listed(store, { status: [] }), [])
      assert.deepEqual(await listed(store, { updatedSince: 3000 }), ['c', 'd'])
      assert.deepEqual(await listed(store, { status: ['idle', 'suspended'], updatedSince: 2000 }), ['c'])
    },
  },
  {
    name: 'heads that a newer lastgood wrote hide no other session: list gives the others, then an error that names them',
    async run(harness) {
      const { store, another } = harness
      const newer = { v: headVersion + 1 } as unknown as Partial<Head>
      for (const id of ['a', 'b', 'c', 'd']) await finished(harness, id, id === 'b' || id === 'd' ? newer : {})
      const other = await another()
      const ids: string[] = []
      const reading = async () => {
        for await (const summary of other.list()) ids.push(summary.head.sessionId)
      }
      const error = await reading().catch((reason: unknown) => reason)
      assert.ok(isLastgoodError(error, 'journal-version'))
      const leftOut = leftOutBy(error).sort((a, b) => a.sessionId.localeCompare(b.sessionId))
      assert.deepEqual(leftOut, [
        { sessionId: 'b', code: 'journal-version' },
        { sessionId: 'd', code: 'journal-version' },
      ])
      assert.deepEqual(ids.sort(), ['a', 'c'])
      await rejects(other.summary('b'), 'journal-version')
      await rejects(store.summary('b'), 'journal-version')
    },
  },
  {
    name: 'list follows a change of status',
    async run({ store }) {
      const lease = await taken(store, 's')
      await store.append(lease, 0, entriesAfter(0, 1, lease.fence), head('s', 1, { status: 'running' }))
      await store.append(lease, 1, entriesAfter(1, 1, lease.fence), head('s', 2, { status: 'idle' }))
      assert.deepEqual(await listed(store, { status: ['running'] }), [])
      assert.deepEqual(await listed(store, { status: ['idle'] }), ['s'])
    },
  },
  {
    name: 'a session that was acquired but has no entry is not listed and has no summary',
    async run({ store }) {
      await taken(store, 's')
      assert.deepEqual(await listed(store), [])
      assert.equal(await store.summary('s'), undefined)
      assert.deepEqual(await readAll(store, 's'), [])
    },
  },
  {
    name: 'remove refuses a held session and leaves it whole',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0, 2)
      await rejects((await another()).remove('s'), 'session-busy')
      assert.deepEqual(await readAll(store, 's'), entries)
      await added(store, lease, 2)
    },
  },
  {
    name: 'remove takes all traces of one session and of no other; it may be created anew',
    async run(harness) {
      const { store, another } = harness
      for (const id of ['s', 's.s', 's-s', 'S']) await finished(harness, id)
      await store.remove('s')
      const other = await another()
      assert.deepEqual(await listed(other), ['S', 's-s', 's.s'])
      assert.equal(await other.summary('s'), undefined)
      assert.deepEqual(await readAll(other, 's'), [])
      const lease = await taken(other, 's', owner('bob'))
      assert.ok(lease.fence >= 1)
      assert.deepEqual(await readAll(store, 's'), [])
      const entries = await added(other, lease, 0, 2)
      assert.deepEqual(await readAll(store, 's'), entries)
    },
  },
  {
    name: 'remove of a session whose lease ran out works, and its late writer is refused (P3)',
    async run({ store, another, elapse }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await elapse('s', ttlMs + 1)
      await (await another()).remove('s')
      await rejects(added(store, lease, 1), 'lease-lost')
      assert.equal(await store.renew(lease, ttlMs), false)
      await store.release(lease)
      assert.equal(await store.summary('s'), undefined)
    },
  },
  {
    name: 'who holds a session may remove it with its lease',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await (await another()).remove('s', lease)
      assert.deepEqual(await listed(store), [])
      await rejects(added(store, lease, 1), 'lease-lost')
      await added(store, await taken(store, 's', owner('bob')), 0)
    },
  },
  {
    name: 'remove with the same lease once more is without effect: the answer to the first may have been lost',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0)
      await store.remove('s', lease)
      await (await another()).remove('s', lease)
      assert.deepEqual(await listed(store), [])
    },
  },
  {
    name: 'remove with a lease that ran out or was taken over is refused, and leaves all as it is (P3)',
    async run({ store, another, elapse }) {
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0)
      await elapse('s', ttlMs + 1)
      await rejects(store.remove('s', lease), 'lease-lost')
      const other = await another()
      const next = await taken(other, 's', owner('bob'))
      await rejects(store.remove('s', lease), 'lease-lost')
      assert.deepEqual(await readAll(other, 's'), entries)
      await added(other, next, 1)
    },
  },
  {
    name: 'remove with a lease that was given back is refused, and leaves all as it is (P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0)
      await store.release(lease)
      await rejects((await another()).remove('s', lease), 'lease-lost')
      assert.deepEqual(await readAll(store, 's'), entries)
    },
  },
  {
    name: 'remove of a session that is not there is without effect',
    async run(harness) {
      await finished(harness, 's')
      await harness.store.remove('nobody')
      assert.deepEqual(await listed(harness.store), ['s'])
    },
  },
  {
    name: 'ids with dots, dashes, underscores, other case or full length are different sessions',
    async run(harness) {
      const { another } = harness
      const ids = [
        'a',
        'A',
        'aA',
        'Aa',
        'AA',
        'a.b',
        'a-b',
        'a_b',
        'a..b',
        'a.',
        'a-',
        '0',
        'x'.repeat(128),
        'X'.repeat(128),
        'a.jsonl',
        'a.lease',
        'constructor',
      ]
      for (const id of ids) await finished(harness, id, { cwd: `/of/${id}` })
      const other = await another()
      assert.deepEqual(await listed(other), ids.toSorted())
      for (const id of ids) assert.equal((await summaryOf(other, id)).head.cwd, `/of/${id}`)
    },
  },
  {
    name: 'an id that cannot name a session is a bad-option, before anything is touched',
    async run({ store }) {
      for (const id of ['', '.', '..', '../s', 'a/b', '-a', 'a b', 'ü', 'last', 'x'.repeat(129)]) {
        await rejects(store.acquire(id, owner('ann'), ttlMs), 'bad-option')
        await rejects(store.summary(id), 'bad-option')
        await rejects(readAll(store, id), 'bad-option')
        await rejects(store.remove(id), 'bad-option')
      }
      assert.deepEqual(await listed(store), [])
    },
  },
]
