// What is at rest today is read by every later release: these lines are never edited.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Entry, parseEntry } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Lease, Store } from '../store/store.ts'
import { storeOver } from '../store/store-over.ts'
import { valueStoredIn } from '../journal/stored-entry.ts'
import { entry, head, owner } from '../testing/entries.ts'
import { dictionary1 } from './dictionary.ts'
import { compressed, encrypted } from './index.ts'
import { testKey } from './keys.fixture.ts'

const current = testKey('golden')
const name = 'ab'.repeat(32)
const stamp = { v: 2, seq: 1, at: 1767225600001, fence: 1, lane: 'main' } as const
const golden = {
  deflate: {
    type: 'sealed',
    codec: 'deflate',
    data: 'NYzBCoAgEET7lJizHey4vxIepJYupeGuUYj/HgqdhmHem6FA34tB0JzCJOqT8gbTK8ganCzidxbQUpDi0dgsnGCwxqActC//Cz/a7Bb0u6NFddUZ3KC5fg==',
    ...stamp,
  },
  encrypted: {
    type: 'sealed',
    codec: 'aes-256-gcm',
    key: 'golden',
    data: 'rOxVgVyM5rmB1bOaKegcGGNcuqbDfh4v5VzF3GDU8/EM89Fs/wNtoLmMR5lQeMcB+mK3DyizID2vYkLQM62r1qAl2ArgI0tNj+Ek/qlGb2ikZMMd+I4N21QBCQ9IgAgQ6iQvq3r8fBSQ3Uq/W3UDsRk9nTx0VuFTV7bDrRCd6uLOshG+61Epu5rms8PWLlQ=',
    ...stamp,
  },
  both: {
    type: 'sealed',
    codec: 'aes-256-gcm',
    key: 'golden',
    data: 'kA91/N7thj5fyj7B9NBSimjTeoVQ4aHH5WRDND6umH5wd9wv/5W8n0nfGs1HmU85tJCA1s537WmvR+cOEsBXgyOLod1c8DHbb+WEQEJ5+cpNyVzNxscqvBKTRyqbgHVhXo+WE6Y1H3dJZBzNcVxZD2mD1Pt2g7fnSGlFOekT8zMy9Z8TuFQeHAGtlotvf/i8H/YA7bxTuCXq4O0mj6gv',
    ...stamp,
  },
  blobName: '7af322d8818b64fab4d08ec0d5bddaea0c372c3c8a733bc2a14622d3ce11c9d1',
  blob: 'sealed/1:aes-256-gcm:golden:yL+P/SfBWY/bSfSMBrnCdwwMjFynCQpVQ3qQIDduYICH',
}

const reading = (stored: unknown): Store =>
  storeOver(memoryStore(), {
    async *read() {
      yield parseEntry(stored, 'golden')
    },
    readBlob: async (_, asked) => (asked === golden.blobName ? golden.blob : undefined),
  })

test.each<[string, unknown, (store: Store) => Store]>([
  ['compressed', golden.deflate, (store) => compressed(store)],
  ['encrypted', golden.encrypted, (store) => encrypted(store, { current })],
  ['compressed and encrypted', golden.both, (store) => compressed(encrypted(store, { current }))],
])('an entry that version 2 has %s can be read', async (_, stored, decorate) => {
  for await (const one of decorate(reading(stored)).read('s')) expect(one).toEqual(entry(1, 1))
  expect.assertions(1)
})

test('an entry that version 3 has compressed can be read, kept as JSON or as bytes', async () => {
  const data = 'YyBYjpJYwKCkEViTz1AJqXQAAA=='
  const stored = { type: 'sealed', codec: 'deflate-1', data, ...stamp, v: 3 }
  const { data: _, ...rest } = stored
  const asBytes = valueStoredIn(Buffer.concat([Buffer.from(`${JSON.stringify(rest)}\n`), Buffer.from(data, 'base64')]))
  for (const form of [stored, asBytes]) {
    for await (const one of compressed(reading(form)).read('s')) expect(one).toEqual(entry(1, 1))
  }
  expect.assertions(2)
})

test('the dictionary of deflate-1 is what it was when the first entry was written with it', () => {
  const digest = createHash('sha256').update(dictionary1).digest('hex')
  expect(digest).toBe('202f96a94e03f61fbd79c7d5114b9dfdd2247686c079b1abedad47129d7fcf94')
})

test('a blob that version 2 has encrypted can be read', async () => {
  expect(await encrypted(reading(golden.encrypted), { current }).readBlob('s', name)).toBe('text')
})

test('what is encrypted today is what was encrypted then, byte for byte', async () => {
  const inner = memoryStore()
  const store = encrypted(inner, { current })
  const lease = (await store.acquire('s', owner('ann'), 600_000)) as Lease
  await store.append(lease, 0, [{ ...entry(1, 1), ...stamp } as unknown as Entry], head('s', 1))
  await store.putBlob(lease, name, 'text')
  for await (const one of inner.read('s')) expect(one).toEqual(golden.encrypted)
  expect(await inner.readBlob('s', golden.blobName)).toBe(golden.blob)
})
