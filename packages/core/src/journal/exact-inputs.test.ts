import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redacted } from '../export/redact.ts'
import { messageIn } from './answer.ts'
import { answerText, asGiven, losesNumbers } from './exact-inputs.ts'

/** JSON of an answer with a call whose input is `input`. */
const answer = (input: string) =>
  `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"n"},{"type":"tool_use","id":"toolu_1","name":"n","input":${input}}],"stop_reason":"tool_use"}`

const number = fc.oneof(
  fc.constantFrom('1.0', '1e400', '-0', '9007199254740993', '-18446744073709551615', '1E5', '0.10', '7', '0.5'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => JSON.stringify(one)),
)
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    number,
    fc.string().map((text) => JSON.stringify(text)),
    fc.array(tie('json'), { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
    fc
      .array(fc.tuple(fc.string(), tie('json')), { maxLength: 3 })
      // Other keys would come first, or be set twice.
      .map((all) => `{${all.map(([key, value], at) => `${JSON.stringify(`k${at}${key}`)}:${value}`).join(',')}}`),
  ),
}))

test('an answer from the record has the numbers of its calls as they were, whatever else is in them (P4)', () => {
  fc.assert(
    fc.property(json, (input) => {
      const message = messageIn(answer(`{"in":${input}}`))
      expect(message && answerText(JSON.parse(JSON.stringify(message)) as typeof message)).toBe(
        answer(`{"in":${input}}`),
      )
    }),
  )
})

test('what JavaScript writes as it read it is kept once', () => {
  for (const input of ['{}', '{"a":"1.0"}', '{"a":[12,0.5,-3,1e+21]}', '{"a":"\\"1.0"}']) {
    expect(losesNumbers(input)).toBe(false)
    expect(messageIn(answer(input))).toEqual(JSON.parse(answer(input)))
  }
})

test('a long text in a call is no trouble', () => {
  for (const text of ['x'.repeat(2 ** 24), '\n'.repeat(2 ** 23)]) {
    expect(losesNumbers(`{"a":${JSON.stringify(text)},"b":1}`)).toBe(false)
    expect(losesNumbers(`{"a":${JSON.stringify(text)},"b":1.0}`)).toBe(true)
  }
})

test('without its content an entry has none of it', () => {
  const message = messageIn(answer('{"card":4111111111111111.0}'))
  if (!message) throw new Error('no answer')
  expect(asGiven(message)).not.toEqual(message)
  const entry = { type: 'response-received', message, v: 3, seq: 1, at: 1, fence: 1, lane: 'main' } as const
  expect(JSON.stringify(redacted(entry))).not.toContain('4111')
})
