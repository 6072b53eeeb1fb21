/** Requests of agents, their helpers and sub-agents at the gateway: each in its own session, and no call is lost. */
import { helpedBy, memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, test } from 'vitest'
import { api, gatewayOf, saidBy } from './support/counted-answers.ts'
import { failing, hello, idsOf, post, setUp } from './support/gateway-stage.ts'
import { entriesOf, Gate } from './support/harness.ts'

test("a helper's request leaves the main answer to the client that comes back for it: it is paid once", async () => {
  const gate = new Gate()
  const { fetch, requests } = api(async ({ body }) => (body.system ? undefined : gate.pass()))
  const gateway = gatewayOf({ fetch, clock: new ManualClock() })
  const headers = { 'x-claude-code-session-id': 'agent' }
  const main = { ...hello, tools: [{ name: 'count', input_schema: { type: 'object' } }] }
  const gone = new AbortController()
  const first = post(gateway, main, { headers, signal: gone.signal })
  await gate.reached
  gone.abort()
  const helper = {
    ...hello,
    model: 'claude-haiku-4-5',
    system: 'Title',
    messages: [{ role: 'user', content: 'T: Hello' }],
  }
  const title = await post(gateway, helper, { headers })
  expect(title.headers.get('x-lastgood-session')).toMatch(/^agent\./)
  const again = post(gateway, main, { headers })
  gate.open()
  expect(await saidBy(await again)).toBe('answer 1')
  expect(requests.map(({ isAborted }) => isAborted)).toEqual([false, false])
  await first
})

describe('Claude Code that was given no tools', () => {
  const of = (betas: string) => ({ headers: { 'x-claude-code-session-id': 'agent', 'anthropic-beta': betas } })
  const own = of('claude-code-20250219,effort-2025-11-24')
  const title = { ...hello, system: 'Title', messages: [{ role: 'user', content: 'T: Hello' }] }

  test('has its session all the same, and its helper none of it, asked before or after', async () => {
    const gate = new Gate()
    const { fetch } = api(({ body }) => (body.system ? gate.pass() : undefined))
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch, clock: new ManualClock() })
    const asked = { ...title, output_config: { format: { type: 'json_schema', schema: {} } } }
    const helped = [
      post(gateway, asked, own),
      post(gateway, { ...title, model: 'claude-haiku-4-5' }, of('effort-2025-11-24')),
    ]
    await gate.reached
    const said = await post(gateway, hello, own)
    expect(said.headers.get('x-lastgood-session')).toBe('agent')
    const more = [
      { role: 'assistant', content: await saidBy(said) },
      { role: 'user', content: 'Go on' },
    ]
    const next = await post(gateway, { ...hello, messages: [...hello.messages, ...more] }, own)
    expect(next.headers.get('x-lastgood-session')).toBe('agent')
    gate.open()
    for (const one of [...helped, post(gateway, title, own)]) {
      expect((await one).headers.get('x-lastgood-session')).toMatch(/^agent\./)
    }
    expect((await store.summary('agent'))?.head.agent).toBe('claude-code')
  })
})

test('what judges a hook before the first request of Claude Code leaves it its session', async () => {
  const gateway = gatewayOf({ fetch: api().fetch })
  const headers = { 'x-claude-code-session-id': 'agent' }
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const texts = ['You are a Claude agent.', 'You are evaluating a UserPromptSubmit hook in Claude Code. Be brief.']
  const system = texts.map((text) => ({ type: 'text', text }))
  const judged = await post(
    gateway,
    { ...hello, system, tools: [...tools, { ...tools[0], name: 'tell' }] },
    { headers },
  )
  expect(judged.headers.get('x-lastgood-session')).toMatch(/^agent\./)
  const said = await post(gateway, { ...hello, system: system.slice(0, 1), tools }, { headers })
  expect(said.headers.get('x-lastgood-session')).toBe('agent')
})

test('a question of Claude Code for one token, whether it may use a model, passes as it is: no session, no second try', async () => {
  const { gateway, lab, store } = await setUp({ lab: { outages: [failing(503, 1)] } })
  const probe = { ...hello, max_tokens: 1, messages: [{ role: 'user', content: '.' }] }
  const ask = (headers: Record<string, string>) => post(gateway, probe, { headers })
  const agent = { 'x-claude-code-session-id': 'agent' }
  expect([(await ask(agent)).status, (await ask(agent)).status]).toEqual([503, 200])
  expect(lab.requests).toHaveLength(2)
  expect(await idsOf(store)).toEqual([])
  await ask({ 'x-lastgood-session': 'of-another' })
  expect(await idsOf(store)).toEqual(['of-another'])
})

