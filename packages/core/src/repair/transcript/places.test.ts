import { describe, expect, test } from 'vitest'
import type { Block } from '../../journal/journal.ts'
import { assistant, call, result, text, user } from './cases.fixture.ts'
import { mendedBy } from './mended.fixture.ts'
import {
  asEarlierResult,
  callIds,
  callInputs,
  callNames,
  documents,
  emptyText,
  placesOfCalls,
  unicode,
} from './places.ts'

test('half surrogates are replaced in settings and messages at once', () => {
  const mended = mendedBy(unicode, [user('\ud83d')], { system: '\ud83d' })
  expect(mended.messages).toEqual([user('\ufffd')])
  expect(mended.params).toEqual({ system: '\ufffd' })
  expect(mended.places).toEqual([undefined, 0])
})

test('two calls never get the same id', () => {
  const ids = ['a|1', 'a/1', 'a_1', 'a_1_2', '|', '', '?']
  const { messages } = mendedBy(callIds, [assistant(...ids.map((id) => call(id))), user(ids.map((id) => result(id)))])
  const [calls, results] = messages.map(({ content }) => content as Block[])
  const given = calls!.map(({ id }) => id)
  expect(new Set(given).size).toBe(ids.length)
  expect(given.slice(2, 4)).toEqual(['a_1', 'a_1_2'])
  for (const id of given) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/)
  expect(results!.map((block) => block['tool_use_id'])).toEqual(given)
})

describe('a name of a tool', () => {
  const named = (name: string): Block => ({ ...call('a'), name })
  const nameIn = (name: string, ...tools: string[]) => {
    const { messages, removed } = mendedBy(callNames, [assistant(text('so'), named(name), call('b'))], {
      tools: [...tools, ''].map((one) => ({ name: one })),
    })
    const [said, note, shortened, other] = messages[0]!.content as Block[]
    expect([said, note, other]).toEqual([text('so'), text(`(The name of the next call was: ${name})`), call('b')])
    expect(removed).toEqual([named(name)])
    return shortened!['name']
  }

  test('that is too long is that of the tool it begins with, else its own beginning', () => {
    const long = 'x'.repeat(200)
    expect(nameIn(`read ${long}`, 'read', 'ad')).toBe('read')
    expect(nameIn(`read_file ${long}`, 'read', 'read_file', 'rea')).toBe('read_file')
    expect(nameIn(`${long}y`, 'read')).toBe('x'.repeat(64))
    expect(nameIn(`ls -l ${long}`)).toBe('ls')
    expect(nameIn(`$(ls) ${long}`)).toBe('unknown')
  })

  test('of 200 characters stays, and so does one of a call that the server makes', () => {
    const messages = [assistant(named('x'.repeat(200)), { ...named('x'.repeat(201)), type: 'server_tool_use' })]
    expect(mendedBy(callNames, messages)).toMatchObject({ isSame: true })
  })
})

test('a call without input has an empty one', () => {
  const inputs = [undefined, null, '', 'x', [1], { a: 1 }]
  const { messages } = mendedBy(callInputs, [assistant(...inputs.map((input) => ({ ...call('a'), input })))])
  const given = (messages[0]!.content as Block[]).map(({ input }) => input)
  expect(given).toEqual([{}, {}, {}, { raw: 'x' }, { raw: [1] }, { a: 1 }])
})

