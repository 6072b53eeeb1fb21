import { describe, expect, test } from 'vitest'
import type { Message } from '../journal/journal.ts'
import {
  betasOf,
  isMessagesBody,
  isMessagesRequest,
  isStructured,
  joinConversation,
  wantsVerdicts,
  type MessagesBody,
  type Recorded,
} from './messages-request.ts'

test.each([
  ['POST', 'https://api.anthropic.com/v1/messages', true],
  ['post', 'https://a.test/base/v1/messages?beta=true#x', true],
  ['POST', '/v1/messages', true],
  ['GET', '/v1/messages', false],
  [undefined, '/v1/messages', false],
  ['POST', '/v1/messages/count_tokens', false],
  ['POST', '/v1/messages/batches', false],
  ['POST', '/v1/messages/', false],
  ['POST', '/?to=/v1/messages', false],
])('%s %s asks for an answer: %s', (method, url, asks) => {
  expect(isMessagesRequest({ method, url, headers: new Headers() })).toBe(asks)
})

test.each([
  [{ output_format: { type: 'json_schema' } }, true],
  [{ output_config: { format: { type: 'json_schema' } } }, true],
  [{ output_config: { effort: 'low' } }, false],
  [{ output_config: { format: null }, output_format: null }, false],
  [{ output_config: 'format' }, false],
  [undefined, false],
])('%j asks for JSON: %s', (body, asks) => {
  expect(isStructured(body)).toBe(asks)
})

test('verdicts are asked for by a field that says something', () => {
  expect([{ safeguards: {} }, { safeguards: null }, {}, undefined].map(wantsVerdicts)).toEqual([
    true,
    false,
    false,
    false,
  ])
})

test('betas are those in the header, without space and without empty ones', () => {
  expect(betasOf(new Headers({ 'anthropic-beta': ' a-1,b-2 ,, ' }))).toEqual(['a-1', 'b-2'])
  expect(betasOf(new Headers())).toEqual([])
})

describe('a body that the API may accept', () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'A' }] }
  test.each([
    ['at its least', {}],
    ['with fields that nobody knows', { news: 1 }],
    ['with a stream', { stream: true }],
    ['with none, or null', { stream: null, thread: null }],
    ['that begins a thread', { thread: { type: 'create' } }],
    ['that goes on in one', { thread: { type: 'continue', previous_message_id: 'msg_1' } }],
    ['with blocks of any type', { messages: [{ role: 'system', content: [{ type: 'new' }], news: 1 }] }],
    ['without messages', { messages: [] }],
  ])('%s is one', (_what, fields) => {
    expect(isMessagesBody({ ...body, ...fields })).toBe(true)
  })

  test.each([
    ['without a model', { model: undefined }],
    ['with messages that are no list', { messages: {} }],
    ['with a message that is none', { messages: [null] }],
    ['with a block without a type', { messages: [{ role: 'user', content: [{ text: 'A' }] }] }],
    ['with content that is none', { messages: [{ role: 'user', content: null }] }],
    ['with a stream that is neither true nor false', { stream: 'true' }],
    ['with a thread that nobody knows', { thread: { type: 'fork' } }],
    ['that goes on in no thread', { thread: { type: 'continue' } }],
  ])('%s is none', (_what, fields) => {
    expect(isMessagesBody({ ...body, ...fields })).toBe(false)
  })

  test('nor is what is no object', () => {
    expect([undefined, null, 'x', [body]].map(isMessagesBody)).toEqual([false, false, false, false])
  })
})

