/** The ladder at its edges: odd rungs, changing ladders, and what one model has learned or said and another gets. */
import { defineAgent, ladder, recoverable } from '@lastgood/anthropic'
import { memoryStore, providerHealth } from '@lastgood/core'
import { reply, text, thinking, toolUse } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import {
  answeringClient,
  assistant,
  call,
  look,
  result,
  brokenBlock,
  failed,
  model as opus,
  refused,
  thinkingBlock,
  unanswered,
  user,
  whole,
  type Call,
} from './support/answering-api.ts'
import { countingAgent, Effects, task } from './support/counting-story.ts'
import { entriesOf, jumpingClock, openTestSession, startTestLab } from './support/harness.ts'
import { callBlock, ended, event, said, started, textBlock } from './support/scripted-api.ts'

const [sonnet, haiku] = ['claude-sonnet-5-5', 'claude-haiku-5-5'] as const
const hi = user('hi')
const tools = [look]

test('what the API refused of one model is not left out for another', async () => {
  const { client, calls } = answeringClient((_call, n) =>
    n === 1
      ? refused(`max_tokens: 30000 > 20000, which is the maximum allowed number of output tokens for ${opus}`)
      : whole(`answer ${n}`, { id: `msg_${n}` }),
  )
  const own = recoverable(client, await openTestSession())
  const first = await own.messages.create({ model: opus, max_tokens: 30_000, messages: [hi] })
  const history = [hi, assistant(first), user('go')]
  const second = await own.messages.create({ model: sonnet, max_tokens: 60_000, messages: history }, { timeout: 1e6 })
  const longer = [...history, assistant(second), user('on')]
  await own.messages.create({ model: opus, max_tokens: 30_000, messages: longer }, { timeout: 1e6 })
  expect(calls.map(({ body }) => [body?.model, body?.max_tokens])).toEqual([
    [opus, 30_000],
    [opus, 20_000],
    [sonnet, 60_000],
    [opus, 20_000],
  ])
})

test('nor where the first model was given up before it had answered, with what it had cost', async () => {
  const stop = new AbortController()
  const { client, calls } = answeringClient((call, n) => {
    if (n === 1) return refused(`max_tokens: 30000 > 20000, which is the maximum allowed number of output tokens`)
    if (n > 2) return whole('answer', { id: 'msg_3', model: sonnet })
    queueMicrotask(() => stop.abort())
    return unanswered(call)
  })
  const session = await openTestSession()
  const own = recoverable(client, session)
  const asked = { max_tokens: 30_000, messages: [hi] }
  const lost = own.messages.create({ model: opus, ...asked }, { signal: stop.signal, timeout: 1e6 })
  await expect(lost).rejects.toThrow('aborted')
  await own.messages.create({ model: sonnet, ...asked }, { timeout: 1e6 })
  expect(calls.map(({ body }) => body?.max_tokens)).toEqual([30_000, 20_000, 30_000])
  expect(session.transcript.standing).toEqual([])
})

test('P6: a rung that was down in an outage of the past is tried in the next one', async () => {
  const [store, clock] = [memoryStore(), jumpingClock()]
  const { client, models } = answeringClient(({ body }) =>
    body?.model === opus ? failed(529, 'overloaded_error') : whole('from another model'),
  )
  const health = providerHealth(store.shared, clock)
  const key = { endpoint: client.baseURL, model: sonnet }
  for (const session of ['a', 'b', 'c', 'd', 'e'])
    await health.report(key, session, { kind: 'fault', fault: 'overloaded' })
  expect(await health.isDown(key)).toBe(true)
  await clock.sleepUntil(clock.now() + 7_200_000)
  const own = recoverable(client, await openTestSession(store, { clock }), { ladder: ladder(opus, sonnet) })
  const start = clock.now()
  const answer = await own.messages.create({ model: opus, max_tokens: 9, messages: [hi], tools })
  expect(answer.content).toMatchObject([{ text: 'from another model' }])
  expect(models().at(-1)).toBe(sonnet)
  expect(clock.now() - start).toBeLessThan(10 * 60_000)
})

