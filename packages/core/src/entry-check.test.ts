import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSurelyEntry } from './entry-check.ts'
import { entryBodySchema, journalVersion, parseEntry, type EntryBody } from './journal.ts'

const block = { type: 'text', text: 'x', citations: null }
const answer = {
  id: 'msg_1',
  role: 'assistant' as const,
  model: 'm',
  content: [block],
  stop_reason: null,
  usage: { input_tokens: 1 },
}
const usual: EntryBody[] = [
  { type: 'turn-started', turn: 1, agent: 'coder', messages: [{ role: 'user', content: 'a' }] },
  { type: 'turn-continued', messages: [{ role: 'user', content: [block] }] },
  { type: 'request-sent', model: 'm', attempt: 1 },
  { type: 'response-received', message: answer, requestId: 'req_1' },
  { type: 'tool-started', toolUseId: 't', name: 'edit', inDoubt: 'report' },
  { type: 'tool-finished', toolUseId: 't', result: block, outcome: 'ran' },
  { type: 'turn-ended', turn: 1 },
]
const stamped = (body: object) => ({ ...body, v: journalVersion, seq: 1, at: 1.5, fence: 1, lane: 'main' })

/** `value` with one thing in it changed, left out or added, at any depth. */
const changed = (value: object): fc.Arbitrary<object> => {
  const spots = spotsIn(value)
  const odd = fc.constantFrom<unknown>(undefined, null, 0, -1, 1.5, NaN, 2 ** 60, '', 'ran', [], [1], {}, [{}], true)
  return fc
    .record({ spot: fc.constantFrom(...spots), odd, how: fc.constantFrom('set', 'drop', 'add') })
    .map(({ spot, odd, how }) => {
      const copy = structuredClone(value)
      const [last = '', ...above] = [...spot].reverse()
      const holder = above.reverse().reduce<Record<string, unknown>>((at, key) => at[key] as typeof at, copy as never)
      if (how === 'drop' && Array.isArray(holder)) holder.splice(Number(last), 1)
      else if (how === 'drop') delete holder[last]
      else holder[how === 'add' ? 'another' : last] = odd
      return copy
    })
}

function spotsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...spotsIn(inner).map((spot) => [key, ...spot])])
}

function isSoundBySchema(value: object): boolean {
  const { v, seq, at, fence, lane, ...body } = value as Record<string, unknown>
  const isWhole = (one: unknown) => Number.isSafeInteger(one) && Number(one) >= 1
  const isStamped = v === journalVersion && isWhole(seq) && Number.isFinite(at) && isWhole(fence) && lane === 'main'
  return isStamped && entryBodySchema().safeParse(body).success
}

test.each(usual)('the usual entries need no schema [$type]', (body) => {
  expect(isSurelyEntry(stamped(body), journalVersion)).toBe(true)
  expect(isSoundBySchema(stamped(body))).toBe(true)
})

test.each(usual)('what is surely an entry the schema takes too, whatever was changed in it [$type]', (body) => {
  const sure = fc.property(changed(stamped(body)), (value) => {
    expect(isSurelyEntry(value, journalVersion) && !isSoundBySchema(value)).toBe(false)
  })
  fc.assert(sure, { numRuns: 1000 })
})

test('an unknown version or kind is never surely an entry, and is told (P5)', () => {
  const newer = { ...stamped(usual[2] as EntryBody), v: journalVersion + 1 }
  for (const value of [newer, stamped({ type: 'of-tomorrow' })]) {
    expect(isSurelyEntry(value, journalVersion)).toBe(false)
    expect(() => parseEntry(value, 'here')).toThrow(expect.objectContaining({ code: 'journal-version' }))
  }
  for (const value of [null, [], 'x', {}]) expect(isSurelyEntry(value, journalVersion)).toBe(false)
})