describe('a request', () => {
  const user = (content: Message['content']): Message => ({ role: 'user', content })
  const said = (content: Message['content']): Message => ({ role: 'assistant', content })
  const tools = [{ name: 't' }]
  const params = { model: 'm', max_tokens: 9, system: 'Be.', tools }
  const history = [user('A'), said('B'), user('C'), said('D')]
  const results = (...ids: string[]) => user(ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' })))

  function join(messages: Message[], fields: object = {}, known: Partial<Recorded> = {}, envelope: object = params) {
    const recorded: Recorded = {
      messages: history,
      envelope: { body: { model: 'm', ...envelope }, betas: [] },
      lacksResults: false,
      isSure: false,
      runningCalls: [],
      messagesUpTo: () => undefined,
      ...known,
    }
    const body = { ...params, messages, ...fields } as MessagesBody
    const headers = new Headers({ 'anthropic-version': '2026-10-21', 'anthropic-beta': 'b' })
    return joinConversation({ url: '/v1/messages', headers, body: JSON.stringify(body) }, body, recorded)
  }

  test('that goes on sends what came, and its envelope is all but the conversation', () => {
    const messages = [...history, user('E')]
    const joined = join(messages, { stream: true, news: 1 })
    expect(joined).toMatchObject({ streams: true, added: [user('E')], messages, asSent: { isWhole: true } })
    expect(joined).not.toHaveProperty('rewindTo')
    expect(joined?.envelope).toEqual({ body: { ...params, news: 1 }, apiVersion: '2026-10-21', betas: ['b'] })
    expect(join(messages, { stream: null })?.streams).toBe(false)
    expect(join(messages, {}, {}, { ...params, temperature: 1 })?.envelope.body).toEqual(params)
  })

  test('does not send an answer in which nothing was said, which the API refuses; a question it does', () => {
    const joined = join([...history, user('E'), said([]), user('F')])
    expect(joined?.added).toEqual([user('E'), user('F')])
    expect(joined?.asSent?.isWhole).toBe(false)
    expect(join([...history, user([])])?.added).toEqual([user([])])
  })

  test('in a thread is written out in full, with what the thread began with; of a thread of somebody else it is not ours', () => {
    const thread = { type: 'continue', previous_message_id: 'msg_1' }
    const known = { messagesUpTo: (id: string) => (id === 'msg_1' ? 2 : undefined) }
    const joined = join([user('X')], { thread, max_tokens: 7 }, known, { ...params, temperature: 1 })
    expect(joined).toMatchObject({ rewindTo: 2, messages: [user('A'), said('B'), user('X')], added: [user('X')] })
    expect(joined?.envelope.body).toEqual({ ...params, temperature: 1, max_tokens: 7 })
    expect(joined?.asSent?.isWhole).toBe(false)
    expect(join([user('X')], { thread: { ...thread, previous_message_id: 'msg_2' } }, known)).toBeUndefined()
    expect(join([user('X')], { thread }, { ...known, envelope: undefined })?.envelope.body).toEqual(params)
  })

  test('that begins a thread is sent without it', () => {
    const joined = join([...history, user('E')], { thread: { type: 'create' } })
    expect(joined?.envelope.body).toEqual(params)
    expect(joined?.asSent?.isWhole).toBe(false)
  })

  test('without the tools of the conversation is a helper, unless the mount knows better', () => {
    const more = [...history, user('E')]
    for (const none of [undefined, []]) {
      expect(join(more, { tools: none })).toBeUndefined()
      expect(join(more, { tools: none }, { isSure: true })).toMatchObject({ added: [user('E')] })
      expect(join(more, { tools: none }, {}, { tools: none })).toMatchObject({ added: [user('E')] })
    }
  })

  test('that asks the same while results are missing answers nothing', () => {
    expect(join(history, {}, { lacksResults: true })).toBeUndefined()
    expect(join([...history, results('a')], {}, { lacksResults: true })).toMatchObject({ added: [results('a')] })
    expect(join(history)).toMatchObject({ added: [] })
  })

  test('that goes back while calls run has to bring all their results (P2)', () => {
    const back = (...added: Message[]) => join([user('A'), ...added], {}, { runningCalls: ['a', 'b'] })
    expect(back(user('X'))).toBeUndefined()
    expect(back(results('a'))).toBeUndefined()
    expect(back(results('a'), said('Y'), results('b'))).toMatchObject({ rewindTo: 1 })
    const before = [results('a', 'b'), said('B'), user('C')]
    const known = { messages: before, runningCalls: ['a', 'b'] }
    expect(join([...before.slice(0, 2), user('X')], {}, known)).toBeUndefined()
  })

  test.each([
    ['with its tools', {}, params, true],
    ['with its tools and other words before them', { system: 'Do.' }, params, true],
    ['without its tools', { tools: [] }, params, false],
    ['without any, with its prompt', { tools: [] }, { system: 'Be.' }, true],
    ['without any, with another prompt', { tools: [], system: 'Title?' }, { system: 'Be.' }, false],
    ['with tools that are new', {}, { system: 'Be.' }, true],
  ])('that goes back %s belongs to the conversation, or not', (_what, fields, envelope, isOurs) => {
    const joined = join([user('A'), said('B'), user('X')], fields, {}, envelope)
    expect(joined?.rewindTo).toBe(isOurs ? 2 : undefined)
    expect(joined !== undefined).toBe(isOurs)
    expect(join([user('A'), user('X')], fields, { isSure: true }, envelope)?.rewindTo).toBe(1)
  })

  const account = (text: string) => [
    { type: 'text', text: `x-anthropic-billing-header: ${text}` },
    { type: 'text', text: 'Be.' },
  ]
  test.each([
    ['the same prompt and tools', {}, params, true],
    ['the same but a line for accounts', { system: account('a') }, { ...params, system: account('b') }, true],
    ['another prompt', { system: 'Do.' }, params, false],
    [
      'another block of its prompt',
      { system: [{ type: 'text', text: 'Do.' }] },
      { ...params, system: account('b') },
      false,
    ],
    ['other tools', { tools: [{ name: 'u' }] }, params, false],
    ['the same prompt and no tools', { tools: undefined }, { system: 'Be.', tools: [] }, true],
    ['the same prompt and an empty list of tools', { tools: [] }, { system: 'Be.' }, true],
    ['the same prompt of blocks that are none', { system: [null, 'Be.'] }, { ...params, system: [null, 'Be.'] }, true],
    ['neither prompt nor tools', { tools: [], system: undefined }, {}, false],
    ['a prompt of null and no tools', { tools: [], system: null }, { system: null }, false],
    ['the same tools and no prompt', { system: undefined }, { tools }, true],
    ['tools, after more than a question without', {}, { system: 'Be.' }, false],
  ])('about something else with %s belongs to the conversation, or not', (_what, fields, envelope, isOurs) => {
    expect(join([user('X')], fields, {}, envelope)?.rewindTo).toBe(isOurs ? 0 : undefined)
    expect(join([user('X')], fields, { isSure: true }, envelope)?.rewindTo).toBe(0)
  })

  test('that begins with what sums up the conversation goes on with it, unless it is a helper', () => {
    const sum = { type: 'compaction', content: 'so far', signature: 's' }
    const known = { messages: [...history, said([sum])] }
    const chat = { system: undefined, tools: undefined }
    const messages = [said([{ ...sum, citations: null }]), user('E')]
    expect(join(messages, chat, known, {})).toMatchObject({ rewindTo: 0, added: messages, messages })
    expect(join([said([{ ...sum, content: 'else' }]), user('E')], chat, known, {})).toBeUndefined()
    expect(join(messages, chat, known)).toBeUndefined()
    expect(join(messages, { ...chat, system: 'Name it.' }, known, {})).toBeUndefined()
  })

  test('with tools is the conversation of a question without, asked first', () => {
    const title = { messages: history.slice(0, 2) }
    expect(join([user('X')], {}, title, { system: 'Title?' })?.rewindTo).toBe(0)
    expect(join([user('X')], {}, { messages: history.slice(0, 3) }, { system: 'Title?' })).toBeUndefined()
  })
})
