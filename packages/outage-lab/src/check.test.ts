import { describe, expect, test } from 'vitest'
import { checkRequest, modelCard, RULES, signCompaction, signThinking } from './index.ts'

const tools = [{ name: 'read', input_schema: { type: 'object' } }]
const call = (id: string) => ({ type: 'tool_use', id, name: 'read', input: {} })
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'x' })
const thought = (text: string) => ({ type: 'thinking', thinking: text, signature: '' })

const HISTORY = {
  model: 'claude-opus-5-5',
  max_tokens: 100,
  system: 'Be brief.',
  tools,
  messages: [
    { role: 'user', content: 'Fix it.' },
    { role: 'assistant', content: [thought('a'), { type: 'redacted_thinking', data: '' }, call('t1')] },
    { role: 'user', content: [result('t1')] },
    { role: 'assistant', content: [thought('b'), { type: 'text', text: 'Done.' }] },
    { role: 'user', content: 'More.' },
  ],
}

describe('checkRequest', () => {
  test('says nothing of a good request, and rule, row and text of a bad one', () => {
    expect(checkRequest(signThinking(HISTORY))).toBeUndefined()
    expect(checkRequest(HISTORY)).toMatchObject({ status: 400, rule: 'thinking-signature', row: 19 })
    expect(checkRequest({ ...HISTORY, messages: HISTORY.messages.slice(1) })).toMatchObject({ rule: 'first-user' })
  })

  test('judges the body as text too: size, and halves of a character', () => {
    const said = (content: string) => ({ ...HISTORY, messages: [{ role: 'user', content }] })
    expect(checkRequest(said('x'.repeat(500)), { maxBodyBytes: 500 })).toMatchObject({ status: 413, row: 36 })
    expect(checkRequest(said('\ud800'))).toMatchObject({ rule: 'json', row: 37 })
  })

  test('knows a model, an API version and betas only as it is told', () => {
    expect(checkRequest({ ...HISTORY, model: 'nobody' })).toMatchObject({ status: 404, message: 'model: nobody' })
    const messages = [{ role: 'user', content: 'a' }]
    expect(checkRequest({ ...HISTORY, model: 'nobody', messages }, { models: [modelCard('nobody')] })).toBeUndefined()
    const sampled = { ...HISTORY, model: 'claude-sonnet-4-5', messages, temperature: 1 }
    expect(checkRequest(sampled)).toBeUndefined()
    expect(checkRequest(sampled, { version: '2026-10-21' })).toMatchObject({ rule: 'sampling' })
  })

  test.each([undefined, null, 1, 'x', [], {}, { model: 1 }])(
    'takes %o for a bad request and does not throw',
    (body) => {
      expect(checkRequest(body)).toMatchObject({ status: 400 })
    },
  )
})

describe('signThinking', () => {
  test('leaves the original and signatures that are there alone', () => {
    const before = structuredClone(HISTORY)
    const signed = signThinking(HISTORY)
    expect(HISTORY).toEqual(before)
    expect(signThinking(signed)).toEqual(signed)
  })

  test('binds to everything before: an earlier edit breaks it, an appended message does not', () => {
    const { messages, ...rest } = signThinking(HISTORY)
    expect(checkRequest({ ...rest, messages: [...messages, { role: 'user', content: 'And more.' }] })).toBeUndefined()
    const edited = [{ role: 'user', content: 'Fix that.' }, ...messages.slice(1)]
    expect(checkRequest({ ...rest, messages: edited })).toMatchObject({ rule: 'thinking-binding', row: 20 })
    expect(checkRequest({ ...rest, messages, system: 'Be long.' })).toMatchObject({ rule: 'thinking-binding' })
  })

  test('can sign one part as one model and the rest as another, which drops what it cannot read', () => {
    const first = signThinking({ ...HISTORY, messages: HISTORY.messages.slice(0, 3) }, { model: 'claude-fable-5-1' })
    const messages = [...first.messages, ...HISTORY.messages.slice(3)]
    expect(checkRequest(signThinking({ ...HISTORY, messages }))).toBeUndefined()
  })

  test('finds two assistant turns that were merged, by their signatures', () => {
    const { messages, ...rest } = signThinking(HISTORY)
    const merged = [messages[0], messages[3], { role: 'assistant', content: messages[1]?.content }, messages[2]]
    expect(checkRequest({ ...rest, messages: merged })).toMatchObject({ rule: 'thinking-modified', row: 18 })
  })

  test('holds behind a compaction, whether the messages before it are still there or not', () => {
    const compacted = {
      ...HISTORY,
      messages: [
        { role: 'user', content: 'Long ago.' },
        {
          role: 'assistant',
          content: [{ type: 'compaction', content: 'so far', encrypted_content: 'x' }, thought('c'), call('t2')],
        },
        { role: 'user', content: [result('t2')] },
      ],
    }
    const signed = signThinking(compacted)
    expect(checkRequest(signed)).toBeUndefined()
    expect(checkRequest({ ...signed, messages: signed.messages.slice(1) })).toBeUndefined()
    const [, ...rest] = signThinking({
      ...HISTORY,
      messages: [{ role: 'user', content: [signCompaction('a')] }, ...HISTORY.messages.slice(1)],
    }).messages
    expect(
      checkRequest({ ...HISTORY, messages: [{ role: 'user', content: [signCompaction('a')] }, ...rest] }),
    ).toBeUndefined()
    expect(
      checkRequest({ ...HISTORY, messages: [{ role: 'user', content: [signCompaction('b')] }, ...rest] }),
    ).toMatchObject({ row: 20 })
  })
})

test('every invariant that one request can break has a rule', () => {
  const rows = new Set(RULES.map(({ row }) => row))
  // Not here: 14 shows as 18, 28 needs the server's memory, 36 and 37 are about the text of the body, 41 and 45-47 about answers and accounts.
  const missing = Array.from({ length: 47 }, (_, at) => at + 1).filter((row) => !rows.has(row))
  expect(missing).toEqual([14, 28, 36, 37, 39, 41, 45, 46, 47])
})
