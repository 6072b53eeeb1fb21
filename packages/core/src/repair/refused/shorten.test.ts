import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FaultKind } from '../../faults/fault-kinds.ts'
import type { Fault } from '../../faults/fault.ts'
import type { Message } from '../../journal/journal.ts'
import { charactersPerToken } from '../../ladder/token-need.ts'
import { requestOf, strictCard } from '../request/request-case.fixture.ts'
import { applyRefusalRule } from './refusal-rules.ts'

/** One call and its result for each length. */
function conversation(lengths: readonly number[]): Message[] {
  const steps = lengths.flatMap((length, at): Message[] => [
    { role: 'assistant', content: [{ type: 'tool_use', id: `t${at}`, name: 'read', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${at}`, content: 'x'.repeat(length) }] },
  ])
  return [{ role: 'user', content: 'Fix it.' }, ...steps]
}

const overflow = (message: string) => ({ card: strictCard, fault: { kind: 'context-overflow', message } as const })
const windowChars = (strictCard.maxInputTokens * charactersPerToken) / strictCard.tokenScale
const sizeOf = (value: unknown) => JSON.stringify(value).length

test('the oldest results go first, and the newest stay while that is enough', () => {
  const messages = conversation(Array.from({ length: 30 }, () => 1_000))
  const context = overflow('prompt is too long: 1000 tokens > 900 maximum')
  const now = applyRefusalRule('shorten-old-results', requestOf({ messages }), context)!.outgoing.messages
  const shortened = now.map((message, at) => message !== messages[at])
  expect(shortened.indexOf(true)).toBe(2)
  expect(shortened.lastIndexOf(true)).toBeLessThan(messages.length - 20)
})

test('room for some turns is made of old results only: the last 20 messages stay', () => {
  const messages = conversation(Array.from({ length: 30 }, () => 1_000))
  const context = overflow('prompt is too long: 1000 tokens > 520 maximum')
  const now = applyRefusalRule('shorten-old-results', requestOf({ messages }), context)!.outgoing.messages
  expect(now.slice(-20).every((message, at) => message === messages.slice(-20)[at])).toBe(true)
  expect(now.at(-21)).not.toBe(messages.at(-21))
})

test('if only the newest result is too long, it is cut in the middle', () => {
  const messages = conversation([10, 3_000_000])
  const context = overflow('prompt is too long: 1000 tokens > 500 maximum')
  const now = applyRefusalRule('shorten-old-results', requestOf({ messages }), context)!.outgoing.messages
  expect(sizeOf(now)).toBeLessThan(30_000)
  expect(sizeOf(now)).toBeGreaterThan(15_000)
})

test('words of people are never left out: what cannot fit is not touched', () => {
  const messages: Message[] = [{ role: 'user', content: 'x'.repeat(100_000) }, ...conversation([5_000]).slice(1)]
  const context = overflow('prompt is too long: 1000 tokens > 500 maximum')
  expect(applyRefusalRule('shorten-old-results', requestOf({ messages }), context)).toBeUndefined()
})

test('without numbers it halves what the window seemed to hold', () => {
  const messages = conversation(Array.from({ length: 30 }, () => 1_000))
  const context = overflow('Request size exceeds model context window')
  const now = applyRefusalRule('shorten-old-results', requestOf({ messages }), context)!.outgoing.messages
  expect(sizeOf(now)).toBeLessThan(sizeOf(messages) / 2)
})

test('too many bytes are counted as bytes', () => {
  const messages = conversation(Array.from({ length: 40 }, () => 1_000_000))
  const fault = { kind: 'too-large' } as const
  const repaired = applyRefusalRule('shorten-old-results', requestOf({ messages }), { card: strictCard, fault })
  expect(sizeOf(repaired?.outgoing.messages)).toBeLessThan(32 * 1024 * 1024)
  expect(repaired?.repairs[0]?.rule).toMatch(/^shorten-old-results:bytes=\d+$/)
})

test.each<[string, FaultKind, string, number, (before: number) => number]>([
  ['of the window', 'context-overflow', '1000 tokens > 900 maximum', 1_000, (before) => (before / 1000) * 900 * 0.95],
  [
    'of the window less the answer',
    'context-overflow',
    'input length and `max_tokens` exceed context limit: 150000 + 64000 > 200000',
    1_000,
    (before) => (before / 150_000) * 136_000 * 0.95,
  ],
  [
    'none where the answer alone is too long',
    'context-overflow',
    'input length and `max_tokens` exceed context limit: 150000 + 200000 > 200000',
    1_000,
    (before) => before / 2,
  ],
  ['none, of a window that it seems to fit', 'context-overflow', 'too long', 1_000, (before) => before / 2],
  ['none, of a window that it does not fit', 'context-overflow', 'too long', 200_000, () => windowChars * 0.95],
  ['of the body', 'too-large', 'too large', 1_200_000, () => 32 * 1024 * 1024 * 0.95],
  ['none, of a body that the API itself would take', 'too-large', 'too large', 50_000, (before) => before / 2],
])('what goes out keeps to the limit that is known: %s', (_, kind, message, length, limitOf) => {
  const messages = conversation(Array.from({ length: 30 }, () => length))
  const fault = { kind, message } as Fault
  const [repair] = applyRefusalRule('shorten-old-results', requestOf({ messages }), {
    card: strictCard,
    fault,
  })!.repairs
  const before = Number(/(\d+) to \d+ (?:chars|bytes)$/.exec(repair!.what)?.[1])
  expect(Number(repair!.rule.split('=')[1])).toBe(Math.floor(limitOf(before)))
})

test('it fits or is not touched, calls keep their results, and the same again is the same', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(60_000), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 999 }),
      (lengths, most) => {
        const request = requestOf({ messages: conversation(lengths) })
        const context = overflow(`prompt is too long: 1000 tokens > ${most} maximum`)
        const repaired = applyRefusalRule('shorten-old-results', request, context)
        if (!repaired) return
        const { outgoing, repairs } = repaired
        expect(sizeOf(outgoing.messages)).toBeLessThan((sizeOf(request) * most) / 1_000)
        expect(outgoing.messages).toHaveLength(request.messages.length)
        outgoing.messages.forEach(({ content }, at) => {
          const was = request.messages[at]?.content
          if (typeof content !== 'string' && typeof was !== 'string') {
            expect(content.map(({ tool_use_id: id }) => id)).toEqual(was?.map(({ tool_use_id: id }) => id))
          }
        })
        expect(applyRefusalRule(repairs[0]!.rule, request, { card: strictCard })?.outgoing).toEqual(outgoing)
        expect(applyRefusalRule(repairs[0]!.rule, outgoing, { card: strictCard })).toBeUndefined()
      },
    ),
    { numRuns: 200 },
  )
})
