/** Which answer and which session a request gets at the gateway, and which it does not. */
import { LastgoodError, memoryStore, openSession, replayed, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { api, gatewayOf, goOn, message, saidBy } from './support/counted-answers.ts'
import { hello, idsOf, named, post } from './support/gateway-stage.ts'
import { Gate, jumpingClock } from './support/harness.ts'

describe('a thread', () => {
  const more = (id: string) => ({
    ...hello,
    messages: [{ role: 'user', content: 'More' }],
    thread: { type: 'continue', previous_message_id: id },
  })

  test.each([{}, named])('goes on in the session that has its beginning, named or not: %o', async (headers) => {
    const { fetch, requests } = api()
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch })
    const first = await post(gateway, { ...hello, thread: { type: 'create' } }, { headers })
    const { id } = (await first.json()) as { id: string }
    const next = await post(gateway, more(id), { headers })
    expect(next.headers.get('x-lastgood-session')).toBe(first.headers.get('x-lastgood-session'))
    expect(requests[1]?.body).toMatchObject({ messages: [{}, { role: 'assistant' }, { content: 'More' }] })
    expect(await idsOf(store)).toHaveLength(1)
  })

  test.each([{}, named, { 'x-claude-code-session-id': 'agent' }])(
    'that nobody here knows is passed on, once, and opens no session for itself: %o',
    async (headers) => {
      const { fetch, requests } = api()
      const store = memoryStore()
      const gateway = gatewayOf({ store, fetch })
      const response = await post(gateway, more('msg_elsewhere'), { headers })
      expect(await saidBy(response)).toBe('answer 1')
      expect(requests.map(({ body }) => body.thread)).toEqual([more('msg_elsewhere').thread])
      expect(await idsOf(store)).toEqual([])
    },
  )
})

test("a thread gets no answer to another's same words", async () => {
  const { fetch, requests } = api()
  const gateway = gatewayOf({ fetch })
  const words = (content: string) => ({ ...hello, messages: [{ role: 'user', content }] })
  await (await post(gateway, words('More'))).text()
  const created = await post(gateway, { ...words('Hello'), thread: { type: 'create' } })
  const { id } = (await created.json()) as { id: string }
  const thread = { type: 'continue', previous_message_id: id }
  const more = await post(gateway, { ...words('More'), thread })
  expect(more.headers.get('x-lastgood-session')).toBe(created.headers.get('x-lastgood-session'))
  expect(await saidBy(more)).toBe('answer 3')
  expect(requests).toHaveLength(3)
})

describe('the same messages', () => {
  test('with more room are asked anew where the answer had not enough, and a full answer is given again', async () => {
    const { fetch, requests } = api(({ body }) => (body.max_tokens === 10 ? { stop_reason: 'max_tokens' } : {}))
    const gateway = gatewayOf({ fetch })
    const ask = (max_tokens: number) => post(gateway, { ...hello, max_tokens }, { headers: named })
    await (await ask(10)).text()
    expect(await saidBy(await ask(10))).toBe('answer 1')
    expect(await saidBy(await ask(1000))).toBe('answer 2')
    expect(await saidBy(await ask(500))).toBe('answer 2')
    expect(requests).toHaveLength(2)
  })

  test.each([
    ['another system prompt', { system: 'You write titles' }],
    ['another model', { model: 'claude-haiku-4-5' }],
    ['a tool choice', { tool_choice: { type: 'none' } }],
  ])('with %s get an answer of their own', async (_what, change) => {
    const { fetch, requests } = api()
    const gateway = gatewayOf({ fetch })
    const coder = { ...hello, system: 'You write code', tools: [{ name: 'count', input_schema: { type: 'object' } }] }
    await (await post(gateway, coder, { headers: named })).text()
    const other = await post(gateway, { ...coder, ...change }, { headers: named })
    expect(other.headers.get('x-lastgood-replayed')).toBeNull()
    expect(await saidBy(other)).toBe('answer 2')
    expect(requests).toHaveLength(2)
  })

  test('of two who ask at once, of whom one wants something else, are two requests', async () => {
    const gate = new Gate()
    const { fetch, requests } = api(async () => gate.pass())
    const gateway = gatewayOf({ fetch })
    const headers = { 'x-claude-code-session-id': 'agent' }
    const coder = { ...hello, system: 'You write code', tools: [{ name: 'count', input_schema: { type: 'object' } }] }
    const first = post(gateway, coder, { headers })
    await gate.reached
    const title = post(gateway, { ...hello, system: 'You write titles' }, { headers })
    const again = post(gateway, { ...coder, metadata: { user_id: 'another' } }, { headers })
    gate.open()
    const said = await Promise.all([first, title, again].map(async (one) => saidBy(await one)))
    expect(said[0]).toBe(said[2])
    expect(said[1]).not.toBe(said[0])
    expect(new Set(requests.map(({ body }) => body.system))).toEqual(new Set(['You write code', 'You write titles']))
    expect(requests).toHaveLength(2)
  })

  test('asked a good while after their answer are asked anew', async () => {
    const { fetch } = api()
    const clock = new ManualClock()
    const gateway = gatewayOf({ fetch, clock, reattachMs: 10_000 })
    const ask = async () => saidBy(await post(gateway, hello, { headers: named }))
    await ask()
    await clock.advance(10_000)
    expect(await ask()).toBe('answer 1')
    await clock.advance(1)
    expect(await ask()).toBe('answer 2')
  })
})

