import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'
import * as fc from 'fast-check'
import { chunksOf, inChunks } from '../store/chunked.ts'
import type { Entry, EntryBody } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { SealedEntry } from '../store/sealed.ts'
import type { Lease, Store } from '../store/store.ts'
import { storeOver } from '../store/store-over.ts'
import { entry, head, owner, turnStarted } from '../testing/entries.ts'
import { seededRandom } from '../testing/random.ts'
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

/** Of all that can be typed, in no order: it takes more as base64 of what is compressed than as it is. */
function noise(length: number): string {
  const random = seededRandom(1)
  return Array.from({ length }, () => String.fromCodePoint(0x20 + Math.floor(random() * 95))).join('')
}

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
    fc.string().map((rest) => `sealed/1:deflate-1::${rest}`),
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
  for (const text of ['small', noise(2_000)]) {
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
  // Each part ends at a byte, so that they can be put together.
  const part = zlib.deflateRawSync(Buffer.alloc(1024 * 1024), { finishFlush: zlib.constants.Z_SYNC_FLUSH })
  const bomb = Buffer.concat([...Array.from({ length: 257 }, () => part), zlib.deflateRawSync('')]).toString('base64')
  for (const data of ['', 'AAAA', sealed.data.slice(0, -8), `${sealed.data}\n`, bomb]) {
    await expect(readingOf({ ...sealed, data })).rejects.toMatchObject({
      code: 'journal-corrupt',
      message: expect.stringMatching(/^memory:s entry 1 cannot be opened/),
    })
  }
})

test('what comes in chunks stays in chunks, and what is before a damaged entry is read', async () => {
  const options = { current: testKey('a') }
  const inner = memoryStore()
  const store = compressed(encrypted(inner, options), { minBytes: 0 })
  const lease = (await store.acquire('s', owner('ann'), 600_000)) as Lease
  const entries = [1, 2, 3].map((seq) => entry(seq, lease.fence))
  await store.append(lease, 0, entries, head('s', 3))
  const stored = (await all(inner)) as SealedEntry[]
  const inOne = (chunk: readonly Entry[]) =>
    storeOver(inner, {
      read: () =>
        inChunks(async function* () {
          yield chunk
        }),
    })
  const chunks: (readonly Entry[])[] = []
  const readChunks = async (chunk: readonly Entry[]) => {
    chunks.length = 0
    const read = compressed(encrypted(inOne(chunk), options)).read('s')
    for await (const some of chunksOf(read)) chunks.push(some)
  }
  await readChunks(stored)
  expect(chunks).toEqual([entries])
  await expect(readChunks([...stored.slice(0, 2), { ...stored[2]!, data: 'AAAA' }])).rejects.toMatchObject({
    code: 'journal-corrupt',
  })
  expect(chunks.flat()).toEqual(entries.slice(0, 2))
})

test.each(hasZstd ? (['deflate', 'zstd'] as const) : (['deflate'] as const))(
  'by %s a small entry and a very large one come back, and again give the same bytes',
  async (codec) => {
    for (const length of [600, 70_000, 1_000_000]) {
      const body = turnStarted(noise(length))
      const stores = [memoryStore(), memoryStore()] as const
      for (const inner of stores) {
        const one = await append(compressed(inner, { codec }), body)
        expect(await all(compressed(inner))).toEqual([one])
      }
      expect(await all(stores[0])).toEqual(await all(stores[1]))
    }
  },
)

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
