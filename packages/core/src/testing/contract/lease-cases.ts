/** Who may write: leases keep writers apart, fences make it certain (P3). */
import assert from 'node:assert/strict'
import type { Lease } from '../../store/store.ts'
import { owner } from '../entries.ts'
import { type StoreCase, added, readAll, rejects, summaryOf, taken, ttlMs } from './harness.ts'

const [ann, bob] = [owner('ann'), owner('bob')]

export const leaseCases: readonly StoreCase[] = [
  {
    name: 'acquire gives a lease with owner, instants and fence, and every later one has a higher fence',
    async run({ store }) {
      let before = 0
      for (const who of [ann, bob, ann]) {
        const lease = await taken(store, 's', who)
        assert.deepEqual(lease.owner, who)
        assert.equal(lease.sessionId, 's')
        assert.equal(lease.expiresAt - lease.since, ttlMs)
        assert.ok(lease.fence > before, `fence ${lease.fence} after ${before}`)
        before = lease.fence
        await store.release(lease)
      }
    },
  },
  {
    name: 'a live lease gives Busy with owner, since and fence, to every handle (P3)',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      for (const handle of [store, await another()]) {
        const busy = await handle.acquire('s', bob, ttlMs)
        assert.deepEqual(busy, { ...lease, kind: 'busy' })
      }
      await added(store, lease, 0)
    },
  },
  {
    name: 'sessions are held independently of each other',
    async run({ store }) {
      const [one, two] = [await taken(store, 'one', ann), await taken(store, 'two', bob)]
      await added(store, one, 0, 2)
      await added(store, two, 0, 3)
      assert.deepEqual([(await readAll(store, 'one')).length, (await readAll(store, 'two')).length], [2, 3])
    },
  },
  {
    name: 'a lease that ran out is taken by another owner with a higher fence',
    async run({ store, another, elapse }) {
      const lease = await taken(store, 's', ann)
      await elapse('s', ttlMs + 1)
      const next = await taken(await another(), 's', bob)
      assert.ok(next.fence > lease.fence)
    },
  },
  {
    name: 'takeover with the fence of the live lease takes it, and fences the old writer off (P3)',
    async run({ store, another }) {
      const [lease, other] = [await taken(store, 's', ann), await another()]
      await added(store, lease, 0)
      const next = await taken(other, 's', bob, lease.fence)
      assert.ok(next.fence > lease.fence)
      await rejects(added(store, lease, 1), 'lease-lost')
      await added(other, next, 1)
    },
  },
  {
    name: 'takeover with a wrong or an old fence gives Busy, and the holder keeps writing (P3)',
    async run({ store }) {
      const old = await taken(store, 's', ann)
      const lease = await taken(store, 's', bob, old.fence)
      for (const fence of [old.fence, lease.fence + 1, 0]) {
        const busy = await store.acquire('s', owner('eve'), ttlMs, fence)
        assert.deepEqual(busy, { ...lease, kind: 'busy' })
      }
      await added(store, lease, 0)
    },
  },
  {
    name: 'takeover of a session that nobody holds takes it',
    async run({ store }) {
      await store.release(await taken(store, 's', ann))
      await taken(store, 's', bob, 99)
    },
  },
  {
    name: 'the holder may acquire again (its first answer was lost), and only its newest lease writes',
    async run({ store }) {
      const first = await taken(store, 's', ann)
      const again = await taken(store, 's', ann)
      assert.ok(again.fence > first.fence)
      await added(store, again, 0)
      await rejects(added(store, first, 1), 'lease-lost')
      await rejects(store.putBlob(first, 'a'.repeat(64), 'late'), 'lease-lost')
      await rejects(store.remove('s', first), 'lease-lost')
      assert.equal(await store.renew(first, ttlMs), false)
    },
  },
  {
    name: 'renew extends the lease',
    async run({ store, another, elapse }) {
      const lease = await taken(store, 's', ann)
      await added(store, lease, 0)
      await elapse('s', ttlMs - 1000)
      assert.equal(await store.renew(lease, ttlMs), true)
      await elapse('s', ttlMs - 1000)
      const other = await another()
      assert.equal((await other.acquire('s', bob, ttlMs)).kind, 'busy')
      assert.equal((await summaryOf(other, 's')).holder?.owner.id, 'ann')
      await elapse('s', 2000)
      await taken(other, 's', bob)
    },
  },
  {
    name: 'renew of a lease that ran out and that nobody took revives it (a laptop slept)',
    async run({ store, elapse }) {
      const lease = await taken(store, 's', ann)
      await elapse('s', ttlMs * 10)
      assert.equal(await store.renew(lease, ttlMs), true)
      assert.equal((await store.acquire('s', bob, ttlMs)).kind, 'busy')
    },
  },
  {
    name: 'renew of a lost lease is false and does not disturb the new holder',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      const other = await another()
      const next = await taken(other, 's', bob, lease.fence)
      await added(other, next, 0)
      assert.equal(await store.renew(lease, ttlMs * 5), false)
      const { holder } = await summaryOf(store, 's')
      assert.deepEqual(holder, { owner: bob, fence: next.fence, since: next.since, expiresAt: next.expiresAt })
    },
  },
  {
    name: 'release frees the session at once, and a late renew does not revive the lease',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      await store.release(lease)
      assert.equal(await store.renew(lease, ttlMs), false)
      await taken(await another(), 's', bob)
    },
  },
  {
    name: 'release of a lost lease harms nobody',
    async run({ store, another }) {
      const lease = await taken(store, 's', ann)
      const other = await another()
      const next = await taken(other, 's', bob, lease.fence)
      await store.release(lease)
      await store.release(lease)
      assert.equal((await store.acquire('s', owner('eve'), ttlMs)).kind, 'busy')
      await added(other, next, 0)
    },
  },
  {
    name: 'of ten owners who acquire at once exactly one gets the lease (P3)',
    async run({ store, another }) {
      const handles = [store, await another()]
      const attempts = Array.from({ length: 10 }, (_, i) =>
        (handles[i % 2] ?? store).acquire('s', owner(`owner-${i}`), ttlMs),
      )
      const results = await Promise.all(attempts)
      const leases = results.filter((result): result is Lease => result.kind === 'lease')
      assert.equal(leases.length, 1)
      for (const result of results) assert.deepEqual(result.owner, leases[0]?.owner)
    },
  },
]
