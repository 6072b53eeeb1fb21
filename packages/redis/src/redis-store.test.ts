import { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { appendSome, client, collect, leaseOf, openStore, rejection, someOwner } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')

describe('redisStore', () => {
  it.each([2, 3] as const)('speaks RESP%i', async (protocol) => {
    const { store } = openStore(url, { protocol })
    const lease = await leaseOf(store, 's')
    expect(await appendSome(store, lease, 0, 3)).toBe(3)
    expect((await store.summary('s'))?.holder).toEqual({ ...lease, kind: undefined, sessionId: undefined })
    expect(await collect(store.list())).toHaveLength(1)
    expect((await collect(store.read('s'))).map((entry) => entry.seq)).toEqual([1, 2, 3])
  })

  it('does not mind a client that returns numbers as strings', async () => {
    const { store } = openStore(url, { stringNumbers: true })
    const lease = await leaseOf(store, 's')
    expect(lease.fence).toBe(1)
    expect(await collect(store.read('s'))).toEqual([])
    expect(await appendSome(store, lease, 0)).toBe(1)
    expect((await store.summary('s'))?.holder?.expiresAt).toBe(lease.expiresAt)
  })

  it('keeps what was written by a client with a keyPrefix under that prefix, and names it in errors', async () => {
    const { store, redis, key } = openStore(url, { keyPrefix: 'app:' })
    const plain = client(url)
    await appendSome(store, await leaseOf(store, 's'), 0)
    expect(await collect(store.list())).toHaveLength(1)
    expect(await plain.llen(`app:${key('s', 'journal')}`)).toBe(1)
    await redis.lset(key('s', 'journal'), 0, '{}')
    expect(await rejection(collect(store.read('s')))).toMatchObject({
      code: 'journal-corrupt',
      message: expect.stringContaining(`redis:app:${key('s', 'journal')}[0]`),
    })
  })

  it('begins its keys with lastgood unless it is given a prefix', () => {
    const redis = client(url)
    expect(redisStore(redis).journalAt('s')).toBe('lastgood:{s}:journal')
  })

  it('does not define anything on the client of the caller', async () => {
    const { store, redis } = openStore(url)
    await redis.ping()
    const before = Object.keys(redis)
    await appendSome(store, await leaseOf(store, 's'), 0)
    await store.close()
    expect(Object.keys(redis)).toEqual(before)
    expect(await redis.ping()).toBe('PONG')
  })

  it('goes on after a script flush between any two commands', async () => {
    const { store, redis } = openStore(url)
    const owner = someOwner()
    await redis.script('FLUSH')
    const lease = await leaseOf(store, 's', owner)
    const steps = [
      () => appendSome(store, lease, 0, 2),
      () => store.renew(lease, 1000),
      () => store.summary('s'),
      () => collect(store.list()),
      () => collect(store.read('s')),
      () => store.release(lease),
      () => store.remove('s'),
    ]
    for (const step of steps) {
      await redis.script('FLUSH')
      await step()
    }
    expect(await store.summary('s')).toBeUndefined()
  })

  it.each([
    ['an address', 'redis://127.0.0.1'],
    ['nothing', undefined],
    ['a client of another kind', { get: () => undefined }],
    ['a client of node-redis 4 in legacy mode', { evalsha: () => undefined, evalSha: () => undefined, options: {} }],
    ['a pipeline', new Redis({ lazyConnect: true }).pipeline()],
  ])('refuses %s in place of a client, and says what to pass', (_, value) => {
    // @ts-expect-error not a client
    expect(() => redisStore(value)).toThrowError(
      expect.objectContaining({ code: 'bad-option', hint: expect.stringContaining('new Redis(') }),
    )
  })

  it.each(['', 'a{b}', '{', 'a b', 'x'.repeat(129)])('refuses the prefix %j', (prefix) => {
    expect(() => redisStore(client(url), { prefix })).toThrowError(expect.objectContaining({ code: 'bad-option' }))
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a lease of %d ms', async (ttlMs) => {
    const { store } = openStore(url)
    expect(await rejection(store.acquire('s', someOwner(), ttlMs))).toMatchObject({ code: 'bad-option' })
  })
})
