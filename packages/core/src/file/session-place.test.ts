import { basename } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeOf, sessionIdOfJournal } from './session-place.ts'

const ids = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/).filter((id) => id !== 'last')
const nameOf = (id: string) => basename(placeOf('/f', id).journal)

test('names are lower case, at most 255 bytes with their endings, and lead back to the id', () => {
  fc.assert(
    fc.property(ids, (id) => {
      const name = nameOf(id)
      expect(name).toBe(name.toLowerCase())
      expect(name.length).toBeLessThanOrEqual(255 - '.lease'.length - '.tmp'.length - 37)
      expect(sessionIdOfJournal(name)).toBe(id)
    }),
  )
})

test('ids that differ only in case have different names, and plain ones are themselves', () => {
  expect(['fix-auth', 'Fix-Auth', 'FIX', 'a.b_c'].map(nameOf)).toEqual([
    'fix-auth.jsonl',
    'fix-auth~11.jsonl',
    'fix~7.jsonl',
    'a.b_c.jsonl',
  ])
})

test('files of others are no journals', () => {
  for (const name of [
    'x.lease',
    'x.jsonl.bak',
    'X.jsonl',
    '.jsonl',
    'x~0.jsonl',
    'x~2.jsonl',
    'x~zz.jsonl',
    '-x.jsonl',
    '1~1.jsonl',
  ]) {
    expect([name, sessionIdOfJournal(name)]).toEqual([name, undefined])
  }
})

test('temporary lease files are recognised, and those of no other session', () => {
  const { temporary } = placeOf('/f', 'a.b')
  expect(temporary.test('a.b.lease.0a-1.tmp')).toBe(true)
  for (const name of ['a.b.lease', 'axb.lease.1.tmp', 'a.b.lease.x.lease.1.tmp', 'a.b.c.lease.1.tmp'])
    expect(temporary.test(name)).toBe(false)
})
