import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asString, part, type BodyText } from './body-text.ts'
import { placesAfter, placesIn } from './message-places.ts'

const forms: [string, (json: string) => BodyText][] = [
  ['a string', (json) => json],
  ['bytes', (json) => Buffer.from(json)],
]

const words = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\u00e9', '\ud83d\ude00') }),
)
const value = fc.oneof(words, fc.jsonValue())
const message = fc.dictionary(words, value, { noNullPrototype: true })
const names = fc.string({ unit: fc.constantFrom('a', '{', ']', ',', '\u00e9'), minLength: 1 })
const fields = fc.dictionary(names, value, { noNullPrototype: true })
const bodies = fc.record({ before: fields, messages: fc.array(message, { maxLength: 4 }), after: fields })
/** Between all signs of JSON; a client may write any of it. */
const spaces = fc.constantFrom('', ' ', '\r\n\t ')

describe.each(forms)('in %s', (_form, as) => {
  const read = (text: BodyText, from: number, to: number) => asString(part(text, from, to))

  test('each message has its place, to the letter, and so has each other field, whatever they say (P7)', () => {
    fc.assert(
      fc.property(bodies, spaces, ({ before, messages, after }, space) => {
        const others = { ...before, ...after }
        const json = JSON.stringify({ ...before, messages, ...after }, null, space)
        const text = as(space + json + space)
        const seen: Record<string, unknown> = {}
        const places = placesIn(text, (name, from, to) => (seen[name] = JSON.parse(read(text, from, to)) as unknown))
        expect(seen).toEqual(JSON.parse(JSON.stringify(others)))
        const { start, ends, end } = places!
        expect(JSON.parse(`[${read(text, start, end)}]`)).toEqual(JSON.parse(JSON.stringify(messages)))
        expect(read(text, end, end + 1)).toBe(']')
        expect(ends).toHaveLength(messages.length)
        for (const [at, last] of ends.entries()) {
          const until = JSON.stringify(messages.slice(0, at + 1))
          expect(JSON.stringify(JSON.parse(`[${read(text, start, last)}]`))).toBe(until)
          expect(read(text, last - 1, last)).toBe('}')
          expect(placesAfter(text, start, ends.slice(0, at + 1))).toEqual(places)
        }
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['no messages', '{"model":"m"}'],
    ['messages that are something else', '{"messages":{}}'],
    ['a string in their place that looks like them', '{"messages":"{}]","messages":[{}]}'],
    ['two lists of them', '{"messages":[{}],"messages":[{}]}'],
    ['one that is no object', '{"messages":[{},7]}'],
    ['none that is an object', '{"messages":[7],"messages":[{}]}'],
    ['a name that is spelled with escapes', '{"mess\\u0061ges":[{}],"messages":[{}]}'],
    ['no end', '{"messages":[{}'],
    ['no end of a word', '{"messages":[{"content":"\\"}]'],
    ['nothing', ''],
  ])('a body with %s has no places', (_what, json) => {
    expect(placesIn(as(json))).toBeUndefined()
  })

  test.each([
    ['a list that ends with a comma', '[{},]'],
    ['something between two messages', '[{}:{}]'],
    ['something else after a message', '[{},7]'],
    ['a list without its end', '[{}'],
  ])('so it is after known messages with %s', (_what, json) => {
    expect(placesAfter(as(json), 1, [3])).toBeUndefined()
  })
})
