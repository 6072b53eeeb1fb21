/** The gateway in front of the lab, asked by the real SDK with its own retries as they are. */
import Anthropic from '@anthropic-ai/sdk'
import { memoryStore, replayed, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import {
  assistantCount,
  reply,
  startLab,
  story,
  text,
  thinking,
  toolUse,
  type Conversation,
  type Fault,
  type LabOptions,
} from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { countingStory, countTool, Effects, task } from './support/counting-story.ts'
import { entriesOf, Gate, jumpingClock, watched } from './support/harness.ts'

interface SetUp {
  lab?: Partial<LabOptions>
  gateway?: GatewayOptions
  headers?: Record<string, string>
}

async function setUp({ lab: labOptions = {}, gateway: options = {}, headers = {} }: SetUp = {}) {
  const lab = await startLab({ model: countingStory, ...labOptions })
  const store = options.store ?? memoryStore()
  const gateway = createGateway({ upstream: lab.url, clock: jumpingClock(), ...options, store })
  onTestFinished(async () => {
    await lab.close()
    await gateway.close()
  })
  const client = new Anthropic({
    baseURL: 'http://127.0.0.1:4141',
    apiKey: 'sk-ant-test',
    logLevel: 'off',
    defaultHeaders: headers,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  })
  return { lab, store, gateway, client }
}

const named = { 'x-lastgood-session': 'ses' }
const request = { model: 'claude-opus-5-5', max_tokens: 1024, tools: [countTool] }

/** The ten lines that everybody writes. */
async function loop(client: Anthropic, effects: Effects, streams = true) {
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: task }]
  for (;;) {
    const params = { ...request, messages }
    const answer = streams ? await client.messages.stream(params).finalMessage() : await client.messages.create(params)
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return answer
    messages.push({
      role: 'user',
      content: calls.map((call) => ({
        type: 'tool_result' as const,
        tool_use_id: call.id,
        content: effects.count(call.input),
      })),
    })
  }
}

async function idsOf(store: Store): Promise<string[]> {
  const ids: string[] = []
  for await (const { head } of store.list()) ids.push(head.sessionId)
  return ids.sort()
}

