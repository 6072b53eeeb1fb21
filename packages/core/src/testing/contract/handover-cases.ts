/** From one lease to the next: what an old lease may no longer do, and what of its work stays (P1, P3). */
import assert from 'node:assert/strict'
import type { Lease } from '../../store/store.ts'
import { entriesAfter, head, owner, turnStarted } from '../entries.ts'
import { type StoreCase, added, listed, readAll, rejects, summaryOf, taken, ttlMs } from './harness.ts'

const [ann, bob] = [owner('ann'), owner('bob')]

export const handoverCases: readonly StoreCase[] = [
  {
    name: 'a lease that was given back appends nothing any more, through any handle (P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0, 2)
      await store.release(lease)
      for (const handle of [store, await another()]) {
        await rejects(added(handle, lease, 2), 'lease-lost')
        await rejects(handle.append(lease, 0, entries, head('s', 2)), 'lease-lost')
      }
      assert.deepEqual(await readAll(store, 's'), entries)
      assert.deepEqual((await summaryOf(store, 's')).head, head('s', 2))
    },
  },
  {
    name: 'a lease is data: through another handle it renews, appends and is given back',
    async run({ store, another, elapse }) {
      const lease = structuredClone(await taken(store, 's', ann))
      const other = await another()
      const entries = [
        ...(await added(store, lease, 0)),
        ...(await added(other, lease, 1, 2)),
        ...(await added(store, lease, 3)),
      ]
      assert.deepEqual(await readAll(other, 's'), entries)
      await elapse('s', ttlMs - 1000)
      assert.equal(await other.renew(lease, ttlMs), true)
      await elapse('s', 2000)
      assert.equal((await store.acquire('s', bob, ttlMs)).kind, 'busy')
      await other.release(lease)
      await taken(store, 's', bob)
    },
  },
  {
    name: 'a fence is worth nothing in other hands: it appends, renews and gives back only with its owner (P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      const stolen: Lease = { ...lease, owner: bob }
      for (const handle of [store, await another()]) {
        await rejects(added(handle, stolen, 0), 'lease-lost')
        assert.equal(await handle.renew(stolen, ttlMs), false)
        await handle.release(stolen)
      }
      assert.equal((await store.acquire('s', bob, ttlMs)).kind, 'busy')
      await added(store, lease, 0)
    },
  },
  {
    name: 'a lease of a session that was never there is lost, and makes none',
    async run({ store }) {
      const lease: Lease = { kind: 'lease', sessionId: 's', owner: ann, fence: 1, since: 0, expiresAt: ttlMs }
      await rejects(added(store, lease, 0), 'lease-lost')
      assert.equal(await store.renew(lease, ttlMs), false)
      await store.release(lease)
      assert.equal(await store.summary('s'), undefined)
      assert.deepEqual(await listed(store), [])
    },
  },
  {
    name: 'the next writer reads all that was acknowledged before, and what was appended is never rewritten (P1)',
    async run({ store, another }) {
      const handles = [store, await another(), await another()]
      let [seq, fence] = [0, 0]
      for (let round = 0; round < 6; round++) {
        const handle = handles[round % 3] ?? store
        const lease = await taken(handle, 's', owner(`owner-${round}`), fence)
        assert.ok(lease.fence > fence)
        assert.equal((await readAll(handle, 's')).length, seq)
        await added(handle, lease, seq, 2, turnStarted(`round ${round}`))
        ;[seq, fence] = [seq + 2, lease.fence]
      }
      const entries = await readAll(store, 's')
      assert.deepEqual(
        entries.map((one) => one.type === 'turn-started' && one.messages[0]?.content),
        Array.from({ length: 12 }, (_, i) => [{ type: 'text', text: `round ${Math.floor(i / 2)}` }]),
      )
    },
  },
  {
    name: 'who was taken over is busy like everybody else, and gets the session back by the new fence only',
    async run({ store }) {
      const first = await taken(store, 's', ann)
      const second = await taken(store, 's', bob, first.fence)
      for (const fence of [undefined, first.fence]) {
        assert.deepEqual(await store.acquire('s', ann, ttlMs, fence), { ...second, kind: 'busy' })
      }
      const third = await taken(store, 's', ann, second.fence)
      assert.ok(third.fence > second.fence)
      await rejects(added(store, first, 0), 'lease-lost')
      await rejects(added(store, second, 0), 'lease-lost')
      assert.equal(await store.renew(first, ttlMs), false)
      await added(store, third, 0)
    },
  },
  {
    name: 'an append that was applied and is repeated after a takeover is lease-lost, and stays where it is (P1, P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      const entries = await added(store, lease, 0, 2)
      const other = await another()
      const next = await taken(other, 's', bob, lease.fence)
      await rejects(store.append(lease, 0, entries, head('s', 2)), 'lease-lost')
      const more = await added(other, next, 2)
      await rejects(store.append(lease, 0, entries, head('s', 2)), 'lease-lost')
      assert.deepEqual(await readAll(store, 's'), [...entries, ...more])
    },
  },
  {
    name: 'what an older lease wrote is no repeat under a newer one of the same owner: journal-conflict',
    async run({ store }) {
      const first = await taken(store, 's', ann)
      const entries = await added(store, first, 0, 2)
      const second = await taken(store, 's', ann)
      const again = entriesAfter(0, 2, second.fence)
      await rejects(store.append(second, 0, again, head('s', 2)), 'journal-conflict')
      // Entries under the first fence do not belong to the second lease, whatever their sequence.
      await rejects(store.append(second, 0, entries, head('s', 2)), 'journal-conflict')
      assert.deepEqual(await readAll(store, 's'), entries)
      await added(store, second, 2)
    },
  },
  {
    name: 'every part of what is there may be repeated, across appends too; one entry more is a journal-conflict (P1)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = [...(await added(store, lease, 0, 3)), ...(await added(store, lease, 3, 2))]
      const next = entriesAfter(5, 1, lease.fence)
      for (const handle of [store, await another()]) {
        for (let from = 0; from < 5; from++) {
          for (let to = from + 1; to <= 5; to++) {
            assert.equal(await handle.append(lease, from, entries.slice(from, to), head('s', to)), to)
          }
          await rejects(handle.append(lease, from, [...entries.slice(from), ...next], head('s', 6)), 'journal-conflict')
        }
      }
      assert.deepEqual(await readAll(store, 's'), entries)
      assert.deepEqual((await summaryOf(store, 's')).head, head('s', 5))
      assert.equal(await store.append(lease, 5, next, head('s', 6)), 6)
    },
  },
  {
    name: 'a repeat whose first or last entry differs is a journal-conflict, and the head stays',
    async run({ store }) {
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0, 4)
      const [first, second, third, fourth] = entries
      const other = (seq: number) => entriesAfter(seq - 1, 1, lease.fence, turnStarted('different'))
      assert.ok(first && second && third && fourth)
      for (const changed of [
        [...other(1), second, third, fourth],
        [first, second, third, ...other(4)],
        [first, ...other(2), third, fourth],
      ])
        await rejects(store.append(lease, 0, changed, head('s', 4, { reason: 'changed' })), 'journal-conflict')
      assert.deepEqual(await readAll(store, 's'), entries)
      assert.deepEqual((await summaryOf(store, 's')).head, head('s', 4))
    },
  },
]
