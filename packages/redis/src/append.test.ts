import { describe, expect, inject, it } from 'vitest'
import { appendSome, collect, commandsDuring, leaseOf, openStore, rejection, someEntries } from '../test/fixture.ts'

const url = inject('redisUrl')

describe('append', () => {
  it('is one command and one round trip', async () => {
    const { store, prefix } = openStore(url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0)
    const sent = await commandsDuring(url, prefix, async () => {
      for (const seq of [1, 2, 3]) await appendSome(store, lease, seq)
    })
    expect(sent).toEqual(['evalsha', 'evalsha', 'evalsha'])
  })

  it('takes more entries than Lua can unpack', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    expect(await appendSome(store, lease, 0, 12_345)).toBe(12_345)
    expect(await appendSome(store, lease, 0, 12_345)).toBe(12_345)
    expect((await collect(store.read('s', 12_000))).map((entry) => entry.seq)).toHaveLength(345)
  })

  it('acknowledges a repeat from before the end, and leaves the newer head', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    for (const seq of [0, 1, 2]) await appendSome(store, lease, seq)
    expect(await appendSome(store, lease, 0, 2)).toBe(2)
    expect((await store.summary('s'))?.head.seq).toBe(3)
  })

  it('refuses entries that only begin with what is there', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    await appendSome(store, lease, 0, 2)
    expect(await rejection(appendSome(store, lease, 0, 3))).toMatchObject({ code: 'journal-conflict' })
    expect(await rejection(appendSome(store, lease, 0, 2, 'other'))).toMatchObject({ code: 'journal-conflict' })
    expect(await collect(store.read('s'))).toHaveLength(2)
  })

  it('keeps every byte of the text: NUL, lone surrogates escaped, emoji, line separators', async () => {
    const { store } = openStore(url)
    const lease = await leaseOf(store, 's')
    const text = 'a\u0000b\r\n\u2028😀\ud800 $1 %s {}'
    await appendSome(store, lease, 0, 1, text)
    expect(await collect(store.read('s'))).toEqual(someEntries(lease, 0, 1, text))
  })
})
