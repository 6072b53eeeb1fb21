import { checkRequest, signThinking } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import type { Block, Message } from '../journal/journal.ts'
import { repairTranscript } from './stored-transcript.ts'
import { assistant, call, result, text, user } from './transcript/cases.fixture.ts'

const model = 'claude-opus-5-5'
const thinking = (): Block => ({ type: 'thinking', thinking: 'Which file?', signature: '' })
const tools = [{ name: 'read', input_schema: { type: 'object' } }]

const signed = (messages: readonly Message[]): Message[] =>
  signThinking({ model, max_tokens: 100, tools, messages: [...messages] }).messages

const judged = (messages: readonly Message[]) =>
  checkRequest({
    model,
    max_tokens: 100,
    tools,
    messages: [...messages, ...(messages.at(-1)?.role === 'user' ? [] : [user('next')])],
  })

describe('a stored transcript', () => {
  test('that is sound comes back as it is, whoever spoke last', () => {
    for (const messages of [[user('go')], [user('go'), assistant(text('done'))]]) {
      const mended = repairTranscript({ messages })
      expect(mended.messages).toBe(messages)
      expect(mended.repairs).toEqual([])
    }
  })

  test('loses all thinking where a message before it is mended: no file keeps the header that would do otherwise', () => {
    const messages = signed([
      user('go'),
      assistant(thinking(), call('a')),
      user('and?'),
      assistant(thinking(), text('done')),
    ])
    expect(judged(messages)).toBeDefined()
    const mended = repairTranscript({ messages })
    expect(mended.repairs.map(({ rule }) => rule)).toEqual(['results', 'strip-thinking'])
    expect(JSON.stringify(mended)).not.toContain('Which file?')
    expect(mended.params).toEqual({})
    expect(judged(mended.messages)).toBeUndefined()
  })

  test('keeps its thinking where only its end is mended', () => {
    const messages = signed([user('go'), assistant(thinking(), text('one')), user('and?'), assistant(call('a'))])
    const mended = repairTranscript({ messages, model })
    expect(mended.messages.slice(0, 3)).toEqual(messages.slice(0, 3))
    expect(mended.messages.at(-1)?.content).toMatchObject([{ type: 'tool_result', tool_use_id: 'a', is_error: true }])
    expect(judged(mended.messages)).toBeUndefined()
  })

  test.each([
    ['before its last words', [user('hi'), assistant(call('a'), text('I read it'))]],
    ['before an answer that says nothing', [user('hi'), assistant(call('a')), assistant(text(' '))]],
  ])('with an open call %s has no words that nobody said', (_where, messages) => {
    const mended = repairTranscript({ messages })
    expect(JSON.stringify(mended)).not.toContain('(next)')
    expect(mended.messages.at(-1)?.content).toMatchObject([{ type: 'tool_result', tool_use_id: 'a', is_error: true }])
    expect(judged(mended.messages)).toBeUndefined()
    for (const { message = 0 } of mended.repairs) expect(message).toBeLessThan(messages.length)
    expect(repairTranscript({ messages: mended.messages }).repairs).toEqual([])
  })

  test('that is a request as it stands gets the last message that the model needs', () => {
    const messages = [user('go'), assistant(text('It is'))]
    expect(repairTranscript({ messages }).repairs).toEqual([])
    const mended = repairTranscript({ messages, params: { model, max_tokens: 10 }, isRequest: true })
    expect(mended.repairs.map(({ rule }) => rule)).toEqual(['last-message'])
    expect(mended.messages.at(-1)?.role).toBe('user')
  })

  test('of which nothing would be left is left as it is', () => {
    const messages = [assistant(text(' '))]
    const params = { system: [text(' ')] }
    const mended = repairTranscript({ messages, params })
    expect(mended.messages).toBe(messages)
    expect(mended).toMatchObject({ params, repairs: [], unrepairable: { message: 0, soundMessages: 0 } })
    expect(mended.unrepairable?.what).toBe('nothing of it would be left')
    expect(repairTranscript({ messages: [], params })).toMatchObject({
      messages: [],
      params,
      repairs: [],
      unrepairable: { rule: 'first-user', soundMessages: 0 },
    })
  })

  test('has its settings mended with it', () => {
    const [messages, params] = [[user('go'), assistant(text('done'))], { max_tokens: 10, system: [text(' ')] }]
    expect(repairTranscript({ messages, params })).toMatchObject({ messages, params: { max_tokens: 10 } })
    expect(repairTranscript({ messages, params }).params).not.toHaveProperty('system')
  })

  test('that ends in the middle of the work of the server is sent as it is', () => {
    const search = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }
    for (const type of ['web_search_tool_result', 'web_search_tool_result_error']) {
      const found = { type, tool_use_id: 's', content: [] }
      const messages = [user('go'), assistant(text(' '), text('so'), search, found)]
      const { messages: mended } = repairTranscript({ messages })
      expect(mended).toHaveLength(2)
      expect(mended[0]).toBe(messages[0])
    }
  })

  test('mended once needs nothing more', () => {
    const messages = [assistant(thinking(), call('a:1'), text('')), user([result('b'), text('hm \ud83d')])]
    const once = repairTranscript({ messages })
    expect(once.repairs).not.toEqual([])
    const twice = repairTranscript(once)
    expect(twice.repairs).toEqual([])
    expect(twice.messages).toBe(once.messages)
  })
})