describe('an agent that brings no results of its calls', () => {
  const headers = { 'x-claude-code-session-id': 'agent' }
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const user = (content: string) => ({ role: 'user', content })
  const textOf = (text: string) => ({ type: 'text', text })
  const before = [user('Hello'), { role: 'assistant', content: 'Hi' }]
  const call = {
    stop_reason: 'tool_use',
    content: [
      { type: 'text', text: 'I count.' },
      { type: 'tool_use', id: 'toolu_1', name: 'count', input: {} },
    ],
  }

  function counting(answer: () => Promise<object> | object = () => call) {
    const { fetch, requests } = api(() => (requests.length === 1 ? answer() : {}))
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch, clock: new ManualClock() })
    const ask = (messages: object[], more: { signal?: AbortSignal; tools?: object[] } = {}) =>
      post(gateway, { ...hello, tools: more.tools ?? tools, messages }, { headers, ...more })
    const sessionOf = async (messages: object[], more = {}) =>
      (await ask(messages, more)).headers.get('x-lastgood-session')
    return { ask, sessionOf, store }
  }

  test('because somebody broke its answer off, which was then read to its end, stays in its session', async () => {
    const gate = new Gate()
    const { ask, sessionOf, store } = counting(() => gate.pass().then(() => call))
    const gone = new AbortController()
    const first = ask([...before, user('Count')], { signal: gone.signal })
    await gate.reached
    gone.abort()
    gate.open()
    await first
    const state = async () => (await store.summary('agent'))?.head.machine.value
    await expect.poll(state).toBe('executingTools')
    const said = [{ role: 'assistant', content: 'I co' }, user('Stop, sing')]
    expect(await sessionOf([...before, user('Count'), ...said])).toBe('agent')
  })

  test.each([
    ['first', []],
    ['last', before],
  ])('because somebody undid what it was asked %s stays in its session', async (_which, history) => {
    const { ask, sessionOf } = counting()
    await (await ask([...history, user('Count')])).text()
    expect(await sessionOf([...history, user('Sing')])).toBe('agent')
  })

  test('because its history was compacted, results and all, stays in its session', async () => {
    const { ask, sessionOf } = counting()
    await (await ask([...before, user('Count')])).text()
    const said = [{ role: 'assistant', content: 'Counted once.' }, user('Go on')]
    expect(await sessionOf([user('What was done?'), ...said])).toBe('agent')
  })

  test('goes back behind a compaction in its session, as a compaction undoes no answer', async () => {
    const { ask, sessionOf } = counting(() => ({}))
    for (const said of ['Hello', 'What was done: a greeting.']) await (await ask([user(said)])).text()
    expect(await sessionOf([user('Hello'), { role: 'assistant', content: 'answer 1' }, user('Go on')])).toBe('agent')
  })

  test.each([
    ['a helper, which asks more about the same', [...before, user('Count'), user('Sum it up')], tools],
    [
      'a helper that asks in the same message',
      [...before, { role: 'user', content: ['Count', 'Sum'].map(textOf) }],
      tools,
    ],
    ['a sub-agent, which has other tools', [before[0], user('Find it')], [...tools, { ...tools[0], name: 'find' }]],
  ])('yet leaves them to who runs them beside %s', async (_who, messages, others) => {
    const { ask, sessionOf } = counting()
    const answer = await ask([...before, user('Count')])
    const { content } = (await answer.json()) as { content: object[] }
    expect(await sessionOf(messages as object[], { tools: others })).toMatch(/^agent\./)
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: '1' }
    const results = [
      { role: 'assistant', content },
      { role: 'user', content: [result] },
    ]
    expect(await sessionOf([...before, user('Count'), ...results])).toBe('agent')
  })
})

