import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyBody } from '../at-rest/bodies.fixture.ts'
import { storedEntry, valueStoredIn } from './stored-entry.ts'
import { entry } from '../testing/entries.ts'

const bytesOf = (stored: string | Buffer): Buffer => Buffer.from(stored)

test('any entry comes back as it went in, and gives the same bytes again (P4)', () => {
  const anyEntry = fc
    .oneof(
      anyBody,
      fc.uint8Array().map((bytes) => ({
        type: 'sealed' as const,
        codec: 'deflate-1' as const,
        data: Buffer.from(bytes).toString('base64'),
      })),
    )
    .map((body) => entry(1, 1, body))
  fc.assert(
    fc.property(anyEntry, (one) => {
      const stored = bytesOf(storedEntry(one))
      expect(valueStoredIn(stored)).toEqual(one)
      expect(bytesOf(storedEntry(valueStoredIn(stored) as typeof one)).equals(stored)).toBe(true)
    }),
  )
})

test('what is sealed takes its own bytes, whatever they are, and no base64', () => {
  const bytes = Buffer.from('\n\0{"type":\xff\n', 'latin1')
  const stored = storedEntry(entry(1, 1, { type: 'sealed', codec: 'zstd', data: bytes.toString('base64') }))
  expect(Buffer.isBuffer(stored) && stored.subarray(-bytes.length).equals(bytes)).toBe(true)
})

test('what is in the clear, and what was sealed before there were bytes, is JSON', () => {
  const clear = entry(1, 1)
  expect(storedEntry(clear)).toBe(JSON.stringify(clear))
  const sealed = { ...entry(1, 1, { type: 'sealed', codec: 'deflate', data: 'AAAA' }), v: 2 }
  expect(valueStoredIn(bytesOf(JSON.stringify(sealed)))).toEqual(sealed)
})

test.each(['', '{', '{\n', '\nAAAA', '{"type":"sealed"}}\nAAAA'])('%j is no entry, and no error', (text) => {
  expect(valueStoredIn(Buffer.from(text))).toBeUndefined()
})
