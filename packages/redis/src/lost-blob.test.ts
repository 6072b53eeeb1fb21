import { openSession, type Store } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import { describe, expect, inject, it } from 'vitest'
import { appendSome, collect, leaseOf, openStore, rejection } from '../test/fixture.ts'

const url = inject('redisUrl')
const current = { id: 'k', key: Buffer.from('0123456789abcdef0123456789abcdef') }
const name = '1'.repeat(64)

describe('a blob that the server lost before the entry that names it, as in a fail-over', () => {
  it.each<[string, (store: Store) => Store]>([
    ['as it is', (store) => store],
    ['compressed', (store) => compressed(store)],
    ['encrypted', (store) => encrypted(store, { current })],
  ])('P1: is kept again by the session, which can be opened, %s', async (_, decorate) => {
    const { store, redis, prefix } = openStore(url)
    let losses = 0
    const forgetful = decorate({
      ...store,
      async putBlob(...args) {
        await store.putBlob(...args)
        if (losses++ === 0) await redis.del(`${prefix}:{s}:blobs`)
      },
    })
    const session = await openSession('s', { store: forgetful })
    const content = 'x'.repeat(100_000)
    await session.startTurn([{ role: 'user', content }], 'coder')
    expect(losses).toBe(2)
    await session.close()
    const again = await openSession('s', { store: decorate(store) })
    expect(again.messages()).toEqual([{ role: 'user', content }])
    await again.close()
  })

  it('keeps the entry out until it is kept again, and is then acknowledged as often as asked', async () => {
    const { store, redis, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    await store.putBlob(lease, name, 'text')
    await redis.del(`${prefix}:{s}:blobs`)
    expect(await rejection(appendSome(store, lease, 0))).toMatchObject({
      code: 'store-unavailable',
      hint: expect.stringContaining('nothing was added'),
    })
    expect(await collect(store.read('s'))).toEqual([])
    await store.putBlob(lease, name, 'text')
    expect(await appendSome(store, lease, 0)).toBe(1)
    expect(await appendSome(store, lease, 0)).toBe(1)
  })

  it('keeps the entry out also when only one of several is lost', async () => {
    const { store, redis, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    const names = ['1', '2'].map((digit) => digit.repeat(64))
    for (const one of names) await store.putBlob(lease, one, 'text')
    for (const one of names) {
      await redis.hdel(`${prefix}:{s}:blobs`, one)
      expect(await rejection(appendSome(store, lease, 0))).toMatchObject({ code: 'store-unavailable' })
      for (const again of names) await store.putBlob(lease, again, 'text')
    }
    expect(await appendSome(store, lease, 0)).toBe(1)
  })

  it('is asked for by the next append only', async () => {
    const { store, redis, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    await store.putBlob(lease, name, 'text')
    expect(await appendSome(store, lease, 0)).toBe(1)
    await redis.del(`${prefix}:{s}:blobs`)
    expect(await appendSome(store, lease, 1)).toBe(2)
  })
})
