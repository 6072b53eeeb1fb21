/** The gateway in front of the lab, used by the real SDK with its default retries. */
import type Anthropic from '@anthropic-ai/sdk'
import { memoryStore, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway } from '@lastgood/gateway'
import {
  startLab,
  assistantCount,
  reply,
  story,
  text,
  thinking,
  toolUse,
  type Conversation,
  type Fault,
} from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { countTool, Effects, task } from './support/counting-story.ts'
import { failing, hello, idsOf, impatient, named, post, setUp, type SetUp } from './support/gateway-stage.ts'
import { entriesOf, Gate } from './support/harness.ts'

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
  const turnsOf = async (store: Store) =>
    Promise.all((await idsOf(store)).map(async (id) => (await store.summary(id))?.head.turn))
  const withHistory = {
    model: 'claude-opus-5-5',
    messages: [
      { role: 'user' as const, content: 'A city?' },
      { role: 'assistant' as const, content: 'Rome' },
      { role: 'user' as const, content: 'Another?' },
    ],
  }

  test('have a session each, also when one of them goes on', async () => {
    const { client, store } = await setUp({ lab: { model: (talk) => reply(text(`answer ${assistantCount(talk)}`)) } })
    const ask = (messages: Anthropic.MessageParam[]) =>
      client.messages.create({ model: 'claude-opus-5-5', max_tokens: 9, messages })
    const first: Anthropic.MessageParam = { role: 'user', content: 'Hello' }
    const answer = await ask([first])
    await ask([first])
    await ask([first, { role: 'assistant', content: answer.content }, { role: 'user', content: 'And?' }])
    expect((await turnsOf(store)).sort((a = 0, b = 0) => a - b)).toEqual([1, 2])
  })

  test('have an answer each, at once and one after the other, also where the words have a history', async () => {
    let answers = 0
    const { client, lab } = await setUp({ lab: { model: () => reply(text(`answer ${(answers += 1)}`)) } })
    const ask = async () => (await client.messages.create({ ...withHistory, max_tokens: 9 })).content
    const given = [...(await Promise.all([ask(), ask()])), await ask(), await ask()]
    expect(new Set(given.map((content) => JSON.stringify(content))).size).toBe(4)
    expect(lab.requests).toHaveLength(4)
  })

  test('go on in a session each, though their first answers were the same', async () => {
    const { client, store } = await setUp({ lab: { model: () => reply(text('Hi')) } })
    const talks = [1, 2].map((): Anthropic.MessageParam[] => [{ role: 'user', content: 'Hello' }])
    for (const more of ['one', 'two', 'three']) {
      for (const [n, messages] of talks.entries()) {
        const { content } = await client.messages.create({ model: 'claude-opus-5-5', max_tokens: 9, messages })
        messages.push({ role: 'assistant', content }, { role: 'user', content: `${more} of ${n}` })
      }
    }
    expect(await turnsOf(store)).toEqual([3, 3])
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

  test.each<[string, SetUp]>([
    ['that was held', { gateway: { holdMs: 0 } }],
    ['that failed', { gateway: impatient, lab: { outages: [failing(529)] } }],
    [
      'of a store that is gone',
      { gateway: { store: { ...memoryStore(), acquire: () => Promise.reject(new Error('gone')) } } },
    ],
  ])('a page of this machine, which can read also an answer %s', async (_which, world) => {
    const { gateway } = await setUp(world)
    const headers = { 'sec-fetch-site': 'same-site', 'anthropic-dangerous-direct-browser-access': 'true' }
    const response = await post(gateway, { ...hello, stream: true }, { headers })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    await response.text()
  })

  test('only who has its token, where it has one; the API does not see it', async () => {
    const token = 'a-token-of-enough-letters'
    const { gateway, lab } = await setUp({ gateway: { token }, lab: { model: () => reply(text('hi')) } })
    const ask = (headers: Record<string, string>) => post(gateway, hello, { headers })
    for (const wrong of [{}, { 'x-lastgood-token': 'another' }, { authorization: `Bearer ${token}` }]) {
      expect((await ask(wrong)).status).toBe(401)
    }
    expect(lab.requests).toHaveLength(0)
    expect((await ask({ 'x-lastgood-token': token })).status).toBe(200)
    expect(JSON.stringify(lab.requests[0]?.headers)).not.toContain(token)
  })

  test('a client without a key where it has one of its own, and each upstream with its own', async () => {
    const lab = { model: () => reply(text('hi')), outages: [failing(500)] }
    const [first, second] = [await startLab(lab), await startLab({ ...lab, outages: [] })]
    onTestFinished(() => Promise.all([first.close(), second.close()]).then(() => {}))
    const { gateway } = await setUp({
      gateway: {
        upstream: [first.url, second.url],
        credentials: (upstream) => (upstream === second.url ? { authorization: 'Bearer second' } : undefined),
      },
    })
    expect((await post(gateway, hello, { headers: { 'x-api-key': 'client' } })).status).toBe(200)
    const keys = [first, second].map(({ requests }) => [
      requests[0]?.headers['x-api-key'],
      requests[0]?.headers['authorization'],
    ])
    expect(keys).toEqual([
      ['client', undefined],
      [undefined, 'Bearer second'],
    ])
  })

  test('nobody with credentials that no header can have, which it quotes nowhere', async () => {
    const key = 'first-secret\nsecond-secret'
    const { gateway, store, lab } = await setUp({ gateway: { credentials: () => ({ 'x-api-key': key }) } })
    const asked = await post(gateway, hello, { headers: named })
    const counted = await post(gateway, hello, { path: '/v1/messages/count_tokens' })
    expect([asked.status, counted.status]).toEqual([502, 400])
    expect(asked.headers.get('x-should-retry')).toBe('false')
    const told = [await asked.text(), await counted.text(), JSON.stringify(await entriesOf(store))]
    expect(told.join('')).not.toContain('secret')
    expect(told[2]).toContain(`credentials for ${lab.url} are not a valid header value`)
    expect(lab.requests).toHaveLength(0)
  })

  test('nobody a key that an error of its upstream quotes', async () => {
    const fetch = () =>
      Promise.reject(new Error('Headers.set: "sk-ant-api03-0123456789abcdef" is an invalid header value'))
    const { gateway } = await setUp({ gateway: { fetch } })
    const told = await (await post(gateway, hello, { path: '/v1/messages/count_tokens' })).text()
    expect(told).toContain('is an invalid header value')
    expect(told).not.toContain('0123456789')
  })

  test('no request that it has sent itself', async () => {
    const first = createGateway({
      upstream: 'http://b.test',
      fetch: (url, init) => second.fetch(new Request(url, init)),
    })
    const second = createGateway({
      upstream: 'http://127.0.0.1:1',
      hosts: ['b.test'],
      policy: { maxAttempts: 1 },
      fetch: (url, init) => first.fetch(new Request(url, init)),
    })
    const response = await post(first, hello, { path: '/v1/messages/count_tokens' })
    expect(response.status).toBe(508)
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('came back') as string } })
    await Promise.all([first.close(), second.close()])
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

  test.each(['/v1/messages', '/v1/files'])(
    'at %s nobody of whose body nothing comes any more: it is told to come again, and its place is free',
    async (path) => {
      const clock = new ManualClock()
      const { gateway } = await setUp({ gateway: { clock, maxRequests: 1 }, lab: { model: () => reply(text('hi')) } })
      let isWaiting = false
      async function* pieces() {
        for (const piece of ['{', '"']) {
          await clock.advance(50_000)
          yield Buffer.from(piece)
        }
        isWaiting = true
        await new Promise(() => {})
      }
      const headers = { 'content-length': '100' }
      const sent = new Request(`http://127.0.0.1:4141${path}`, { method: 'POST', headers })
      const asked = gateway.fetch(sent, pieces())
      await expect.poll(() => isWaiting).toBe(true)
      await clock.advance(59_000)
      expect((await post(gateway, hello, { headers: named })).status).toBe(503)
      await clock.advance(60_000)
      const told = await asked
      expect([told.status, told.headers.get('x-should-retry')]).toEqual([408, 'true'])
      expect(await told.json()).toMatchObject({
        error: { type: 'timeout_error', message: 'lastgood: no more of the request arrived within 60 s' },
      })
      expect((await post(gateway, hello, { headers: named })).status).toBe(200)
    },
  )

  test('no body that is larger than it may be', async () => {
    const { gateway } = await setUp({ gateway: { maxBodyBytes: 1000 } })
    const response = await post(gateway, { ...hello, messages: [{ role: 'user', content: 'x'.repeat(1000) }] })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { type: 'request_too_large' } })
  })
})
