/** Many callers at once: whichever wins, the result is one journal, and every caller was told the truth (P1, P3). */
import assert from 'node:assert/strict'
import { isLastgoodError } from '../../errors.ts'
import type { Entry } from '../../journal/journal.ts'
import type { Lease, Store } from '../../store/store.ts'
import { owner } from '../entries.ts'
import { type StoreCase, added, listed, readAll, rejects, summaryOf, taken, ttlMs } from './harness.ts'

const [ann, bob] = [owner('ann'), owner('bob')]

/** A writer at its own pace: appends of one to three entries, one after another. */
interface Writing {
  /** What was acknowledged so far. */
  acknowledged: Entry[]
  isDone: boolean
  ended: Promise<void>
}

/** Appends until `limit` entries are there or the lease is lost. */
function keepAppending(store: Store, lease: Lease, limit: number): Writing {
  const writing: Writing = { acknowledged: [], isDone: false, ended: Promise.resolve() }
  writing.ended = run().finally(() => (writing.isDone = true))
  // The error reaches the caller that awaits `ended` later.
  writing.ended.catch(() => {})
  return writing

  async function run(): Promise<void> {
    const { acknowledged } = writing
    try {
      while (acknowledged.length < limit) {
        acknowledged.push(...(await added(store, lease, acknowledged.length, 1 + (acknowledged.length % 3))))
        await pause()
      }
    } catch (error) {
      if (!isLastgoodError(error, 'lease-lost')) throw error
    }
  }
}

/** Lets everything else run, even with a store that needs no real I/O. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Whether an append of `keepAppending` ends at this length: 1, 3, 4, 6, 7, … */
const isWhole = (length: number) => length % 3 !== 2

