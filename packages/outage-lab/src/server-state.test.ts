import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import { ASK } from './lab.fixture.ts'
import {
  createLab,
  modelCard,
  reply,
  serverToolResult,
  serverToolUse,
  signCompaction,
  story,
  text,
  thinking,
  toolUse,
  type LabOptions,
  type LocalLab,
} from './index.ts'
import { isObject, type JsonObject } from './json.ts'

const DAY = 24 * 60 * 60_000
const RUNS_CODE = { ...ASK, tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }
const SEARCHES = { ...ASK, tools: [{ type: 'web_search_20260318', name: 'web_search' }] }
const HEADERS = { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' }

function open(options: Partial<LabOptions> = {}): LocalLab {
  return createLab({ model: () => reply(text('Hi.')), now: () => 1_000_000, ...options })
}

async function ask(lab: LocalLab, body: JsonObject, path = '/v1/messages'): Promise<JsonObject> {
  const response = await lab.fetch(path, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) })
  const parsed: unknown = await response.json()
  return isObject(parsed) ? { http: response.status, ...parsed } : {}
}

function idIn(answer: JsonObject): unknown {
  return isObject(answer['container']) ? answer['container']['id'] : undefined
}

describe('a container', () => {
  test('comes with the first answer, lives for 30 days, and is known to a fresh lab', async () => {
    const id = idIn(await ask(open(), RUNS_CODE))
    expect(id).toMatch(/^container_01/)
    const later = (now: number) => open({ now: () => now })
    expect(await ask(later(1_000_000 + 30 * DAY - 1), { ...ASK, container: id })).toMatchObject({ container: { id } })
    expect(await ask(later(1_000_000 + 30 * DAY), { ...ASK, container: id })).toMatchObject({
      http: 400,
      error: { message: `container: ${String(id)} has expired` },
    })
    expect(await ask(open(), { ...ASK, container: 'container_1' })).toMatchObject({ http: 404 })
    expect(await ask(open(), ASK)).toMatchObject({ container: null })
  })

  test('of another lab can be lost, with an error that says so or one that does not; a new one is good', async () => {
    const id = idIn(await ask(open(), RUNS_CODE))
    for (const [containers, http] of [
      ['expired', 400],
      ['expired-500', 500],
    ] as const) {
      const lab = open({ containers })
      expect(await ask(lab, { ...RUNS_CODE, container: id })).toMatchObject({ http, type: 'error' })
      const next = idIn(await ask(lab, RUNS_CODE))
      expect(next).not.toBe(id)
      expect(await ask(lab, { ...RUNS_CODE, container: { id: next } })).toMatchObject({
        http: 200,
        container: { id: next },
      })
    }
  })

  test('reaches the message of a stream', async () => {
    const lab = open()
    const client = new Anthropic({ baseURL: lab.url, fetch: lab.fetch, apiKey: 'k' })
    const message = await client.messages
      .stream({ ...ASK, tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] })
      .finalMessage()
    expect(message.container?.id).toMatch(/^container_01/)
  })
})

test('a file that is not there is 404 file_expired, wherever it is named, until it is uploaded', async () => {
  const lab = open({ files: ['file_a'] })
  const naming = (file_id: unknown): JsonObject => ({
    ...ASK,
    messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id } }] }],
  })
  expect(await ask(lab, naming('file_a'))).toMatchObject({ http: 200 })
  expect(await ask(lab, naming('file_b'))).toMatchObject({
    http: 404,
    error: { details: { error_code: 'file_expired' } },
  })
  expect(await ask(lab, { ...naming('file_b'), max_tokens: undefined }, '/v1/messages/count_tokens')).toMatchObject({
    http: 404,
  })
  const { id } = await ask(lab, {}, '/v1/files')
  expect(await ask(lab, naming(id))).toMatchObject({ http: 200 })
  expect(await ask(open(), naming('file_b'))).toMatchObject({ http: 200 })
})

describe('a paused turn', () => {
  const model = story([
    [
      reply([text('Searching.'), serverToolUse('web_search', { query: 'a' })], { stopReason: 'pause_turn' }),
      reply([serverToolResult('web_search', []), serverToolUse('web_search', { query: 'b' })], {
        stopReason: 'pause_turn',
      }),
      reply([serverToolResult('web_search', []), thinking('so'), text('Found.')]),
    ],
    reply(text('Bye.')),
  ])

  test('goes on where it was, in one message or in several, and the story with it', async () => {
    const lab = open({ model })
    const messages: JsonObject[] = [...ASK.messages]
    const reasons: unknown[] = []
    for (let at = 0; at < 3; at++) {
      const answer = await ask(lab, { ...SEARCHES, messages })
      reasons.push(answer['stop_reason'])
      messages.push({ role: 'assistant', content: answer['content'] })
    }
    expect(reasons).toEqual(['pause_turn', 'pause_turn', 'end_turn'])
    messages.push({ role: 'user', content: 'Thanks.' })
    expect(await ask(lab, { ...SEARCHES, messages })).toMatchObject({ http: 200, content: [{ text: 'Bye.' }] })
    const said = messages.slice(1, 4).flatMap(({ content }) => (Array.isArray(content) ? content : []))
    const merged = [messages[0], { role: 'assistant', content: said }, messages[4]]
    expect(await ask(open({ model }), { ...SEARCHES, messages: merged })).toMatchObject({ http: 200 })
  })

  test('is not the same turn any more when it was changed, has lost its tool, or has something behind it', async () => {
    const lab = open({ model })
    const { content } = await ask(lab, SEARCHES)
    const after = (changed: unknown, ...rest: readonly JsonObject[]): JsonObject => ({
      ...SEARCHES,
      messages: [...ASK.messages, { role: 'assistant', content: changed }, ...rest],
    })
    const blocks = Array.isArray(content) ? content : []
    await ask(lab, after(blocks.slice(1)))
    await ask(lab, { ...after(content), tools: ASK.tools })
    await ask(lab, after(content, { role: 'user', content: 'Please continue' }))
    await ask(lab, after(content))
    expect(lab.requests.slice(1).map(({ violation }) => violation?.row)).toEqual([27, 26, 25, undefined])
  })
})

