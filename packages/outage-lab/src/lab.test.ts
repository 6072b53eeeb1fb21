import { NotFoundError, type Anthropic } from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { describe, expect, test } from 'vitest'
import { ASK, collect, openLab, send, TOOLS } from './lab.fixture.ts'
import {
  lastToolResult,
  modelCard,
  MODELS,
  reply,
  text,
  toolUse,
  userTurns,
  type Conversation,
  type Reply,
} from './index.ts'

describe('a healthy lab', () => {
  test('streams the same message that it records', async () => {
    const { lab, client } = await openLab()
    const message = await client.messages.stream(ASK).finalMessage()
    expect(message.stop_reason).toBe('tool_use')
    expect(message.content).toEqual(lab.requests[0]?.outcome.message?.content)
    expect(message.usage).toMatchObject({ output_tokens: lab.requests[0]?.outcome.usage?.output_tokens })
    expect(lab.requests[0]).toMatchObject({ n: 1, completed: true, outcome: { kind: 'ok', status: 200 } })
    expect(lab.requests[0]?.raw).toBe(JSON.stringify(lab.requests[0]?.body))
  })

  test('has the events of the real API, in their order', async () => {
    const { lab } = await openLab({ model: () => reply([text('Hi.'), toolUse('read')]) })
    const { body } = await send(lab, { ...ASK, stream: true })
    const events = [...body.toString().matchAll(/^event: (.*)$/gm)].map((match) => match[1])
    expect(events).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(body.toString()).toContain('{"type":"input_json_delta","partial_json":""}')
  })

  test('gives the same answer without streaming, and the tool loop goes on to the end', async () => {
    const { client } = await openLab()
    const first = await client.messages.create(ASK)
    const call = first.content.find((block) => block.type === 'tool_use')
    const results = [{ type: 'tool_result' as const, tool_use_id: call?.id ?? '', content: 'hello' }]
    const second = await client.messages.create({
      ...ASK,
      messages: [...ASK.messages, { role: 'assistant', content: first.content }, { role: 'user', content: results }],
    })
    expect(second.content).toEqual([{ type: 'text', text: 'Done.', citations: null }])
  })

  test('says which stop sequence ended an answer', async () => {
    const { client } = await openLab({ model: () => reply(text('One. Two.'), { stopReason: 'stop_sequence' }) })
    const message = await client.messages.create({ ...ASK, stop_sequences: ['Three', 'Four'] })
    expect(message).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'Three' })
    const streamed = await client.messages.stream({ ...ASK, stop_sequences: ['Three'] }).finalMessage()
    expect(streamed.stop_sequence).toBe('Three')
  })

  test('a fresh lab goes on with a conversation that another one began, with the same ids', async () => {
    const [one, two] = [await openLab(), await openLab()]
    const first = await one.client.messages.create(ASK)
    const again = await two.client.messages.create(ASK)
    expect(again.content).toEqual(first.content)
    const call = first.content.find((block) => block.type === 'tool_use')
    const results = [{ type: 'tool_result' as const, tool_use_id: call?.id ?? '', content: 'hello' }]
    const next = await two.client.messages.create({
      ...ASK,
      messages: [...ASK.messages, { role: 'assistant', content: first.content }, { role: 'user', content: results }],
    })
    expect(next.stop_reason).toBe('end_turn')
  })

  test('gives every attempt its own tool ids if asked to', async () => {
    const { client } = await openLab({ toolIds: 'fresh', model: () => reply(toolUse('read')) })
    const ids = (await Promise.all([client.messages.create(ASK), client.messages.create(ASK)])).map(
      ({ content }) => content[0],
    )
    expect(ids[0]).not.toEqual(ids[1])
  })

  test('never gives a tool id that the transcript already has', async () => {
    const { client } = await openLab({ model: () => reply(toolUse('read')) })
    const messages: Anthropic.MessageParam[] = [...ASK.messages]
    const step = async (): Promise<string> => {
      const { content } = await client.messages.create({ ...ASK, messages })
      const id = content[0]?.type === 'tool_use' ? content[0].id : ''
      messages.push(
        { role: 'assistant', content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id }] },
      )
      return id
    }
    const ids = [await step(), await step()]
    // Without its first turn the conversation is again where the second id was given.
    messages.splice(1, 2)
    ids.push(await step())
    expect(new Set(ids).size).toBe(3)
  })

  test('streams while it works: a paused stream arrives piece by piece', async () => {
    const { client } = await openLab({ chunkDelayMs: 1 })
    expect((await collect(client)).events.at(-1)).toBe('message_stop')
  })

  test('omits the words of thinking when asked to, and keeps the signature', async () => {
    const { client } = await openLab()
    const message = await client.messages
      .stream({ ...ASK, thinking: { type: 'adaptive', display: 'omitted' } })
      .finalMessage()
    expect(message.content[0]).toMatchObject({
      type: 'thinking',
      thinking: '',
      signature: expect.stringMatching(/\w{40}/),
    })
  })

  test('writes the cache for a request of no tokens and does not ask the model', async () => {
    const { client } = await openLab({
      model: () => {
        throw new Error('asked')
      },
    })
    const message = await client.messages.create({ ...ASK, max_tokens: 0, cache_control: { type: 'ephemeral' } })
    expect(message).toMatchObject({ content: [], stop_reason: 'max_tokens' })
    expect(message.usage.cache_creation_input_tokens).toBeGreaterThan(0)
  })
})

