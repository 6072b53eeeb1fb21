import { isLastgoodError, removeSession } from '@lastgood/core'
import type { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { appendSome, collect, commandsDuring, leaseOf, openStore, rejection } from '../test/fixture.ts'
import { redisStore } from './redis-store.ts'

const url = inject('redisUrl')

describe('list', () => {
  it('gives each of 350 sessions once, and none that has no entry', async () => {
    const { store } = openStore(url)
    const ids = Array.from({ length: 350 }, (_, i) => `s-${i}`)
    await Promise.all(ids.map(async (id) => appendSome(store, await leaseOf(store, id), 0)))
    await leaseOf(store, 'no-entry')
    expect((await collect(store.list())).map(({ head }) => head.sessionId).sort()).toEqual(ids.sort())
  })

  it('removes the row of a session that is gone, and the next lease writes a lost row again', async () => {
    const { store, redis, key, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    await redis.del(key('s', 'session'))
    expect(await collect(store.list())).toEqual([])
    expect(await redis.zcard(`${prefix}:sessions`)).toBe(0)
    await leaseOf(store, 's', lease.owner)
    expect(await redis.zcard(`${prefix}:sessions`)).toBe(1)
  })

  it.each([
    ['is no JSON', 'journal-corrupt', (redis: Redis, key: string) => redis.hset(key, 'head', '{"v":')],
    [
      'belongs to another session',
      'journal-corrupt',
      async (redis: Redis, key: string) => {
        const other = await redis.hget(key.replace('{s-7}', '{s-8}'), 'head')
        return redis.hset(key, 'head', String(other))
      },
    ],
    ['is of a newer lastgood', 'journal-version', (redis: Redis, key: string) => redis.hset(key, 'head', '{"v":99}')],
    ['is a key of another kind', 'store-unavailable', (redis: Redis, key: string) => redis.set(key, 'x')],
  ])('gives all others, and then its error, where a head %s', async (_, code, damage) => {
    const { store, redis, key } = openStore(url)
    const ids = Array.from({ length: 250 }, (_, i) => `s-${i}`)
    await Promise.all(ids.map(async (id) => appendSome(store, await leaseOf(store, id), 0)))
    await damage(redis, key('s-7', 'session'))
    const found: string[] = []
    const reading = (async () => {
      for await (const { head } of store.list()) found.push(head.sessionId)
    })()
    expect(await rejection(reading)).toMatchObject({ code })
    expect(found.sort()).toEqual(ids.filter((id) => id !== 's-7').sort())
    expect(await rejection(store.summary('s-7'))).toMatchObject({ code })
  })

  it.each(['nobody has', 'somebody takes'])(
    'gives all others, and then tells of a journal that lost its head (an eviction), that %s',
    async (who) => {
      const { store, redis, key } = openStore(url)
      for (const id of ['a', 'orphan']) await appendSome(store, await leaseOf(store, id), 0)
      await redis.del(key('orphan', 'session'))
      if (who === 'somebody takes') await store.release(await leaseOf(store, 'orphan'))
      const found: string[] = []
      const reading = (async () => {
        for await (const { head } of store.list()) found.push(head.sessionId)
      })()
      const told = {
        code: 'journal-corrupt',
        message: `redis:${key('orphan', 'session')}: the head is at entry 0, but the journal has 1`,
      }
      expect(await rejection(reading)).toMatchObject(told)
      expect(found).toEqual(['a'])
      expect(await rejection(store.summary('orphan'))).toMatchObject(told)
      await removeSession(store, 'orphan', { damaged: true })
      expect(await redis.exists(key('orphan', 'journal'))).toBe(0)
      expect(await collect(store.list())).toHaveLength(1)
    },
  )

  it('keeps the row of a session that has no entry yet, for its first entry', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    expect(await collect(store.list())).toEqual([])
    await appendSome(store, lease, 0)
    expect(await collect(store.list())).toHaveLength(1)
  })

  it('gives a session once that the server shows twice (it may, while the index grows)', async () => {
    const { store, redis, prefix } = openStore(url)
    await appendSome(store, await leaseOf(store, 's'), 0)
    const stuttering = new Proxy(redis, {
      get(target, property) {
        if (property !== 'zscan') return Reflect.get(target, property, target) as unknown
        return async (_: string, cursor: string) => [cursor === '0' ? '7' : '0', ['s', '1', 's', '1']]
      },
    })
    expect(await collect(redisStore(stuttering, { prefix }).list())).toHaveLength(1)
  })

  it('keeps the row of a session that is acquired while the list finds it gone', async () => {
    const { store, redis, prefix } = openStore(url)
    const index = `${prefix}:sessions`
    await redis.zadd(index, 1, 's')
    // Between the look at the session and the removal of its row, another process acquires it.
    const slow = new Proxy(redis, {
      get(target, property) {
        if (property !== 'evalsha') return Reflect.get(target, property, target) as unknown
        return async (sha1: string, count: number, ...rest: string[]) => {
          if (rest[0] === index) await appendSome(store, await leaseOf(store, 's'), 0)
          return target.evalsha(sha1, count, ...rest)
        }
      },
    })
    await collect(redisStore(slow, { prefix }).list())
    expect(await collect(store.list())).toHaveLength(1)
  })

  it('asks for 100 summaries at once, and never walks the key space', async () => {
    const { store, prefix } = openStore(url)
    for (let i = 0; i < 5; i++) await appendSome(store, await leaseOf(store, `s-${i}`), 0)
    await collect(store.list())
    const sent = await commandsDuring(url, prefix, () => collect(store.list()))
    expect(sent).toEqual(['zscan', ...Array.from({ length: 5 }, () => 'evalsha')])
  })
})

describe('remove', () => {
  it('leaves no key behind', async () => {
    const { store, redis, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    expect(isLastgoodError(await rejection(store.remove('s')), 'session-busy')).toBe(true)
    await store.release(lease)
    await store.remove('s')
    expect(await redis.keys(`${prefix}*`)).toEqual([])
  })
})