describe('a client that nobody changed', () => {
  test.each([true, false])(
    'gets its answers, and its conversation is recorded as one session (stream: %s)',
    async (streams) => {
      const { lab, store, client } = await setUp()
      const effects = new Effects()
      const answer = await loop(client, effects, streams)
      expect(answer.content).toMatchObject([{ type: 'text', text: 'done' }])
      expect(effects.runs).toEqual([1, 2, 3, 4])
      expect(lab.requests.filter(({ outcome }) => outcome.kind !== 'ok')).toEqual([])
      const [id = '', ...others] = await idsOf(store)
      expect(others).toEqual([])
      expect((await store.summary(id))?.head).toMatchObject({ status: 'idle', turn: 1, lastGoodTurn: 1 })
    },
  )

  const faults: [string, Fault][] = [
    ['a 500', { kind: 'status', status: 500 }],
    ['a 529', { kind: 'status', status: 529 }],
    ['a reset before the headers', { kind: 'reset', at: 'before-headers' }],
    ['a reset after the headers', { kind: 'reset', at: 'after-headers' }],
    [
      'an error event at the start',
      { kind: 'error-event', after: 'start', type: 'overloaded_error', message: 'Overloaded' },
    ],
    ['a cut in thinking', { kind: 'cut', after: { inside: 'thinking' }, how: 'reset' }],
    ['a cut in text', { kind: 'cut', after: { inside: 'text' }, how: 'reset' }],
    ['a polite end in text', { kind: 'cut', after: { inside: 'text' }, how: 'end' }],
    ['a cut in the input of a tool', { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' }],
    ['a polite end in the input of a tool', { kind: 'cut', after: { inside: 'tool_use' }, how: 'end' }],
    ['a cut after the call', { kind: 'cut', after: { before: 'message_delta' }, how: 'reset' }],
    ['an end without message_stop', { kind: 'cut', after: { before: 'message_stop' }, how: 'end' }],
    ['a page of HTML', { kind: 'html', status: 502 }],
  ]
  const talking = story([
    reply([thinking('Hm.'), text('Now one.'), toolUse('count', { n: 1 })]),
    reply([thinking('So.'), text('Now two.'), toolUse('count', { n: 2 })]),
    reply(text('done')),
  ])

  test.each(faults)('does not notice %s, and runs each tool once', async (_what, fault) => {
    const { client } = await setUp({ lab: { model: talking, outages: [{ when: { request: 2 }, fault }] } })
    const effects = new Effects()
    const answer = await loop(client.withOptions({ maxRetries: 0 }), effects)
    expect(answer.content.at(-1)).toMatchObject({ type: 'text', text: 'done' })
    expect(effects.runs).toEqual([1, 2])
  })
})

test('an agent names its session; what it asks beside its conversation is recorded beside it', async () => {
  const model = story([reply([toolUse('count', { n: 1 })]), reply(text('done'))])
  const { store, client } = await setUp({
    lab: { model: (conversation) => (conversation.tools.length === 0 ? reply(text('A title')) : model(conversation)) },
    headers: { 'x-claude-code-session-id': '5f0d' },
  })
  await client.messages.create({
    model: 'claude-haiku-4-5',
    max_tokens: 20,
    messages: [{ role: 'user', content: 'Title?' }],
  })
  await loop(client, new Effects())
  const ids = await idsOf(store)
  expect(ids).toEqual(['5f0d', expect.stringMatching(/^5f0d\.[0-9a-f]{12}$/)])
  expect((await store.summary('5f0d'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 1 })
})

test('sub-agents of a session have a session each, though they are of one kind', async () => {
  const helper = { model: 'claude-opus-5-5', max_tokens: 100, system: 'You help.', tools: [countTool], stream: true }
  const isMain = ({ system }: Conversation) => JSON.stringify(system ?? '').includes('You lead')
  const main = story([reply([toolUse('count', { n: 1 })]), reply(text('done'))])
  const { gateway, store } = await setUp({
    lab: { model: (talk) => (isMain(talk) ? main(talk) : reply(text('helped'))) },
  })
  const headers = { 'x-claude-code-session-id': 'lead' }
  const ask = async (body: object) => (await post(gateway, body, { headers })).text()
  const user = (content: string) => [{ role: 'user', content }]
  await ask({ ...helper, system: 'You lead.', messages: user('Lead') })
  await Promise.all(['one', 'two', 'one'].map((words) => ask({ ...helper, messages: user(`Help ${words}`) })))
  await ask({ ...helper, messages: user('Help three') })
  const ids = await idsOf(store)
  expect(ids).toHaveLength(4)
  expect(ids.filter((id) => id.startsWith('lead.'))).toHaveLength(3)
  expect((await store.summary('lead'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 0 })
})

/** A request as a client of any kind sends it. */
function post(
  gateway: { fetch(request: Request): Promise<Response> },
  body: object,
  init: { path?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const { path = '/v1/messages', headers, ...rest } = init
  return gateway.fetch(
    new Request(`http://127.0.0.1:4141${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'x-api-key': 'sk-ant-test',
        ...headers,
      },
      body: JSON.stringify(body),
      ...rest,
    }),
  )
}

const hello = { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }
const failing = (status: number, to = Infinity) => ({
  when: { requests: [1, to] as [number, number] },
  fault: { kind: 'status' as const, status },
})
/** Gives up at once. */
const impatient = { policy: { maxAttempts: 1 } }

describe('a failure that is not survived', () => {
  test('has the status and the body of the API, and says that asking again does not help (P8)', async () => {
    const { gateway } = await setUp({ lab: { outages: [failing(400)] } })
    const response = await post(gateway, hello, { headers: named })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([400, 'false'])
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  test.each([true, false])('after the last attempt is an error in the form of the API (stream: %s)', async (stream) => {
    const { gateway } = await setUp({ lab: { outages: [failing(529)] }, gateway: impatient })
    const response = await post(gateway, { ...hello, stream }, { headers: named })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([529, 'false'])
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'overloaded_error', message: expect.stringContaining('lastgood resume ses') as string },
    })
  })

  test('in the middle of a stream ends it with an error event, and never as if it were whole', async () => {
    const outages = [
      {
        when: { requests: [1, Infinity] as [number, number] },
        fault: { kind: 'cut' as const, after: { inside: 'text' as const }, how: 'end' as const },
      },
    ]
    const { gateway } = await setUp({
      lab: { model: () => reply(text('a long answer '.repeat(20))), outages },
      gateway: impatient,
    })
    const events = await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
    expect(events).toContain('event: content_block_delta')
    expect(events).not.toContain('event: message_stop')
    expect(events.trim().split('\n').at(-2)).toBe('event: error')
  })

  test('of the store is told as one, and the next request finds it well again (P5)', async () => {
    let isFull = true
    const watch = watched(() => isFull)
    const { gateway, lab } = await setUp({ lab: { model: () => reply(text('hi')) }, gateway: { store: watch.store } })
    const first = await post(gateway, hello, { headers: named })
    expect([first.status, first.headers.get('x-should-retry')]).toEqual([503, 'true'])
    expect(lab.requests).toHaveLength(0)
    isFull = false
    expect((await post(gateway, hello, { headers: named })).status).toBe(200)
  })
})

describe('a long wait', () => {
  /** The API hangs before its headers until the gate opens. */
  async function waiting(options: GatewayOptions = {}) {
    const clock = new ManualClock()
    const gate = new Gate()
    const store = memoryStore()
    const answer = () => [...replayed(message)].join('')
    const gateway = createGateway({
      ...options,
      clock,
      store,
      fetch: async (_url, init) => {
        await new Promise<void>((resolve, reject) => {
          init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error))
          void gate.pass().then(resolve)
        })
        const stream = (JSON.parse(init.body as string) as { stream?: boolean }).stream === true
        return new Response(stream ? answer() : JSON.stringify(message), {
          headers: { 'content-type': stream ? 'text/event-stream' : 'application/json' },
        })
      },
    })
    onTestFinished(() => gateway.close())
    return { clock, gate, gateway, store }
  }
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant' as const,
    model: 'claude-opus-5-5',
    content: [{ type: 'text', text: 'hi' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 5, output_tokens: 1 },
  }

  test('of a stream becomes a 200 with pings, and then the answer', async () => {
    const { clock, gate, gateway } = await waiting()
    const asked = post(gateway, { ...hello, stream: true }, { headers: named })
    await gate.reached
    await clock.advance(20_000)
    const response = await asked
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const first = reader?.read()
    await clock.advance(10_000)
    expect((await first)?.value).toBe('event: ping\ndata: {"type":"ping"}\n\n')
    gate.open()
    let rest = ''
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) rest += piece.value
    expect(rest.match(/event: message_start/g)).toHaveLength(1)
    expect(rest).toContain('event: message_stop')
  })

  test('does not keep the gateway from being stopped, and the next one goes on with the session', async () => {
    const { clock, gate, gateway, store } = await waiting()
    const asked = post(gateway, { ...hello, stream: true }, { headers: named })
    await gate.reached
    const closed = gateway.close()
    await expect.poll(() => clock.sleepers.some(({ background }) => !background)).toBe(true)
    await clock.advance(10_000)
    await closed
    const told = await asked
    expect([told.status, told.headers.get('x-should-retry')]).toEqual([502, 'true'])
    expect((await store.summary('ses'))?.holder).toBeNull()
    const next = createGateway({ store, clock, fetch: async () => Response.json(message) })
    onTestFinished(() => next.close())
    expect((await post(next, hello, { headers: named })).status).toBe(200)
    expect((await store.summary('ses'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 1 })
  })

  test('of an answer that does not stream ends in time, and the same request again gets that very answer', async () => {
    const { clock, gate, gateway, store } = await waiting({ limits: { wholeAnswerMs: 1e9 } })
    const asked = post(gateway, hello, { headers: named })
    await gate.reached
    await clock.advance(280_000)
    const first = await asked
    expect([first.status, first.headers.get('x-should-retry')]).toEqual([503, 'true'])
    const again = post(gateway, hello, { headers: named })
    gate.open()
    expect(await (await again).json()).toMatchObject({ content: [{ text: 'hi' }] })
    expect((await entriesOf(store)).filter(({ type }) => type === 'request-sent')).toHaveLength(1)
  })
})

test('a client that has gone before it had anything is not waited for', async () => {
  const clock = new ManualClock()
  const { gateway } = await setUp({ gateway: { clock, reattachMs: 1000 }, lab: { model: () => reply(text('hi')) } })
  await (await post(gateway, hello, { headers: named, signal: AbortSignal.abort() })).text()
  await clock.advance(5000)
  const later = { ...hello, messages: [...hello.messages, { role: 'user', content: 'Again' }] }
  expect((await post(gateway, later, { headers: named })).headers.get('x-lastgood-session')).toBe('ses')
})

describe('a client that asks again', () => {
  const long = () => reply(text('words '.repeat(200)))

  async function interrupted(options: SetUp = {}) {
    const world = await setUp({ lab: { model: long }, ...options })
    const gone = new AbortController()
    const first = await post(world.gateway, { ...hello, stream: true }, { headers: named, signal: gone.signal })
    const reader = first.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    return world
  }

  test('because its connection broke gets the same answer from its beginning, and it is paid for once', async () => {
    const { gateway, lab } = await interrupted()
    const again = await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
    expect(again.match(/event: message_start/g)).toHaveLength(1)
    expect(again).toContain('event: message_stop')
    expect(lab.requests).toHaveLength(1)
  })

  test('and is known by no name is found by what it says', async () => {
    const { gateway, lab } = await setUp({ lab: { model: long } })
    const first = await post(gateway, { ...hello, stream: true })
    await first.body?.cancel()
    const again = await post(gateway, { ...hello, stream: true })
    expect(again.headers.get('x-lastgood-session')).toBe(first.headers.get('x-lastgood-session'))
    await again.text()
    expect(lab.requests).toHaveLength(1)
  })

  test.each([true, false])(
    'after the gateway itself was replaced gets what was recorded (stream: %s)',
    async (stream) => {
      const { gateway, lab, store } = await setUp({ lab: { model: long } })
      await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
      await gateway.close()
      const next = createGateway({ upstream: lab.url, store, clock: jumpingClock() })
      onTestFinished(() => next.close())
      const again = await post(next, { ...hello, stream }, { headers: named })
      expect(again.headers.get('x-lastgood-replayed')).toBe('true')
      const said = await again.text()
      expect(said).toContain('words words')
      expect(said.includes('event: message_stop')).toBe(stream)
      expect(lab.requests).toHaveLength(1)
    },
  )

  test('for something else gives up the answer that it left, and the session goes on', async () => {
    const { gateway, store } = await interrupted()
    const other = { ...hello, messages: [...hello.messages, { role: 'user', content: 'No, wait' }], stream: true }
    expect(await (await post(gateway, other, { headers: named })).text()).toContain('event: message_stop')
    expect(await idsOf(store)).toEqual(['ses'])
  })
})

test.each([400, 529])('a %i is not given again: the same request is asked anew', async (status) => {
  const outages = [failing(status, 1)]
  const { gateway } = await setUp({ lab: { model: () => reply(text('hi')), outages }, gateway: impatient })
  const ask = async () => (await post(gateway, hello, { headers: named })).status
  expect([await ask(), await ask()]).toEqual([status, 200])
})

test('conversations do not wait for one another', async () => {
  const gate = new Gate()
  const store = memoryStore()
  const slow: Store = {
    ...store,
    acquire: async (id, ...rest) => (id === 'slow' && (await gate.pass()), store.acquire(id, ...rest)),
  }
  const { gateway } = await setUp({ lab: { model: () => reply(text('hi')) }, gateway: { store: slow } })
  const first = post(gateway, hello, { headers: { 'x-lastgood-session': 'slow' } })
  await gate.reached
  expect((await post(gateway, hello, { headers: named })).status).toBe(200)
  gate.open()
  expect((await first).status).toBe(200)
})

describe('two clients with the same words and no name', () => {
  test('have a session each, also when one of them goes on', async () => {
    const { client, store } = await setUp({ lab: { model: (talk) => reply(text(`answer ${assistantCount(talk)}`)) } })
    const ask = (messages: Anthropic.MessageParam[]) =>
      client.messages.create({ model: 'claude-opus-5-5', max_tokens: 9, messages })
    const first: Anthropic.MessageParam = { role: 'user', content: 'Hello' }
    const answer = await ask([first])
    await ask([first])
    await ask([first, { role: 'assistant', content: answer.content }, { role: 'user', content: 'And?' }])
    const turns = await Promise.all((await idsOf(store)).map(async (id) => (await store.summary(id))?.head.turn))
    expect(turns.sort((a = 0, b = 0) => a - b)).toEqual([1, 2])
  })
})

describe('what is no Messages request', () => {
  test('passes as it is, with its answer', async () => {
    const { gateway, lab } = await setUp()
    const counted = await post(gateway, hello, { path: '/v1/messages/count_tokens?beta=true' })
    expect(await counted.json()).toMatchObject({ input_tokens: expect.any(Number) as number })
    const models = await gateway.fetch(
      new Request('http://127.0.0.1:4141/v1/models', { headers: { 'x-api-key': 'k' } }),
    )
    expect(models.status).toBe(200)
    expect(lab.requests.at(-1)?.path).toContain('/v1/models')
  })

  test('and what the API will refuse gets its own error', async () => {
    const { gateway } = await setUp()
    const response = await post(gateway, { model: 'claude-opus-5-5', messages: 'no list' })
    expect(response.status).toBe(400)
  })
})

describe('the gateway serves', () => {
  test('only who calls it by a name of this machine', async () => {
    const { gateway, lab } = await setUp()
    const evil = new Request('http://evil.example:4141/v1/messages', { method: 'POST', body: '{}' })
    expect((await gateway.fetch(evil)).status).toBe(403)
    expect(lab.requests).toHaveLength(0)
  })

  test('no page of another site, whatever it calls it', async () => {
    const { gateway, lab } = await setUp()
    const response = await post(gateway, hello, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(response.status).toBe(403)
    expect(lab.requests).toHaveLength(0)
  })

  test('nobody when the API cannot be reached, and says that asking again may help', async () => {
    const { gateway, lab } = await setUp()
    await lab.close()
    const response = await post(gateway, hello, { path: '/v1/messages/count_tokens' })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'true'])
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  })

  test('no more clients at once than it may, and tells the next one to come again', async () => {
    const { gateway } = await setUp({ gateway: { maxRequests: 2 }, lab: { model: () => reply(text('hi')) } })
    const ask = (session: string) =>
      post(gateway, { ...hello, stream: true }, { headers: { 'x-lastgood-session': session } })
    const [first, second] = [await ask('a'), await ask('b')]
    const third = await ask('c')
    expect([third.status, third.headers.get('x-should-retry')]).toEqual([503, 'true'])
    await first.text()
    await second.body?.cancel()
    expect((await ask('c')).status).toBe(200)
  })

  test('no body that is larger than it may be', async () => {
    const { gateway } = await setUp({ gateway: { maxBodyBytes: 1000 } })
    const response = await post(gateway, { ...hello, messages: [{ role: 'user', content: 'x'.repeat(1000) }] })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { type: 'request_too_large' } })
  })
})