describe('what Claude Code asks beside its conversation, with all that was said and its tools', () => {
  const claudeCode = { 'x-claude-code-session-id': 'agent' }
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] })
  const marked = (text: string) => ({
    role: 'user',
    content: [{ type: 'text', text, cache_control: { type: 'ephemeral' } }],
  })
  const answer = (content: string) => ({ role: 'assistant', content })

  function talking(headers: Record<string, string> = claudeCode) {
    const gate = new Gate()
    const { fetch } = api(({ body }) => (JSON.stringify(body).includes('By the way') ? gate.pass() : undefined))
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch, clock: new ManualClock() })
    const sessionOf = async (messages: object[]) => {
      const response = await post(gateway, { ...hello, tools, messages }, { headers })
      await response.text()
      return response.headers.get('x-lastgood-session')
    }
    return { sessionOf, store, gate }
  }

  test('is recorded beside it: no turn of it is undone or counted', async () => {
    const { sessionOf, store } = talking()
    expect(await sessionOf([marked('Count')])).toBe('agent')
    expect(await sessionOf([marked('Count'), answer('answer 1'), user('Suggest')])).toMatch(/^agent\./)
    expect(await sessionOf([user('Count'), answer('answer 1'), marked('More')])).toBe('agent')
    expect((await store.summary('agent'))?.head).toMatchObject({ turn: 2, lastGoodTurn: 2 })
    const types = (await entriesOf(store, 'agent')).map(({ type }) => type)
    expect(types).not.toContain('rewound')
  })

  test('does not take its place while it is being answered', async () => {
    const { sessionOf, gate } = talking()
    await sessionOf([marked('Count')])
    const aside = sessionOf([marked('Count'), answer('answer 1'), user('By the way')])
    await gate.reached
    expect(await sessionOf([user('Count'), answer('answer 1'), marked('More')])).toBe('agent')
    gate.open()
    expect(await aside).toMatch(/^agent\./)
  })

  test.each([
    ['without marks for the cache', claudeCode, user],
    ['from another client, which marks what it likes', { 'x-session-id': 'agent' }, marked],
  ])('cannot be told %s', async (_how, headers, first) => {
    const { sessionOf } = talking(headers)
    await sessionOf([first('Count')])
    expect(await sessionOf([first('Count'), answer('answer 1'), user('Suggest')])).toBe('agent')
  })
})

test('an agent that compacts after a change of its model, and so of its system prompt, stays in its session', async () => {
  const gateway = gatewayOf({ fetch: api().fetch })
  const headers = { 'x-claude-code-session-id': 'agent' }
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const sessionOf = async (said: string, more: object) => {
    const response = await post(
      gateway,
      { ...hello, messages: [{ role: 'user', content: said }], ...more },
      { headers },
    )
    await response.text()
    return response.headers.get('x-lastgood-session')
  }
  expect(await sessionOf('Count', { tools, system: 'You are Opus.' })).toBe('agent')
  const changed = { model: 'claude-sonnet-5-5', system: 'You are Sonnet.' }
  expect(await sessionOf('What was done: counted.', { ...changed, tools })).toBe('agent')
  const others = [{ ...tools[0], name: 'find' }]
  expect(await sessionOf('Find it', { ...changed, tools: others, system: 'You help.' })).toMatch(/^agent\./)
})

test('a sub-agent with an id of its own is a helper of the session that it names', async () => {
  const { fetch } = api()
  const store = memoryStore()
  const gateway = gatewayOf({ store, fetch })
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const ask = (id: string, body: object) =>
    post(gateway, { ...hello, ...body }, { headers: { 'x-session-id': id, 'x-parent-session-id': 'ses_main' } })
  for (const id of ['ses_one', 'ses_two']) await (await ask(id, { tools })).text()
  // Its own helper.
  await (await ask('ses_one', { system: 'Sum it up' })).text()
  const ids = await idsOf(store)
  expect(ids).toHaveLength(3)
  for (const sessionId of ids) expect(helpedBy({ sessionId, agent: undefined })).toBe('ses_main')
})

describe('sub-agents of Claude Code that say which they are', () => {
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const from = (id?: string) => ({
    headers: { 'x-claude-code-session-id': 'lead', ...(id && { 'x-claude-code-agent-id': id }) },
  })

  test('have an answer and a session each, though they were told the same at the same time', async () => {
    const gate = new Gate()
    const { fetch, requests } = api(async () => gate.pass())
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch })
    const ask = (id: string) => post(gateway, { ...hello, tools }, from(id))
    const asked = [ask('a1'), ask('a2'), ask('a3')]
    await gate.reached
    gate.open()
    expect(new Set(await Promise.all(asked.map(async (one) => saidBy(await one)))).size).toBe(3)
    expect(requests).toHaveLength(3)
    // One whose connection broke is given its own answer again.
    expect((await ask('a2')).headers.get('x-lastgood-replayed')).toBe('true')
    expect(requests).toHaveLength(3)
    const names = await idsOf(store)
    expect(names).toHaveLength(3)
    for (const name of names) expect(name).toMatch(/^lead\.[0-9a-f]{12}$/)
  })

  test("leave their agent's session to it, also with its words and before it has begun", async () => {
    const { fetch } = api()
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch })
    const sessionOf = async (id?: string) =>
      (await post(gateway, { ...hello, tools }, from(id))).headers.get('x-lastgood-session')
    expect(await sessionOf('a1')).toMatch(/^lead\./)
    expect(await sessionOf()).toBe('lead')
    expect(await sessionOf('a2')).toMatch(/^lead\./)
    expect(await idsOf(store)).toHaveLength(3)
  })
})

