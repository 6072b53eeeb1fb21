import { describe, expect, inject, it } from 'vitest'
import { appendSome, leaseOf, openStore, rejection, someOwner } from '../test/fixture.ts'

const url = inject('redisUrl')

describe('leases', () => {
  it('run on the clock of the server: a client whose clock is a year off changes nothing', async () => {
    const { store } = openStore(url)
    const now = Date.now
    Date.now = () => now() + 365 * 86_400_000
    try {
      const first = await leaseOf(store, 's')
      expect(Math.abs(first.since - now())).toBeLessThan(60_000)
      expect(await store.acquire('s', someOwner(), 60_000)).toMatchObject({ kind: 'busy', fence: first.fence })
    } finally {
      Date.now = now
    }
  })

  it('are taken over again by an owner that lost the reply, although the fence that it names is gone', async () => {
    const { store } = openStore(url)
    const first = await leaseOf(store, 's')
    const owner = someOwner()
    await store.acquire('s', owner, 60_000, first.fence)
    expect(await store.acquire('s', owner, 60_000, first.fence)).toMatchObject({
      kind: 'lease',
      fence: first.fence + 2,
    })
  })

  it('P3: a fence that a server hands out twice, because it lost its last writes, has one writer', async () => {
    const { store, redis, key } = openStore(url)
    const lost = await leaseOf(store, 's')
    await redis.del(key('s', 'session'))
    const next = await leaseOf(store, 's')
    expect(next.fence).toBe(lost.fence)
    expect(await rejection(appendSome(store, lost, 0))).toMatchObject({ code: 'lease-lost' })
    expect(await store.renew(lost, 1000)).toBe(false)
    expect(await rejection(store.remove('s', lost))).toMatchObject({ code: 'lease-lost' })
    await store.release(lost)
    expect(await appendSome(store, next, 0)).toBe(1)
  })

  it('that cannot be put on the list of sessions is given back at once, and what was wrong is told', async () => {
    const { store, redis, prefix } = openStore(url)
    await redis.set(`${prefix}:sessions`, 'of another application')
    expect(await rejection(leaseOf(store, 's'))).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('a key holds data that lastgood did not write'),
    })
    await redis.del(`${prefix}:sessions`)
    expect(await store.acquire('s', someOwner(), 60_000)).toMatchObject({ kind: 'lease' })
  })

  it('an older lease of the same owner gives nothing back and extends nothing', async () => {
    const { store } = openStore(url)
    const owner = someOwner()
    const [older, newer] = [await leaseOf(store, 's', owner), await leaseOf(store, 's', owner)]
    await store.release(older)
    expect(await store.renew(older, 1000)).toBe(false)
    expect(await store.acquire('s', someOwner(), 60_000)).toMatchObject({ kind: 'busy', fence: newer.fence })
  })

  it('a lease that was given back cannot append any more', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    await store.release(lease)
    expect(await rejection(appendSome(store, lease, 0))).toMatchObject({ code: 'lease-lost' })
  })

  it('an old lease cannot write into a session that was removed and made anew', async () => {
    const { store } = openStore(url)
    const old = await leaseOf(store, 's')
    await store.release(old)
    await store.remove('s')
    const fresh = await leaseOf(store, 's')
    expect(await rejection(appendSome(store, old, 0))).toMatchObject({ code: 'lease-lost' })
    expect(await appendSome(store, fresh, 0)).toBe(1)
  })
})
