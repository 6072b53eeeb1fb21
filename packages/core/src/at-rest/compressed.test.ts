import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'
import * as fc from 'fast-check'
import type { Entry, EntryBody } from '../journal.ts'
import { memoryStore } from '../memory-store.ts'
import type { SealedEntry } from '../sealed.ts'
import type { Lease, Store } from '../store.ts'
import { storeOver } from '../store-over.ts'
import { entry, head, owner, turnStarted } from '../testing/entries.ts'
import { anyBody } from './bodies.fixture.ts'
import { compressed, encrypted } from './index.ts'
import { testKey } from './keys.fixture.ts'

const hasZstd = 'zstdCompress' in zlib
const name = 'ab'.repeat(32)

async function append(store: Store, body: EntryBody): Promise<Entry> {
  const lease = (await store.acquire('s', owner('ann'), 600_000)) as Lease
  const one = entry(1, lease.fence, body)
  await store.append(lease, 0, [one], head('s', 1))
  return one
}

async function all(store: Store): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const one of store.read('s')) entries.push(one)
  return entries
}

const readingOf = (stored: unknown): Promise<Entry[]> =>
  all(
    compressed(
      storeOver(memoryStore(), {
        async *read() {
          yield stored as Entry
        },
      }),
    ),
  )

test('any entry comes back as it went in (P4)', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyBody.filter(({ type }) => type !== 'sealed'),
      async (body) => {
        const store = compressed(memoryStore(), { minBytes: 0 })
        const one = await append(store, body)
        expect(JSON.stringify(await all(store))).toBe(JSON.stringify([one]))
      },
    ),
  )
})

test('any text comes back as a blob, also one that looks compressed already', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string().map((rest) => `sealed/1:deflate::${rest}`),
    fc.base64String().map((rest) => `sealed/1:aes-256-gcm:key:${rest}`),
    fc.string().map((word) => word.repeat(200)),
  )
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      for (const inner of [memoryStore(), encrypted(memoryStore(), { current: testKey('a') })]) {
        const store = compressed(inner, { minBytes: 0 })
        const lease = (await store.acquire('s', owner('ann'), 600_000)) as Lease
        await store.putBlob(lease, name, text)
        expect(await store.readBlob('s', name)).toBe(text)
      }
    }),
  )
})

test('large entries and blobs get smaller; small ones and those that do not stay in the clear', async () => {
  const inner = memoryStore()
  const store = compressed(inner)
  await append(store, turnStarted('read the file and write it again. '.repeat(200)))
  const [large] = (await all(inner)) as [SealedEntry]
  expect(large.type).toBe('sealed')
  expect(JSON.stringify(large).length).toBeLessThan(500)
  for (const text of ['small', Array.from({ length: 400 }, (_, i) => String.fromCodePoint(0x4e00 + i * 37)).join('')]) {
    const clear = memoryStore()
    await append(compressed(clear), turnStarted(text))
    expect((await all(clear))[0]?.type).toBe('turn-started')
  }
})

test('it can be switched on for a store that has sessions, and off by whoever still reads with it', async () => {
  const inner = memoryStore()
  const one = await append(inner, turnStarted('x'.repeat(5000)))
  const lease = (await inner.acquire('s', owner('ann'), 600_000)) as Lease
  await inner.putBlob(lease, name, '"in the clear"')
  const store = compressed(inner)
  const two = entry(2, lease.fence, turnStarted('y'.repeat(5000)))
  await store.append(lease, 1, [two], head('s', 2))
  expect(await all(store)).toEqual([one, two])
  expect(await store.readBlob('s', name)).toBe('"in the clear"')
})

test('under encryption it makes smaller what is stored, not only what is encrypted', async () => {
  const body = turnStarted('read the file and write it again. '.repeat(200))
  const size = async (decorate: (store: Store) => Store) => {
    const inner = memoryStore()
    await append(decorate(inner), body)
    return JSON.stringify(await all(inner)).length
  }
  const options = { current: testKey('a') }
  const [clear, small, both] = await Promise.all([
    size((store) => store),
    size((store) => compressed(store)),
    size((store) => compressed(encrypted(store, options))),
  ])
  expect(clear).toBeGreaterThan(6_000)
  // Base64 once, and the nonce, the tag and the inner head.
  expect(both - small).toBeLessThan(250)
})

test('damage is journal-corrupt by its place, and so is what would fill the memory', async () => {
  const inner = memoryStore()
  await append(compressed(inner), turnStarted('x'.repeat(5000)))
  const [sealed] = (await all(inner)) as [SealedEntry]
  const bomb = zlib.deflateRawSync(Buffer.alloc(257 * 1024 * 1024)).toString('base64')
  for (const data of ['', 'AAAA', sealed.data.slice(0, -8), `${sealed.data}\n`, bomb]) {
    await expect(readingOf({ ...sealed, data })).rejects.toMatchObject({
      code: 'journal-corrupt',
      message: expect.stringMatching(/^memory:s entry 1 cannot be opened/),
    })
  }
})

test.runIf(hasZstd)('zstd is read back, by a store that writes deflate too', async () => {
  const inner = memoryStore()
  const one = await append(compressed(inner, { codec: 'zstd' }), turnStarted('x'.repeat(5000)))
  expect((await all(inner))[0]).toMatchObject({ codec: 'zstd' })
  expect(await all(compressed(inner))).toEqual([one])
})

test.runIf(!hasZstd)(
  'a Node without zstd says which one has it, when it should write and when it should read',
  async () => {
    expect(() => compressed(memoryStore(), { codec: 'zstd' })).toThrow(
      expect.objectContaining({ code: 'bad-option', hint: expect.stringContaining('22.15') }),
    )
    const stored = { ...entry(1, 1, { type: 'sealed', codec: 'zstd', data: 'AAAA' }) }
    await expect(readingOf(stored)).rejects.toMatchObject({
      code: 'journal-sealed',
      hint: expect.stringContaining('22.15'),
    })
  },
)

test.each([{ codec: 'gzip' }, { minBytes: -1 }, { minBytes: Number.NaN }])('%j is a bad-option', (options) => {
  expect(() => compressed(memoryStore(), options as never)).toThrow(expect.objectContaining({ code: 'bad-option' }))
})