describe('an endpoint of the ladder', () => {
  test('that counts no tokens is believed', async () => {
    const clock = jumpingClock()
    const start = clock.now()
    const elsewhere = answeringClient(
      () => whole('from elsewhere', { id: 'msg_2', usage: { input_tokens: 0, output_tokens: 0 } }),
      'http://elsewhere.test',
    )
    const home = answeringClient((_call, n) => (n === 1 ? whole('one') : failed(529, 'overloaded_error')))
    const session = await openTestSession(memoryStore(), { clock })
    const own = recoverable(home.client, session, { ladder: ladder(opus, { model: opus, client: elsewhere.client }) })
    const first = await own.messages.create({ model: opus, max_tokens: 9, messages: [hi] })
    const history = [hi, assistant(first), user('go')]
    const second = await own.messages.create({ model: opus, max_tokens: 9, messages: history })
    expect(second.content).toMatchObject([{ text: 'from elsewhere' }])
    expect(elsewhere.models()).toHaveLength(1)
    expect(clock.now() - start).toBeLessThan(10 * 60_000)
  })

  test('whose client recovers by itself answers as a rung: each attempt is recorded once', async () => {
    let attempts = 0
    const elsewhere = answeringClient(
      ({ body }) => (!body ? failed(404, 'not_found_error') : (attempts += 1) < 4 ? failed(500) : whole('fine')),
      'http://elsewhere.test',
    )
    const home = answeringClient(() => failed(529, 'overloaded_error'))
    const store = memoryStore()
    const session = await openTestSession(store)
    const unrecorded: string[] = []
    session.subscribe((event) => event.type === 'unrecorded' && unrecorded.push(event.type))
    const client = recoverable(elsewhere.client, session)
    const own = recoverable(home.client, session, { ladder: ladder(opus, { model: opus, client }) })
    const answer = await own.messages.create({ model: opus, max_tokens: 9, messages: [hi] })
    expect(answer.content).toMatchObject([{ text: 'fine' }])
    expect(unrecorded).toEqual([])
    const sent = (await entriesOf(store)).filter(({ type }) => type === 'request-sent')
    expect(elsewhere.models()).toHaveLength(4)
    expect(sent).toHaveLength(home.models().length + elsewhere.models().length)
  })
})

test('after a new process has changed the ladder the open turn stays with its model', async () => {
  const script = ({ body }: Call) => {
    if (!body) return failed(404, 'not_found_error')
    if (body.model === opus) return failed(529, 'overloaded_error')
    if (body.messages.length === 1) return call(body.model, 'toolu_1')
    return whole('done', { id: 'msg_2', model: body.model })
  }
  const store = memoryStore()
  const before = answeringClient(script)
  const first = await openTestSession(store)
  const old = recoverable(before.client, first, { ladder: ladder(opus, sonnet) })
  const request = { model: opus, max_tokens: 9, tools }
  const answer = await old.messages.create({ ...request, messages: [hi] })
  await first.close()
  const after = answeringClient(script)
  const own = recoverable(after.client, await openTestSession(store), { ladder: ladder(opus, haiku, sonnet) })
  await own.messages.create({ ...request, messages: [hi, assistant(answer), result('toolu_1')] })
  expect(after.models()).toEqual([sonnet])
})

test('what a rung refused is not left out for the first one, where the ladder no longer has that rung', async () => {
  const request = { model: opus, max_tokens: 9, tools, service_tier: 'auto' as const }
  const store = memoryStore()
  const before = answeringClient(({ body }) => {
    if (!body) return failed(404, 'not_found_error')
    if (body.model === opus) return failed(529, 'overloaded_error')
    if ('service_tier' in body) return refused('service_tier is not supported by this model')
    return call(body.model, 'toolu_1')
  })
  const first = await openTestSession(store)
  const old = recoverable(before.client, first, { ladder: ladder(opus, sonnet) })
  const answer = await old.messages.create({ ...request, messages: [hi] })
  await first.close()
  const after = answeringClient(() => whole('done', { id: 'msg_2' }))
  const session = await openTestSession(store)
  const own = recoverable(after.client, session, { ladder: ladder(opus, haiku) })
  await own.messages.create({ ...request, messages: [hi, assistant(answer), result('toolu_1')] })
  expect(after.calls.map(({ body }) => [body?.model, body?.['service_tier']])).toEqual([[opus, 'auto']])
  expect(session.transcript.standing).toEqual([])
  expect(session.context.rung).toBe(0)
})

test('on the way home thinking of another model inside an edit is left out as recorded thinking is', async () => {
  const [home, away] = ['claude-sonnet-4-5', 'claude-haiku-4-5'] as const
  let asked = 0
  const { client, calls } = answeringClient(({ body }) => {
    if (!body) return failed(404, 'not_found_error')
    asked += 1
    // Home breaks off after whole text, and the rung says the rest: the pieces are an edit.
    if (asked === 1)
      return started('msg_1') + thinkingBlock(0, 'HOME') + textBlock(1, 'A whole.') + brokenBlock(2, 'half')
    if (body.model === away) {
      const start = started('msg_2').replace('"model":"m"', `"model":"${away}"`)
      return start + thinkingBlock(0, 'AWAY') + textBlock(1, 'the end') + ended('end_turn')
    }
    return asked < 4 ? failed(529, 'overloaded_error') : said('home', `msg_${asked}`)
  })
  const session = await openTestSession(memoryStore(), { policy: { cutText: 'keep' } })
  const own = recoverable(client, session, { ladder: ladder(home, away) })
  const request = { model: home, max_tokens: 4_000, thinking: { type: 'enabled' as const, budget_tokens: 1_024 } }
  const first = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
  expect(session.transcript.edits).toHaveLength(1)
  await own.messages.stream({ ...request, messages: [hi, assistant(first), user('go')] }).finalMessage()
  const last = calls.at(-1)?.body
  expect(last?.model).toBe(home)
  expect(JSON.stringify(last?.messages)).toContain('A whole.')
  expect(JSON.stringify(last?.messages)).not.toContain('AWAY')
})