describe('paths', () => {
  test('lists models and gives one by its id, dated or not', async () => {
    const { lab, client } = await openLab()
    const ids: string[] = []
    for await (const card of client.models.list()) ids.push(card.id)
    expect(ids).toContain('claude-opus-5-5')
    expect(await client.models.retrieve('claude-opus-4-5-20251101')).toMatchObject({
      id: 'claude-opus-4-5',
      max_input_tokens: 200_000,
      max_tokens: 64_000,
    })
    await expect(client.models.retrieve('claude-none')).rejects.toBeInstanceOf(NotFoundError)
    expect(lab.requests.every(({ n }) => n === 0)).toBe(true)
  })

  test('lists models in pages, forwards and backwards, as the SDK asks for them', async () => {
    const { client } = await openLab()
    const all = MODELS.map(({ id }) => id)
    const forwards: string[] = []
    for await (const card of client.models.list({ limit: 5 })) forwards.push(card.id)
    expect(forwards).toEqual(all)
    const next = await client.models.list({ limit: 2, after_id: all[4] ?? '' })
    expect([next.data.map(({ id }) => id), next.has_more]).toEqual([all.slice(5, 7), true])
    const before = await client.models.list({ limit: 5, before_id: all[5] ?? '' })
    expect([before.data.map(({ id }) => id), before.has_more]).toEqual([all.slice(0, 5), false])
    const backwards: string[] = []
    for await (const card of client.models.list({ limit: 2, before_id: all[4] ?? '' })) backwards.push(card.id)
    expect(backwards.toSorted()).toEqual(all.slice(0, 4).toSorted())
    const twenty = await openLab({ models: Array.from({ length: 21 }, (_, n) => modelCard(`claude-${n}`)) })
    expect((await twenty.client.models.list()).data).toHaveLength(20)
  })

  test.each([
    ['limit=0', 'limit: Input should be greater than or equal to 1'],
    ['limit=1001', 'limit: Input should be less than or equal to 1000'],
    ['limit=many', 'limit: Input should be a valid integer'],
    ['after_id=claude-none', 'after_id: Not found'],
    ['before_id=claude-none', 'before_id: Not found'],
    ['after_id=claude-opus-5&before_id=claude-opus-5-5', 'Only one of before_id and after_id can be given'],
  ])('refuses a page of ?%s', async (query, message) => {
    const { lab } = await openLab()
    const response = await fetch(`${lab.url}/v1/models?${query}`, { headers: { 'x-api-key': 'any' } })
    const error = { type: 'invalid_request_error', message }
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error })])
  })

  test('a model id that is no text is one that nobody has', async () => {
    const { lab } = await openLab()
    const response = await fetch(`${lab.url}/v1/models/%E0%A4%A`, { headers: { 'x-api-key': 'any' } })
    const error = { type: 'not_found_error', message: 'model: %E0%A4%A' }
    expect([response.status, await response.json()]).toEqual([404, expect.objectContaining({ error })])
  })

  test('counts tokens as the message would, and checks the transcript as well', async () => {
    const { client } = await openLab()
    const { max_tokens: _, ...params } = ASK
    const { usage } = await client.messages.create(ASK)
    expect((await client.messages.countTokens(params)).input_tokens).toBe(usage.input_tokens)
    const orphan = {
      ...params,
      messages: [{ role: 'user' as const, content: [{ type: 'tool_result' as const, tool_use_id: 'toolu_1' }] }],
    }
    await expect(client.messages.countTokens(orphan)).rejects.toThrow('unexpected `tool_use_id`')
  })

  test('answers health checks without a key, and unknown paths with a 404', async () => {
    const { lab } = await openLab()
    expect((await send(lab, undefined, { method: 'HEAD', path: '/', headers: { 'x-api-key': '' } })).status).toBe(200)
    expect((await send(lab, undefined, { method: 'HEAD', path: '/api/hello' })).status).toBe(200)
    const unknown = await send(lab, {}, { path: '/v1/nothing' })
    expect([unknown.status, JSON.parse(unknown.body.toString())]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error' } },
    ])
  })

  test('takes both kinds of key and refuses none', async () => {
    const { lab } = await openLab()
    const statusWith = async (headers: { readonly [name: string]: string }): Promise<unknown> =>
      (await send(lab, ASK, { headers, path: '/v1/messages?beta=true' })).status
    expect(await statusWith({ 'x-api-key': 'k' })).toBe(200)
    expect(await statusWith({ 'x-api-key': '', authorization: 'Bearer k' })).toBe(200)
    expect(await statusWith({ 'x-api-key': '' })).toBe(401)
    expect(lab.requests.map(({ n }) => n)).toEqual([1, 2, 3])
  })

  test('sends the headers of the real API', async () => {
    const { lab } = await openLab()
    const { headers } = await send(lab, ASK)
    expect(headers).toMatchObject({
      'request-id': lab.requests[0]?.requestId,
      'anthropic-organization-id': expect.any(String),
      'anthropic-ratelimit-requests-remaining': expect.any(String),
    })
  })

  test('refuses a body over the limit, one that is no JSON, and one with half a character', async () => {
    const { lab } = await openLab({ maxBodyBytes: 500 })
    const messageOf = async (body: string): Promise<unknown> => JSON.parse((await send(lab, body)).body.toString())
    expect(await messageOf('x'.repeat(501))).toMatchObject({
      error: { type: 'request_too_large', message: 'Request exceeds the maximum size' },
    })
    expect(await messageOf('{"a":')).toMatchObject({
      error: { message: expect.stringContaining('The request body is not valid JSON: ') },
    })
    const half = JSON.stringify({ ...ASK, tools: [], messages: [{ role: 'user', content: 'a\ud83d' }] })
    expect(await messageOf(half)).toMatchObject({
      error: {
        message: expect.stringMatching(
          /^The request body is not valid JSON: no low surrogate in string: line 1 column \d+/,
        ),
      },
    })
    expect((await send(lab, half.replace('\\ud83d', '\\ud83d\\ude00'))).status).toBe(200)
  })
})