test.each([named, { 'x-claude-code-session-id': 'agent' }])(
  'who asks in other words while an answer is on its way gets an answer of his own: %o',
  async (headers) => {
    const gate = new Gate()
    const { fetch, requests } = api(async () => gate.pass())
    const gateway = gatewayOf({ fetch })
    const ask = (content: string) => post(gateway, { ...hello, messages: [{ role: 'user', content }] }, { headers })
    const first = ask('Hello')
    await gate.reached
    const other = ask('Good bye')
    gate.open()
    const said = await Promise.all([first, other].map(async (one) => saidBy(await one)))
    expect(new Set(said).size).toBe(2)
    expect(requests.map(({ body }) => body)).toMatchObject([
      { messages: [{ content: 'Hello' }] },
      { messages: [{ content: 'Good bye' }] },
    ])
  },
)

test('a conversation without a name stays one when its client moves the cache marker and writes texts as blocks', async () => {
  const { fetch } = api()
  const store = memoryStore()
  const gateway = gatewayOf({ store, fetch })
  const marked = [{ type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }]
  const first = await post(gateway, { ...hello, messages: [{ role: 'user', content: marked }] })
  await goOn(gateway, await saidBy(first))
  expect(await idsOf(store)).toEqual([first.headers.get('x-lastgood-session')])
})

test('a session that another process has is no affair of another that begins with the same words', async () => {
  const { fetch } = api()
  const [store, clock] = [memoryStore(), jumpingClock()]
  const other = gatewayOf({ store, clock, fetch })
  await (await post(other, hello)).text()
  const before = gatewayOf({ store, clock, fetch })
  const said = await saidBy(await post(before, hello))
  await before.close()
  const gateway = gatewayOf({ store, clock, fetch })
  await goOn(gateway, said)
  expect(await idsOf(store)).toHaveLength(2)
})

test('what goes on from the last of many that begin with the same words opens that one alone', async () => {
  const { fetch } = api()
  const [memory, clock, acquired] = [memoryStore(), new ManualClock(), [] as string[]]
  const store: Store = {
    ...memory,
    acquire: (id, ...asked) => {
      acquired.push(id)
      return memory.acquire(id, ...asked)
    },
  }
  const before = gatewayOf({ store, clock, fetch })
  let [said, last] = ['', null as string | null]
  for (let n = 0; n < 5; n += 1) {
    const response = await post(before, hello)
    last = response.headers.get('x-lastgood-session')
    said = await saidBy(response)
    await clock.advance(1_000)
  }
  await before.close()
  acquired.length = 0
  await goOn(gatewayOf({ store, clock, fetch }), said)
  expect(acquired).toEqual([last])
})

test('a damaged session is no affair of another: what goes on from that one does', async () => {
  const { fetch } = api()
  const [memory, clock] = [memoryStore(), jumpingClock()]
  const store: Store = {
    ...memory,
    async *list(filter) {
      yield* memory.list(filter)
      throw new LastgoodError('journal-corrupt', 'old.jsonl line 2 is damaged', { hint: 'lastgood show old' })
    },
  }
  const before = gatewayOf({ store, clock, fetch })
  const said = await saidBy(await post(before, hello))
  await before.close()
  const gateway = gatewayOf({ store, clock, fetch })
  await goOn(gateway, said)
  expect(await idsOf(memory)).toHaveLength(1)
})