test('the thinking in kept text goes to no other model, in none of its requests', async () => {
  const [home, away] = ['claude-opus-5', 'claude-sonnet-5'] as const
  const broken = started('msg_1') + thinkingBlock(0, 'HOME') + textBlock(1, 'A whole.') + brokenBlock(2, 'half')
  const { client, calls } = answeringClient(({ body }, n) => {
    if (!body) return failed(404, 'not_found_error')
    if (body.model === home) return n === 1 ? broken : failed(529, 'overloaded_error')
    if (JSON.stringify(body).includes('"tool_result"')) return said('seen', `msg_${n}`)
    const looking = started(`msg_${n}`).replace('"model":"m"', `"model":"${away}"`) + textBlock(0, 'I look.')
    return looking + callBlock(1, '{}') + ended('tool_use')
  })
  const session = await openTestSession(memoryStore(), { policy: { cutText: 'keep' } })
  const own = recoverable(client, session, { ladder: ladder(home, away) })
  const request = { model: home, max_tokens: 9, tools }
  const first = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
  await own.messages.stream({ ...request, messages: [hi, assistant(first), result('toolu_1')] }).finalMessage()
  const sentAway = calls.flatMap(({ body }) => (body?.model === away ? [JSON.stringify(body.messages)] : []))
  expect(sentAway).toHaveLength(2)
  for (const messages of sentAway) {
    expect(messages).toContain('A whole.')
    expect(messages).not.toContain('HOME')
  }
})

test.each([
  ['after its words', textBlock(1, 'I search.'), 'I search.'],
  ['with nothing but thinking', '', undefined],
])(
  'P6: another model goes on from a paused answer %s, without the call that the server ran',
  async (_where, words, quoted) => {
    const [home, away] = ['claude-opus-5', 'claude-sonnet-5'] as const
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
    const { client, calls } = answeringClient(({ body }, n) => {
      if (!body) return failed(404, 'not_found_error')
      if (body.model === away) return whole('found', { id: `msg_${n}`, model: away })
      const index = words === '' ? 1 : 2
      const searching =
        event('content_block_start', { index, content_block: search }) + event('content_block_stop', { index })
      const paused = started('msg_1') + thinkingBlock(0, 'HOME') + words + searching
      return n === 1 ? paused + ended('pause_turn') : failed(529, 'overloaded_error')
    })
    const own = recoverable(client, await openTestSession(), { ladder: ladder(home, away) })
    const request = {
      model: home,
      max_tokens: 9,
      tools: [{ type: 'web_search_20250305' as const, name: 'web_search' as const }],
    }
    const first = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
    const answer = await own.messages.stream({ ...request, messages: [hi, assistant(first)] }).finalMessage()
    expect(answer.content).toMatchObject([{ text: 'found' }])
    const sent = calls.findLast(({ body }) => body?.model === away)?.body?.messages ?? []
    expect(sent.at(-1)?.role).toBe('user')
    expect(JSON.stringify(sent)).not.toMatch(/srvtoolu_1|HOME/)
    if (quoted !== undefined) expect(JSON.stringify(sent.at(-1))).toContain(quoted)
  },
)

test('another model goes on from a paused answer that ends in text and comes back as it was (P4)', async () => {
  const { client, lab } = await startTestLab({
    model: ({ messages }) =>
      messages.at(-1)?.role === 'assistant'
        ? reply(text('Found.'))
        : reply([thinking('Where is it?'), text('Let me see.')], { stopReason: 'pause_turn' }),
    outages: [{ when: { requests: [1, null], model: opus }, fault: { kind: 'withdrawn' } }],
  })
  const agent = defineAgent({ name: 'coder', client, model: ladder(opus, sonnet) })
  await expect((await openTestSession()).run(agent, 'Go')).resolves.toMatchObject({ text: 'Found.' })
  expect(lab.requests.at(-1)?.body?.messages).toMatchObject([{ role: 'user' }, { role: 'assistant' }])
})

test('what another rung was told after an empty answer stays in its place, as its thinking demands (P4)', async () => {
  const { client, lab } = await startTestLab({
    model: ({ messages }) => {
      const calls = messages.flatMap(({ content }) => content).filter(({ type }) => type === 'tool_use')
      return calls.length < 2
        ? reply([thinking('I wonder'), toolUse('count', { n: calls.length })])
        : reply(text('done'))
    },
    outages: [
      { when: { requests: [1, Infinity], model: opus }, fault: { kind: 'withdrawn' } },
      { when: { request: 2 }, fault: { kind: 'ended', stopReason: 'end_turn', blocks: 0 } },
    ],
  })
  const params = { thinking: { type: 'adaptive' as const } }
  const agent = countingAgent(new Effects(), client, { model: ladder(opus, sonnet), params })
  await expect((await openTestSession()).run(agent, task)).resolves.toMatchObject({ text: 'done' })
  const sent = lab.requests.filter(({ body }) => body?.['model'] === sonnet)
  expect(sent.map(({ violation }) => violation?.message)).toEqual([undefined, undefined, undefined, undefined])
  const nudges = sent.map(({ raw }) => raw.split('Please continue.').length - 1)
  expect(nudges).toEqual([0, 1, 1, 1])
})