function model(conversation: Conversation): Reply {
  const found = lastToolResult(conversation)
  return found ? reply(text(`${userTurns(conversation)[0]}: ${found.text}`)) : reply(toolUse('read'))
}

describe('the SDK tool runner over threads', () => {
  const read = betaTool({
    name: 'read',
    description: 'Reads a file',
    inputSchema: { type: 'object', properties: {} } as const,
    run: () => 'the content',
  })
  const run = (client: Anthropic): Promise<Anthropic.Beta.BetaMessage> =>
    client.beta.messages
      .toolRunner({
        model: 'claude-opus-5-5',
        max_tokens: 100,
        tools: [read],
        messages: [{ role: 'user', content: 'Fix' }],
      })
      .runUntilDone()

  test('sends only what is new, and the model still sees all of it', async () => {
    const { lab, client } = await openLab({ model })
    expect((await run(client)).content).toMatchObject([{ text: 'Fix: the content' }])
    expect(lab.requests.map(({ body }) => body)).toMatchObject([
      { thread: { type: 'create' } },
      { thread: { type: 'continue' }, messages: [{ role: 'user' }] },
    ])
    expect(lab.requests[1]?.body).not.toHaveProperty('tools')
  })

  test('re-sends the whole history when the thread is lost', async () => {
    const { lab, client } = await openLab({ model, threads: 'lost' })
    expect((await run(client)).content).toMatchObject([{ text: 'Fix: the content' }])
    expect(lab.requests.map(({ outcome }) => outcome.status)).toEqual([200, 404, 200])
    expect(lab.requests[1]?.outcome.error).toMatchObject({ details: { error_code: 'thread_not_found' } })
  })

  test('goes on without threads where they are not supported', async () => {
    const { lab, client } = await openLab({ model, threads: 'unsupported' })
    expect((await run(client)).content).toMatchObject([{ text: 'Fix: the content' }])
    expect(lab.requests[0]?.outcome.error).toMatchObject({
      details: { error_code: 'thread_unsupported_request', unsupported: ['inference_hooks'] },
    })
  })

  test('loses the history silently on an upstream that ignores threads', async () => {
    const { lab, client } = await openLab({
      model: ({ messages }) => reply(text(`${messages.length}`)),
      threads: 'ignored',
    })
    const thread = client.beta.messages.thread({ model: 'claude-opus-5-5', max_tokens: 100 })
    await thread.send({ role: 'user', content: 'a' })
    expect((await thread.send({ role: 'user', content: 'b' })).content).toMatchObject([{ text: '1' }])
    expect(lab.requests[1]?.outcome.kind).toBe('ok')
  })

  test('loses a thread after five minutes', async () => {
    let now = 0
    const { client, lab } = await openLab({ model, now: () => now })
    const thread = client.beta.messages.thread({ model: 'claude-opus-5-5', max_tokens: 100, tools: TOOLS })
    const first = await thread.send({ role: 'user', content: 'Fix' })
    now = 5 * 60_000
    const id = first.content[0]?.type === 'tool_use' ? first.content[0].id : ''
    await thread.send({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }] })
    expect(lab.requests.map(({ outcome }) => outcome.status)).toEqual([200, 404, 200])
  })
})

describe('a story', () => {
  test('that the transcript leaves is a 400 that says so, and is recorded', async () => {
    const { lab, client } = await openLab()
    const talk = ['a', 'b', 'c', 'd', 'e'].map((content, at) => ({
      role: at % 2 ? ('assistant' as const) : ('user' as const),
      content,
    }))
    await expect(client.messages.create({ ...ASK, messages: talk })).rejects.toThrow(
      'story: it has 2 steps, but the transcript already has 2 assistant messages',
    )
    expect(lab.requests[0]?.violation).toMatchObject({ rule: 'story' })
  })
})