export const raceCases: readonly StoreCase[] = [
  {
    name: 'of ten takeovers that name the same fence exactly one wins (P3)',
    async run({ store, another }) {
      const handles = [store, await another()]
      const old = await taken(store, 's', ann)
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          (handles[i % 2] ?? store).acquire('s', owner(`owner-${i}`), ttlMs, old.fence),
        ),
      )
      const leases = results.filter((result): result is Lease => result.kind === 'lease')
      assert.equal(leases.length, 1)
      for (const result of results) assert.deepEqual(result.owner, leases[0]?.owner)
      await rejects(added(store, old, 0), 'lease-lost')
      await added(store, leases[0] as Lease, 0)
    },
  },
  {
    name: 'a takeover in the middle of appends: what was acknowledged is there, whole, and nothing of it comes later (P1, P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      const other = await another()
      const writing = keepAppending(store, lease, 300)
      while (!writing.isDone && ((await other.summary('s'))?.head.seq ?? 0) < 6) await pause()
      const next = await taken(other, 's', bob, lease.fence)
      const before = await readAll(other, 's')
      const after = await added(other, next, before.length, 2)
      await writing.ended
      assert.deepEqual(before, writing.acknowledged)
      assert.deepEqual(await readAll(store, 's'), [...before, ...after])
    },
  },
  {
    name: 'who reads while another appends gets whole appends, from the first on, with all that was acknowledged (P1)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const other = await another()
      const writing = keepAppending(store, lease, 60)
      const reads: { before: number; entries: Entry[] }[] = []
      do {
        reads.push({ before: writing.acknowledged.length, entries: await readAll(other, 's') })
        await pause()
      } while (!writing.isDone)
      await writing.ended
      for (const { before, entries } of reads) {
        assert.ok(entries.length >= before, `read ${entries.length} where ${before} were acknowledged`)
        assert.ok(isWhole(entries.length), `read a part of an append: ${entries.length}`)
        assert.deepEqual(entries, writing.acknowledged.slice(0, entries.length))
      }
    },
  },
  {
    name: 'a summary never falls behind what was acknowledged, and its head is the one of a whole append',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const other = await another()
      const writing = keepAppending(store, lease, 30)
      do {
        const before = writing.acknowledged.length
        const seq = (await other.summary('s'))?.head.seq ?? 0
        assert.ok(seq >= before && isWhole(seq), `the head is at ${seq} where ${before} were acknowledged`)
        await pause()
      } while (!writing.isDone)
      await writing.ended
    },
  },
  {
    name: 'a reader that is slower than the writer gets a beginning of the journal, without a gap',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const all = await added(store, lease, 0, 250)
      const entries: Entry[] = []
      for await (const one of (await another()).read('s')) {
        if (one.seq % 25 === 0) all.push(...(await added(store, lease, all.length, 30)))
        entries.push(one)
      }
      assert.ok(entries.length >= 250)
      assert.deepEqual(entries, all.slice(0, entries.length))
    },
  },
  {
    name: 'readers do not take from each other: several at once each get everything',
    async run({ store, another }) {
      const all = await added(store, await taken(store, 's'), 0, 300)
      const handles = [store, store, await another()]
      for (const entries of await Promise.all(handles.map((handle) => readAll(handle, 's'))))
        assert.deepEqual(entries, all)
    },
  },
  {
    name: 'renewals and a takeover at once: the new holder stays, the old one is told',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      const other = await another()
      const results = await Promise.all([
        store.renew(lease, ttlMs),
        other.acquire('s', bob, ttlMs, lease.fence),
        store.renew(lease, ttlMs),
        other.renew(lease, ttlMs),
      ])
      const next = results[1]
      assert.ok(next.kind === 'lease')
      assert.equal(await store.renew(lease, ttlMs), false)
      assert.equal((await store.acquire('s', ann, ttlMs)).kind, 'busy')
      await rejects(added(store, lease, 0), 'lease-lost')
      await added(other, next, 0)
    },
  },
  {
    name: 'a list made while sessions come and go has every session that stays, once',
    async run({ store, another }) {
      const other = await another()
      const staying = Array.from({ length: 12 }, (_, i) => `stays-${i}`)
      const leases = await Promise.all(staying.map((id) => taken(store, id)))
      for (const lease of leases) await added(store, lease, 0)
      let isDone = false
      const changing = (async () => {
        for (let i = 0; i < 12; i++) {
          const lease = await taken(other, `goes-${i}`)
          await added(other, lease, 0)
          await added(store, leases[i] as Lease, 1)
          await other.release(lease)
          if (i % 2 === 0) await other.remove(`goes-${i}`)
        }
      })().finally(() => (isDone = true))
      changing.catch(() => {})
      while (!isDone) {
        const ids = await listed(store)
        assert.equal(new Set(ids).size, ids.length, 'listed twice')
        assert.deepEqual(ids.filter((id) => id.startsWith('stays')).sort(), staying.toSorted())
        await pause()
      }
      await changing
      assert.equal((await listed(store)).length, staying.length + 6)
    },
  },
  {
    name: 'a session that several remove at once is gone, and none of them fails but for each other',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0, 2)
      await store.release(lease)
      const other = await another()
      const removals = [store, other, store, other, store, other].map((handle) => handle.remove('s'))
      const results = await Promise.allSettled(removals)
      for (const result of results) {
        if (result.status === 'rejected') await rejects(Promise.reject(result.reason as Error), 'session-busy')
      }
      assert.ok(results.some(({ status }) => status === 'fulfilled'))
      assert.deepEqual(await readAll(store, 's'), [])
      assert.deepEqual(await listed(store), [])
    },
  },
  {
    name: 'a removal and a takeover at once: what the new holder is told stays (P1)',
    async run({ store, another }) {
      const other = await another()
      for (let round = 0; round < 20; round++) {
        const id = `s-${round}`
        await store.release(await taken(store, id))
        const removal = store.remove(id).catch(async (error: Error) => rejects(Promise.reject(error), 'session-busy'))
        // Only the removal can hold the session now.
        const first = await other.acquire(id, bob, ttlMs)
        const lease = first.kind === 'lease' ? first : await other.acquire(id, bob, ttlMs, first.fence)
        if (lease.kind === 'lease') {
          const entries = await added(other, lease, 0, 2)
          await removal
          assert.deepEqual(await readAll(store, id), entries)
        }
        await removal
      }
    },
  },
  {
    name: 'a removal and a writer at once: the session is whole and held, or empty, never in between (P1)',
    async run({ store, another }) {
      const other = await another()
      for (let round = 0; round < 8; round++) {
        const id = `s-${round}`
        const before = await taken(store, id)
        const entries = await added(store, before, 0, 3)
        await store.release(before)
        const [removal, lease] = await Promise.allSettled(
          round % 2 === 0
            ? [store.remove(id), other.acquire(id, bob, ttlMs)]
            : [other.remove(id), store.acquire(id, bob, ttlMs)],
        )
        assert.ok(lease.status === 'fulfilled' && lease.value)
        const there = await readAll(store, id)
        if (removal.status === 'rejected') {
          await rejects(Promise.reject(removal.reason as Error), 'session-busy')
          assert.deepEqual(there, entries)
        } else assert.deepEqual(there, [])
        // Busy only with the removal itself, which holds the session while it runs.
        const held = lease.value.kind === 'lease' ? lease.value : await taken(store, id, bob)
        await added(other, held, there.length)
        assert.equal((await summaryOf(store, id)).head.seq, there.length + 1)
      }
    },
  },
]