describe('a compaction', () => {
  test('that is asked for is one signed block, and the first of the next conversation', async () => {
    const lab = open()
    const long = [...ASK.messages, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'Go on.' }]
    const { content, stop_reason } = await ask(lab, { ...ASK, messages: long, compaction: { type: 'summarize' } })
    expect(stop_reason).toBe('compaction')
    expect(content).toEqual([signCompaction('A summary of 3 messages.')])
    const messages = [
      { role: 'assistant', content },
      { role: 'user', content: 'Go on.' },
    ]
    expect(await ask(lab, { ...ASK, messages })).toMatchObject({ http: 200 })
    const client = new Anthropic({ baseURL: lab.url, fetch: lab.fetch, apiKey: 'k' })
    const streamed = await client.beta.messages.stream({ ...ASK, compaction: { type: 'summarize' } }).finalMessage()
    expect(streamed.content).toMatchObject([signCompaction('A summary of 1 messages.')])
  })

  test('that the model function gives is signed as well', async () => {
    const lab = open({ model: () => reply({ type: 'compaction', content: 'So far.' }, { stopReason: 'compaction' }) })
    expect(await ask(lab, ASK)).toMatchObject({ content: [signCompaction('So far.')], stop_reason: 'compaction' })
  })
})

describe('the end of the output', () => {
  const long = [thinking('t'.repeat(40)), text('w'.repeat(40)), toolUse('write', { text: 'x'.repeat(400) })]
  const lab = (options: Partial<LabOptions> = {}): LocalLab => open({ model: () => reply(long), ...options })

  test('cuts a call, so that a larger max_tokens helps', async () => {
    expect(await ask(lab(), { ...ASK, max_tokens: 30 })).toMatchObject({
      stop_reason: 'max_tokens',
      content: [{ type: 'thinking' }, { type: 'text' }, { type: 'tool_use', input: {} }],
    })
    expect(await ask(lab(), { ...ASK, max_tokens: 300 })).toMatchObject({ stop_reason: 'tool_use' })
  })

  test('leaves in a stream the JSON that was said, unfinished', async () => {
    const init = { method: 'POST', headers: HEADERS, body: JSON.stringify({ ...ASK, max_tokens: 30, stream: true }) }
    const body = await (await lab().fetch('/v1/messages', init)).text()
    const json = [...body.matchAll(/"partial_json":("(?:[^"\\]|\\.)*")/g)]
      .map(([, part]) => JSON.parse(part ?? '""'))
      .join('')
    expect(json).toBe(JSON.stringify({ text: 'x'.repeat(400) }).slice(0, 40))
    expect(body).toMatch(/"stop_reason":"max_tokens".*\n\nevent: message_stop/)
  })

  test.each([
    [5, ['thinking'], 20],
    [15, ['thinking', 'text'], 20],
    [20, ['thinking', 'text'], 40],
  ])('at %i tokens lies inside or after a block', async (max_tokens, types, length) => {
    const { content } = await ask(lab(), { ...ASK, max_tokens })
    const blocks = Array.isArray(content) ? content : []
    expect(blocks.map(({ type }) => type)).toEqual(types)
    const last: unknown = blocks.at(-1)
    expect(isObject(last) && String(last[types.at(-1) ?? '']).length).toBe(length)
  })

  test('is the end of the context window, if that comes first', async () => {
    expect(
      await ask(lab({ models: [modelCard('tiny', { maxInputTokens: 60 })] }), {
        ...ASK,
        model: 'tiny',
        max_tokens: 100,
      }),
    ).toMatchObject({
      http: 200,
      stop_reason: 'model_context_window_exceeded',
    })
    expect(
      await ask(lab({ models: [modelCard('tiny', { maxInputTokens: 10 })] }), { ...ASK, model: 'tiny' }),
    ).toMatchObject({
      http: 400,
      error: { message: expect.stringMatching(/^prompt is too long: \d+ tokens > 10 maximum$/) },
    })
  })
})
