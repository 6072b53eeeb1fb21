import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyReader } from './body-reader.ts'
import { commonLength, type BodyText } from './body-text.ts'

/** As a program has it, and as it comes over a socket. */
const forms: [string, (json: string) => BodyText][] = [
  ['a string', (json) => json],
  ['bytes', (json) => Buffer.from(json)],
]
const user = (content: unknown) => ({ role: 'user', content })
const body = (messages: unknown[], more: object = {}) => ({
  model: 'm',
  max_tokens: 9,
  messages,
  system: 'Be.',
  ...more,
})

const words = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '{"messages":[', ']},{', '\u00e9\ud83d\ude00'),
)
const message = fc.record({
  role: fc.constantFrom('user', 'assistant', 'system'),
  content: fc.oneof(words, fc.array(fc.record({ type: fc.constant('text'), text: words, more: fc.jsonValue() }))),
})
const head = fc.dictionary(fc.oneof(words, fc.constantFrom('system', 'tools')), fc.jsonValue(), { maxKeys: 3 })

describe.each(forms)('from %s', (_form, as) => {
  const textOf = (value: unknown) => as(JSON.stringify(value))

  test('messages that were read before are the same objects, and the others are read', () => {
    const reader = new BodyReader()
    const tools = [{ name: 't' }]
    const first = reader.read('ses', textOf(body([user('one'), user('two')], { tools })))
    const next = reader.read('ses', textOf(body([user('one'), user('two'), user('three')], { tools })))
    expect(next).toEqual(body([user('one'), user('two'), user('three')], { tools }))
    expect(next?.['tools']).toBe(first?.['tools'])
    expect(next?.messages[0]).toBe(first?.messages[0])
    expect(next?.messages[1]).toBe(first?.messages[1])
    expect(Object.keys(next ?? {})).toEqual(['model', 'max_tokens', 'messages', 'system', 'tools'])
  })

  test('so are those before the ones that a client took back or changed, and where it changed what comes after', () => {
    const [one, two, three] = ['one', 'two', 'three'].map(user)
    for (const [messages, after] of [
      [[one], ''],
      [[one, two], ''],
      [[one, three, two], ''],
      [[one, two, three], ',"stream":true'],
      [[one, three], ',"stream":true'],
    ] as const) {
      const reader = new BodyReader()
      const first = reader.read('ses', as(`{"model":"m","messages":${JSON.stringify([one, two, three])}}`))
      const json = `{"model":"m","messages":${JSON.stringify(messages)}${after}}`
      const next = reader.read('ses', as(json))
      expect(next).toEqual(JSON.parse(json))
      for (const [at, message] of [one, two].entries()) {
        if (messages[at] === message) expect(next?.messages[at]).toBe(first?.messages[at])
      }
    }
  })

  test('a helper of the same name does not make the agent begin anew', () => {
    const reader = new BodyReader()
    const first = reader.read('ses', textOf(body([user('one')])))
    reader.read('ses', textOf(body([user('Title?')])))
    const next = reader.read('ses', textOf(body([user('one'), user('two')])))
    expect(next?.messages[0]).toBe(first?.messages[0])
  })

  test('nor does one that asks about the beginning of its conversation, however often', () => {
    const reader = new BodyReader()
    const long = Array.from({ length: 9 }, (_, at) => user(`message ${at}`))
    const first = reader.read('ses', textOf(body(long)))
    for (let at = 0; at < 3; at += 1) reader.read('ses', textOf(body([...long.slice(0, 2), user(`Title? ${at}`)])))
    const next = reader.read('ses', textOf(body([...long, user('more')])))
    expect(next?.messages[8]).toBe(first?.messages[8])
  })

  test('a conversation has the room of one body, however often it grows', () => {
    const helpers = ['a', 'b', 'c'].map((name) => textOf(body([user(name)])))
    const grown = Array.from({ length: 9 }, (_, at) =>
      textOf(body(Array.from({ length: at + 1 }, (_, n) => user(`m${n}`)))),
    )
    const lengths = [...helpers, grown.at(-1)!].reduce((sum, { length }) => sum + length, 0)
    const reader = new BodyReader(lengths)
    const first = helpers.map((text) => reader.read('ses', text)?.messages[0])
    for (const text of grown) reader.read('ses', text)
    helpers.forEach((text, at) => expect(reader.read('ses', text)?.messages[0]).toBe(first[at]))
  })

  test('under a name the latest four are kept, and only they take room', () => {
    const texts = Array.from({ length: 9 }, (_, at) => textOf(body([user(`${at}`)])))
    for (const most of [undefined, 4 * texts[0]!.length]) {
      const reader = new BodyReader(most)
      const messageOf = (text: BodyText) => reader.read('ses', text)?.messages[0]
      const read = texts.map(messageOf)
      for (let at = 5; at < 9; at += 1) expect(messageOf(texts[at]!)).toBe(read[at])
      expect(messageOf(texts[4]!)).not.toBe(read[4])
    }
  })

  test('what is forgotten is read anew, and makes room for others', () => {
    const reader = new BodyReader(400)
    const long = (name: string) => textOf(body([user(name.repeat(100))]))
    const [forgotten, kept] = ['a', 'b'].map((name) => reader.read(name, long(name))?.messages[0])
    reader.forget('a')
    reader.forget('never read')
    expect(reader.read('a', long('a'))?.messages[0]).not.toBe(forgotten)
    reader.forget('a')
    reader.read('c', textOf(body([user('c')])))
    expect(reader.read('b', long('b'))?.messages[0]).toBe(kept)
  })

  test('so much is kept and no more, those that were used last', () => {
    const reader = new BodyReader(300)
    const long = (name: string) => textOf(body([user(name.repeat(100))]))
    const [first] = reader.read('a', long('a'))?.messages ?? []
    expect(reader.read('a', long('a'))?.messages[0]).toBe(first)
    reader.read('b', long('b'))
    reader.read('c', long('c'))
    expect(reader.read('a', long('a'))?.messages[0]).not.toBe(first)
  })

  test('what is dropped to make room leaves the others, down to the last byte', () => {
    const texts = ['a', 'b', 'c'].map((name) => textOf(body([user(name.repeat(100))])))
    const [a, b, c] = texts as [BodyText, BodyText, BodyText]
    const reader = new BodyReader(2 * a.length)
    const message = (name: string, text: BodyText) => reader.read(name, text)?.messages[0]
    const first = message('a', a)
    const second = message('b', b)
    message('a', a)
    const third = message('c', c)
    expect(message('a', a)).toBe(first)
    expect(message('c', c)).toBe(third)
    expect(message('a', a)).toBe(first)
    expect(message('b', b)).not.toBe(second)
  })

  describe('what is not of the usual form is read as a whole', () => {
    const known = '{"messages":[{"role":"user","content":"one"}'
    test.each([
      ['a second list of messages', `${known}],"model":"m","messages":[{"role":"user","content":"two"}]}`],
      ['one in another spelling', `${known}],"model":"m","mess\\u0061ges":[{"role":"user","content":"two"}]}`],
      ['a list that ends with a comma', `${known},],"model":"m"}`],
      ['a list of something else', `${known},7],"model":"m"}`],
      ['an end in the middle', `${known},{"role":"user","content":"tw`],
      ['more after the end', `${known}],"model":"m"} {}`],
      ['no JSON between', `${known},{"role":"user" "content":"two"}],"model":"m"}`],
    ])('%s', (_what, text) => {
      const reader = new BodyReader()
      reader.read('ses', as(`${known}],"model":"m"}`))
      let whole: unknown
      try {
        whole = JSON.parse(text)
      } catch {
        whole = undefined
      }
      const isBody = (whole as { messages?: unknown[] } | undefined)?.messages?.every((one) => typeof one === 'object')
      expect(reader.read('ses', as(text))).toEqual(isBody ? whole : undefined)
    })
  })

  test('whatever comes after one another is read as parsing each of them would read it', () => {
    const step = fc.record({
      kept: fc.nat(),
      added: fc.array(message, { maxLength: 3 }),
      head,
      tail: head,
      keepsParameters: fc.boolean(),
      space: fc.constantFrom(undefined, ' '),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (steps) => {
        const reader = new BodyReader()
        let last: { messages: unknown[]; before: object; after: object } = { messages: [], before: {}, after: {} }
        for (const { kept, added, keepsParameters, space, ...given } of steps) {
          const messages = [...last.messages.slice(0, kept % (last.messages.length + 1)), ...added]
          const before = keepsParameters ? last.before : given.head
          const after = keepsParameters ? last.after : given.tail
          last = { messages, before, after }
          const json = JSON.stringify({ model: 'm', ...before, messages, ...after, stream: true }, null, space)
          const read = reader.read('ses', as(json))
          expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(json)))
        }
      }),
      { numRuns: 300 },
    )
  })
})

test.each(forms)('how much two texts begin with alike, whatever they are: %s', (_form, as) => {
  const words = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\ud83d\ude00') })
  const long = fc.nat(100_000).map((length) => 'ab\u00e9\ud83d\ude00'.repeat(length / 5))
  fc.assert(
    fc.property(long, words, words, (begin, one, other) => {
      const [a, b] = [as(begin + one), as(begin + other)]
      let length = 0
      while (length < Math.min(a.length, b.length) && a[length] === b[length]) length += 1
      expect(commonLength(a, b)).toBe(length)
    }),
    { numRuns: 50 },
  )
})

test('a body that came as bytes and one that came as a string are read one after the other', () => {
  const reader = new BodyReader()
  const json = JSON.stringify(body([user('one')]))
  for (const text of [json, Buffer.from(json), json]) expect(reader.read('ses', text)).toEqual(body([user('one')]))
})

test('half a character, which a socket could not carry, is read as the API will read it', () => {
  const read = new BodyReader().read('ses', '{"model":"m","messages":[{"role":"user","content":"\ud83d"}]}')
  expect(read?.messages).toEqual([user('\ufffd')])
})
