import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changed } from '../journal/changed.fixture.ts'
import { parseEntry } from '../journal/journal.ts'
import { headSchema, isSurelyHead, parseHead, type Head } from './head.ts'
import { assertSessionId } from './store.ts'
import { forkSession } from '../session/fork.ts'
import { openSession } from '../session/open-session.ts'
import { entry, head } from '../testing/entries.ts'
import { memoryStore } from './memory-store.ts'

const corrupt = (message: RegExp) =>
  expect.objectContaining({
    code: 'journal-corrupt',
    message: expect.stringMatching(message),
    hint: expect.any(String),
  })
const stored = (changes: Partial<Head> = {}): unknown => JSON.parse(JSON.stringify(head('s', 1, changes)))

test('a head is that of the session that was asked for, or damage', () => {
  expect(parseHead(stored(), 'here', 's')).toEqual(head('s', 1))
  expect(() => parseHead(stored(), 'here', 'another')).toThrow(corrupt(/^here: the head belongs to another session$/))
})

const impossible = ['', '..', '../../home/ada/.profile', '/etc/x', 'a/b', 'a\nb', '-rf', 'last', 'x'.repeat(129)]

test.each(impossible)('what cannot name a session is in no head and no entry: %j', (sessionId) => {
  expect(() => assertSessionId(sessionId)).toThrow(expect.objectContaining({ code: 'bad-option' }))
  expect(() => parseHead(stored({ sessionId }), 'here', sessionId)).toThrow(corrupt(/not a head \(sessionId\)/))
  const origin = { sessionId, seq: 1 }
  expect(() => parseHead(stored({ origin }), 'here', 's')).toThrow(corrupt(/not a head \(origin\.sessionId\)/))
  const forked = entry(1, 1, { type: 'session-forked', origin, reason: 'forked' })
  expect(() => parseEntry(forked, 'here')).toThrow(corrupt(/not a journal entry \(origin\.sessionId/))
})

test.each([undefined, null, 42, true, {}, [], ['a'], Symbol('a')])(
  'what is no string cannot name a session, not even by its text: %s',
  async (value) => {
    const id = value as string
    const refused = { code: 'bad-option', message: expect.stringMatching(/^not a session id: (null|[a-z]+)$/) }
    expect(() => assertSessionId(id)).toThrow(expect.objectContaining(refused))
    const store = memoryStore()
    await expect(openSession(id, { store })).rejects.toMatchObject(refused)
    await expect(forkSession(store, id, 'b')).rejects.toMatchObject(refused)
  },
)

test('what is surely a head the schema takes too, whatever was changed in it', () => {
  const origin = { sessionId: 'p', seq: 1, at: 1 }
  const said = { agent: 'a', cwd: '/c', model: 'm', reason: 'r', dueAt: 1, origin, ttlMs: 1, pinned: true } as const
  const whole = head('s', 1, said)
  expect(isSurelyHead(whole)).toBe(true)
  const sure = fc.property(changed(whole), (value) => {
    expect(isSurelyHead(value) && !headSchema().safeParse(value).success).toBe(false)
  })
  fc.assert(sure, { numRuns: 1000 })
})

test.each(['dueAt', 'createdAt', 'updatedAt'])('an instant of a head that no date can say is damage: %s', (field) => {
  expect(() => parseHead(stored({ [field]: 1e300 }), 'here', 's')).toThrow(
    corrupt(new RegExp(`not a head \\(${field}\\)`)),
  )
})