test('a request that comes while an idle session is given back waits for that', async () => {
  const clock = new ManualClock()
  const gate = new Gate()
  const memory = memoryStore()
  const store = {
    ...memory,
    release: async (...args: Parameters<typeof memory.release>) => {
      await gate.pass()
      await memory.release(...args)
    },
  }
  const { fetch } = api()
  const gateway = gatewayOf({ store, fetch, clock, idleMs: 10_000, reattachMs: 0 })
  await (await post(gateway, hello, { headers: named })).text()
  await clock.advance(15_000)
  await gate.reached
  const next = post(gateway, { ...hello, system: 'Another' }, { headers: named })
  // Whatever it does without a wait it does in this turn.
  await new Promise((resolve) => setImmediate(resolve))
  gate.open()
  expect((await next).status).toBe(200)
})

test('of a session that is given back no request is kept, and its next one is read whole', async () => {
  const { fetch } = api()
  const clock = new ManualClock()
  const gateway = gatewayOf({ clock, fetch, idleMs: 10_000 })
  const parse = vi.spyOn(JSON, 'parse')
  onTestFinished(() => parse.mockRestore())
  const isReadWhole = async () => {
    parse.mockClear()
    await (await post(gateway, hello, { headers: named })).text()
    return parse.mock.calls.some(([text]) => text.includes('"max_tokens"') && text.includes('Hello'))
  }
  expect([await isReadWhole(), await isReadWhole()]).toEqual([true, false])
  await clock.advance(20_000)
  expect(await isReadWhole()).toBe(true)
})

test('of two who come for a session that was lost one opens it, and it is given back in the end', async () => {
  const { fetch } = api()
  const [store, clock] = [memoryStore(), jumpingClock()]
  const gateway = createGateway({ store, fetch, clock })
  const created = await post(gateway, { ...hello, thread: { type: 'create' } })
  const { id } = (await created.json()) as { id: string }
  const session = created.headers.get('x-lastgood-session') ?? ''
  const thread = { type: 'continue', previous_message_id: id }
  const more = (content: string) => post(gateway, { ...hello, messages: [{ role: 'user', content }], thread })
  await (await openSession(session, { store, clock, takeover: true })).close()
  // Finds out that it is lost.
  await (await more('One')).text()
  // By words of their own, so that neither waits for the other's place.
  const both = await Promise.all([more('Two'), more('Three')])
  expect(both.map(({ status }) => status)).toEqual([200, 200])
  expect(both.map(({ headers }) => headers.get('x-lastgood-session'))).toContain(session)
  await gateway.close()
  expect((await store.summary(session))?.holder).toBeNull()
})

test('it can be closed while a client stands still in a long answer', async () => {
  const clock = new ManualClock()
  const events = replayed({ ...message('x'), content: Array.from({ length: 100 }, () => longText) })
  const long = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = events.next()
      if (done) controller.close()
      else controller.enqueue(Buffer.from(value))
    },
  })
  const gateway = createGateway({
    store: memoryStore(),
    clock,
    drainMs: 1_000,
    fetch: async () => new Response(long, { headers: { 'content-type': 'text/event-stream' } }),
  })
  const response = await post(gateway, { ...hello, stream: true }, { headers: named })
  const reader = response.body?.getReader()
  await reader?.read()
  const closed = gateway.close()
  await expect.poll(() => clock.sleepers.some(({ background }) => !background)).toBe(true)
  await clock.advance(1_000)
  await closed
  await reader?.cancel()
})

const longText = { type: 'text', text: 'words '.repeat(2_000) }

test('of upstreams of which one address begins with the other each has its own key and its own paths', async () => {
  const [one, other] = ['http://gw.example/a', 'http://gw.example/a/b']
  const seen: [string, string | null][] = []
  const gateway = gatewayOf({
    upstream: [one, other],
    credentials: (upstream) => ({ 'x-api-key': `key of ${upstream}` }),
    fetch: async (url, { headers }) => {
      seen.push([url, new Headers(headers).get('x-api-key')])
      return url.startsWith(`${other}/`) ? Response.json(message('hi')) : new Response('', { status: 529 })
    },
  })
  expect((await post(gateway, hello, { headers: named })).status).toBe(200)
  expect(new Set(seen.map(([url, key]) => `${url} ${key}`))).toEqual(
    new Set([
      `${one}/v1/messages key of ${one}`,
      `${other}/v1/models/claude-opus-5-5 key of ${other}`,
      `${other}/v1/messages key of ${other}`,
    ]),
  )
})

test('the folder of a session is the one that the gateway was told its clients work in, and never its own', async () => {
  const { fetch } = api()
  const folderOf = async (options: GatewayOptions) => {
    const store = memoryStore()
    await (await post(gatewayOf({ store, fetch, ...options }), hello, { headers: named })).text()
    return (await store.summary('ses'))?.head.cwd
  }
  expect([await folderOf({}), await folderOf({ cwd: '/home/ann/app' })]).toEqual([undefined, '/home/ann/app'])
})