test('an agent that the gateway does not know, and that names its session, stays in it when it compacts', async () => {
  const { fetch } = api()
  const gateway = gatewayOf({ fetch, clock: new ManualClock() })
  const tools = [{ name: 'count', input_schema: { type: 'object' } }]
  const sessionOf = async (body: object) => {
    const response = await post(gateway, { ...hello, ...body }, { headers: { 'x-session-id': 'pi' } })
    await response.text()
    return response.headers.get('x-lastgood-session')
  }
  expect(await sessionOf({ tools, system: 'Code' })).toBe('pi')
  const summary = [{ role: 'user', content: 'What was done here: Hello' }]
  expect(await sessionOf({ system: 'Summarize', messages: summary })).toMatch(/^pi\./)
  const compacted = [{ role: 'user', content: 'A summary: hello was said' }, ...hello.messages]
  expect(await sessionOf({ tools, system: 'Code', messages: compacted })).toBe('pi')
})

describe('two terminals with one conversation of Claude Code', () => {
  const user = (content: unknown) => ({ role: 'user', content })
  const answer = (content: unknown) => ({ role: 'assistant', content })
  const begun = [user('Hello'), answer('answer 1')]

  function terminals(answered: Parameters<typeof api>[0] = () => {}) {
    const { fetch } = api(answered)
    const store = memoryStore()
    const gateway = gatewayOf({ store, fetch, clock: new ManualClock() })
    const tools = [{ name: 'count', input_schema: { type: 'object' } }]
    /** The session that has the answer, and the history with which this terminal goes on. */
    const say = async (before: object[], said: unknown) => {
      const messages = [...before, user(said)]
      const headers = { 'x-claude-code-session-id': 'agent' }
      const response = await post(gateway, { ...hello, tools, messages }, { headers })
      return { at: response.headers.get('x-lastgood-session'), history: [...messages, answer(await saidBy(response))] }
    }
    return { say, store }
  }

  test('have a session each from then on, and nothing of either is undone any more (P7)', async () => {
    const { say, store } = terminals()
    await say([], 'Hello')
    let one = await say(begun, 'One')
    let other = await say(begun, 'Other')
    expect([one.at, other.at]).toEqual(['agent', 'agent'])
    for (let n = 0; n < 3; n += 1) {
      one = await say(one.history, `One ${n}`)
      other = await say(other.history, `Other ${n}`)
      expect(one.at).toMatch(/^agent\./)
      expect(other.at).toBe('agent')
    }
    for (const id of [one.at ?? '', 'agent']) {
      const types = (await entriesOf(store, id)).map(({ type }) => type)
      expect(types.filter((type) => type === 'rewound')).toHaveLength(id === 'agent' ? 1 : 0)
      expect(types.filter((type) => type === 'response-received')).toHaveLength(id === 'agent' ? 6 : 3)
    }
  })

  test('leave each other the answers that they wait for', async () => {
    const gate = new Gate()
    const { fetch, requests } = api(({ body }) => (JSON.stringify(body).includes('One') ? gate.pass() : undefined))
    const gateway = gatewayOf({ fetch, clock: new ManualClock() })
    const tools = [{ name: 'count', input_schema: { type: 'object' } }]
    const ask = (messages: object[]) =>
      post(gateway, { ...hello, tools, messages }, { headers: { 'x-claude-code-session-id': 'agent' } })
    await (await ask([user('Hello')])).text()
    const one = ask([...begun, user('One')])
    await gate.reached
    expect((await ask([...begun, user('Other')])).headers.get('x-lastgood-session')).toMatch(/^agent\./)
    gate.open()
    expect(await saidBy(await one)).toBe('answer 2')
    expect(requests.map(({ isAborted }) => isAborted)).toEqual([false, false, false])
  })

  test('leave the session to a single one that goes back more than once', async () => {
    const { say } = terminals()
    const { history } = await say([], 'Hello')
    for (const said of ['One', 'Other', 'One', 'Third']) expect((await say(history, said)).at).toBe('agent')
  })

  test('leave the session to a single one that goes back and is answered in the same words', async () => {
    const { say } = terminals(() => ({ content: [{ type: 'text', text: 'Done.' }] }))
    const first = await say([], 'Hello')
    await say(first.history, 'One')
    const again = await say(first.history, 'One more')
    expect((await say(again.history, 'Two')).at).toBe('agent')
    const other = await say(first.history, 'One')
    expect((await say(other.history, 'Two')).at).toBe('agent')
  })
})
