import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { type EncryptionKey, encrypted } from './index.ts'
import { testKey } from './keys.fixture.ts'

const good = testKey('a')
const base64 = Buffer.from(good.key).toString('base64')

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['no key', { id: 'a' }],
  ['no id', { key: good.key }],
  ['an empty id', { id: '', key: good.key }],
  ['an id with a colon', { id: 'a:b', key: good.key }],
  ['an id of 65 characters', { id: 'x'.repeat(65), key: good.key }],
  ['31 bytes', { id: 'a', key: good.key.subarray(1) }],
  ['33 bytes', { id: 'a', key: Buffer.concat([good.key, Buffer.of(1)]) }],
  ['hex', { id: 'a', key: Buffer.from(good.key).toString('hex') }],
  ['a passphrase', { id: 'a', key: 'correct horse battery staple' }],
  ['an array', { id: 'a', key: Array.from(good.key) }],
])('%s is a bad-option that names the field and does not quote the key', (_, current) => {
  const made = () => encrypted(memoryStore(), { current: current as EncryptionKey })
  expect(made).toThrow(
    expect.objectContaining({ code: 'bad-option', details: { field: expect.stringMatching(/^current\.(id|key)$/) } }),
  )
  try {
    made()
  } catch (error) {
    for (const shown of [base64.slice(0, 20), Buffer.from(good.key).toString('hex').slice(0, 20), 'horse'])
      expect(inspect(error)).not.toContain(shown)
  }
})

test.each([base64, base64.replace('=', ''), ` ${base64}\n`, base64.replaceAll('+', '-').replaceAll('/', '_')])(
  'base64 is a key: %j',
  (key) => {
    expect(() => encrypted(memoryStore(), { current: { id: 'a', key } })).not.toThrow()
  },
)

test('two keys of one id are a bad-option', () => {
  expect(() => encrypted(memoryStore(), { current: good, others: [{ ...testKey('b'), id: 'a' }] })).toThrow(
    expect.objectContaining({ code: 'bad-option', details: { field: 'others[0].id' } }),
  )
})

test('a key that is overwritten by its owner afterwards is still the key', async () => {
  const mine = Buffer.from(good.key)
  const inner = memoryStore()
  const store = encrypted(inner, { current: { id: 'a', key: mine } })
  mine.fill(0)
  const lease = await store.acquire('s', { id: 'o', host: 'h', realm: 'r', pid: 1 }, 1000)
  if (lease.kind === 'busy') throw new Error('busy')
  await store.putBlob(lease, 'ab'.repeat(32), 'text')
  expect(await encrypted(inner, { current: good }).readBlob('s', 'ab'.repeat(32))).toBe('text')
})

test('the store shows no key to whoever prints it', () => {
  expect(inspect(encrypted(memoryStore(), { current: good }), { depth: 9, showHidden: true })).not.toMatch(/Buffer|Key/)
})
