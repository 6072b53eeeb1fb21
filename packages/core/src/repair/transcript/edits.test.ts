import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message } from '../../journal/journal.ts'
import { applyEdits, editsBetween } from './edits.ts'

const messageArb = fc.nat(9).map((n): Message => ({ role: n % 2 === 0 ? 'user' : 'assistant', content: String(n) }))

/** A conversation, and one that was made from it: messages left out, put in, replaced, moved. */
const versionsArb = fc
  .array(messageArb, { maxLength: 12 })
  .chain((recorded) =>
    fc
      .array(fc.oneof(messageArb, ...(recorded.length > 0 ? [fc.constantFrom(...recorded)] : [])), { maxLength: 14 })
      .map((repaired) => ({ recorded, repaired })),
  )

test('the edits between two versions lead from one to the other, message for message', () => {
  fc.assert(
    fc.property(versionsArb, ({ recorded, repaired }) => {
      const edits = editsBetween(recorded, repaired)
      const applied = applyEdits(recorded, edits)
      expect(applied.length).toBe(repaired.length)
      expect(applied.every((message, at) => message === repaired[at])).toBe(true)
      const places = edits.flatMap(({ from, to }) => [from, to])
      expect(places).toEqual([...places].sort((a, b) => a - b))
    }),
    { numRuns: 1_000 },
  )
})

test('a message that stands in the list twice is no edit', () => {
  const [again, other] = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ]
  expect(editsBetween([again, other, again], [again, other, again])).toEqual([])
  expect(editsBetween([again, other, again], [again, other])).toEqual([{ from: 2, to: 3, insert: [] }])
})

test('no edit, no copy', () => {
  const recorded = [{ role: 'user', content: 'hi' }]
  expect(editsBetween(recorded, [...recorded])).toEqual([])
  expect(applyEdits(recorded, [])).toBe(recorded)
})