describe('blocks in a message of another role', () => {
  test('results of an answer make a user message of their own, also where the answer has nothing else', () => {
    expect(mendedBy(placesOfCalls, [assistant(result('a'))]).messages).toEqual([user([result('a')])])
  })

  test.each<Block>([
    call('a'),
    { type: 'thinking', thinking: 'x', signature: 's' },
    { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
  ])('$type is left out of a user message, and listed', (block) => {
    const { messages, removed, places } = mendedBy(placesOfCalls, [user('hi'), user([text('so'), block])])
    expect(messages).toEqual([user('hi'), user([text('so')])])
    expect([removed, places]).toEqual([[block], [1]])
  })
})

describe('documents and citations', () => {
  const document: Block = { type: 'document', source: {} }
  const cited: Block = { ...text('so'), citations: [] }
  const messages = [user([document, cited, text('hi')]), assistant(cited, document)]

  test('stay only where the API takes them', () => {
    const mended = mendedBy(documents, messages)
    expect(mended.messages[0]).toEqual(user([document, text('so'), text('hi')]))
    const [answer, standIn] = mended.messages[1]!.content as Block[]
    expect([answer, standIn?.type]).toEqual([cited, 'text'])
    expect([mended.places, mended.removed]).toEqual([[0, 1], [document]])
  })

  test('stay anywhere before the version that refuses them', () => {
    expect(mendedBy(documents, messages, {}, { apiVersion: '2023-06-01' })).toMatchObject({ isSame: true })
    expect(mendedBy(documents, messages, {}, { apiVersion: '2026-10-21' })).toMatchObject({ isSame: false })
  })
})

describe('blank text', () => {
  test('is left out of results, whose other content stays', () => {
    const inner = (...content: Block[]): Block => ({ type: 'tool_result', tool_use_id: 'a', content })
    const { messages } = mendedBy(emptyText, [user([inner(text(' '), text('ok')), text('go')])])
    expect(messages).toEqual([user([inner(text('ok')), text('go')])])
  })

  test.each(['pause_turn', 'compaction'])(
    'at the end of an answer that %s ends stays: the server takes it back as it was',
    (stopReason) => {
      const paused = [user('hi'), assistant(text('ok'), text(' '))]
      expect(mendedBy(emptyText, paused, {}, { stopReason })).toMatchObject({ isSame: true })
      expect(mendedBy(emptyText, paused, {}, { stopReason: 'end_turn' })).toMatchObject({ isSame: false })
      const goneOn = [...paused, user('go')]
      expect(mendedBy(emptyText, goneOn, {}, { stopReason })).toMatchObject({ isSame: false })
      expect(mendedBy(emptyText, [user(' ')], {}, { stopReason })).toMatchObject({ isSame: false })
    },
  )

  test('of the system prompt gives its cache marker to the text before it, which keeps one of its own', () => {
    const marked = (said: string, ttl: string) => ({ ...text(said), cache_control: { type: 'ephemeral', ttl } })
    const systemOf = (...system: Block[]) => mendedBy(emptyText, [user('hi')], { model: 'm', system }).params
    const system = [text('a'), text('b'), marked(' ', '5m'), text(' ')]
    expect(systemOf(...system)).toEqual({ model: 'm', system: [text('a'), marked('b', '5m')] })
    expect(systemOf(marked('a', '1h'), marked(' ', '5m'))).toEqual({ model: 'm', system: [marked('a', '1h')] })
    expect(systemOf(marked(' ', '5m'), text('a'))).toEqual({ model: 'm', system: [text('a')] })
    expect(systemOf(text(' '))).toEqual({ model: 'm' })
  })

  test('goes from the system prompt and from messages at once', () => {
    const mended = mendedBy(emptyText, [user([text('hi'), text(' ')])], { system: [text(' ')] })
    expect([mended.messages, mended.params]).toEqual([[user([text('hi')])], {}])
    expect(mended.places).toEqual([undefined, 0])
  })
})

test('a result whose call is gone keeps all that the tool said', () => {
  const image: Block = { type: 'image', source: {} }
  const of = (content: unknown, more: object = {}) => asEarlierResult({ ...result('a'), content, ...more })
  expect(of('ok')).toEqual([text('(result of an earlier call) ok')])
  expect(of('no', { is_error: true })).toEqual([text('(error of an earlier call) no')])
  expect(of([text('ok'), image])).toEqual([text('(result of an earlier call) ok'), image])
  expect(of([image, text('ok')])).toEqual([text('(result of an earlier call)'), image, text('ok')])
  expect(of('')).toEqual([text('(result of an earlier call)')])
})
