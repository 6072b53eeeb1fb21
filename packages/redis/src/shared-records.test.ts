import { describe, expect, inject, it } from 'vitest'
import { commandsDuring, openStore } from '../test/fixture.ts'

const url = inject('redisUrl')

describe('shared records', () => {
  it('are one command each to read and to write', async () => {
    const { store, prefix } = openStore(url)
    await store.shared.write('k', 0, 1)
    const sent = await commandsDuring(url, prefix, async () => {
      await store.shared.read('k')
      await store.shared.write('k', 1, 2)
    })
    expect(sent).toEqual(['hget', 'evalsha'])
  })

  it('are listed, each once, when there are more than one scan gives', async () => {
    const { store } = openStore(url)
    const keys = Array.from({ length: 350 }, (_, i) => `k:${i}`)
    await Promise.all(keys.map((key) => store.shared.write(key, 0, 'x'.repeat(100))))
    await store.shared.write('other', 0, 1)
    expect((await store.shared.list('k:')).map(({ key }) => key).sort()).toEqual(keys.sort())
  })

  it('are text that a person can read: the version, a space, the JSON', async () => {
    const { store, redis, prefix } = openStore(url)
    await store.shared.write('k', 0, { a: 1 })
    await store.shared.write('k', 1, { a: 2 })
    expect(await redis.hget(`${prefix}:shared`, 'k')).toBe('2 {"a":2}')
  })

  it.each([
    ['7 {', { key: 'k', version: 7, value: null }, 7],
    ['nonsense', undefined, 0],
    ['', undefined, 0],
  ])('that hold %j, from somebody else, are no error and can be replaced', async (text, record, version) => {
    const { store, redis, prefix } = openStore(url)
    await redis.hset(`${prefix}:shared`, 'k', text)
    expect(await store.shared.read('k')).toEqual(record)
    expect(await store.shared.list('')).toEqual(record ? [record] : [])
    expect(await store.shared.write('k', version, 'mine')).toBe(true)
    expect(await store.shared.read('k')).toEqual({ key: 'k', version: version + 1, value: 'mine' })
  })
})
