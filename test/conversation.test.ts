/** What belongs to the recorded conversation: helpers beside it, histories that changed, threads, requests at once. */
import Anthropic from '@anthropic-ai/sdk'
import { getEventListeners } from 'node:events'
import { recoverable } from '@lastgood/anthropic'
import { memoryStore, type Store } from '@lastgood/core'
import {
  assistantCount,
  reply,
  story,
  text,
  thinking,
  toolUse,
  type ModelFunction,
  type Outage,
} from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countingAgent, countTool, task } from './support/counting-story.ts'
import { openTestSession, startTestLab, typesOf } from './support/harness.ts'

const bare = { model: 'claude-opus-5-5', max_tokens: 500 }
const request = { ...bare, system: 'You count.', tools: [countTool] }
const user = (content: string): Anthropic.MessageParam => ({ role: 'user', content })
const assistant = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({
  role: 'assistant',
  content,
})
const numbered: ModelFunction = (conversation) => reply(text(`answer ${assistantCount(conversation)}`))
const cutInside = (inside: 'thinking' | 'text'): Outage => ({
  when: { request: 1 },
  fault: { kind: 'cut', after: { inside }, how: 'reset' },
})

async function sessionOn(model: ModelFunction, { outages = [] }: { outages?: Outage[] } = {}) {
  const { client, lab } = await startTestLab({ model, outages })
  const store = memoryStore()
  const session = await openTestSession(store)
  let unrecorded = 0
  session.subscribe((event) => (unrecorded += event.type === 'unrecorded' ? 1 : 0))
  return { client, lab, store, session, own: recoverable(client, session), unrecorded: () => unrecorded }
}

/** The contents of what a new reader of the store gets. */
async function reopened(store: Store): Promise<string> {
  return JSON.stringify((await openTestSession(store, { takeover: true })).messages())
}

describe('beside the conversation', () => {
  const oneCall = story([reply([toolUse('count', { n: 1 })]), reply(text('looks fine'))])

  test.each([
    ['the same history and a question', (messages: Anthropic.MessageParam[]) => [...messages, user('Is this safe?')]],
    ['the very same history', (messages: Anthropic.MessageParam[]) => messages],
  ])('a helper that sends %s while a call runs leaves the call in doubt (P2)', async (_what, asked) => {
    const { store, session, own, unrecorded } = await sessionOn((conversation) =>
      JSON.stringify(conversation.messages).includes('safe') ? reply(text('yes')) : oneCall(conversation),
    )
    const messages = [user('Pay Bob')]
    const first = await own.messages.create({ ...request, messages })
    await own.messages.create({ ...request, messages: asked(messages) })
    expect(unrecorded()).toBe(1)
    expect(session.transcript.unanswered).toMatchObject([{ name: 'count', state: 'started' }])
    expect(await reopened(store)).toMatch(
      new RegExp(`"tool_use_id":"${(first.content[0] as { id: string }).id}".*unknown`),
    )
  })

  test('a title request that came first does not keep the conversation out', async () => {
    const { session, own } = await sessionOn(numbered)
    await own.messages.create({ ...bare, model: 'claude-haiku-4-5', messages: [user('A title for: fix auth')] })
    await own.messages.create({ ...request, messages: [user('fix auth')] })
    await own.messages.create({ ...bare, messages: [user('Another title')] })
    expect(session.messages()).toMatchObject([user('fix auth'), { role: 'assistant' }])
  })

  test('a client of helpers is never recorded, and listeners are told', async () => {
    const { client, store, session, unrecorded } = await sessionOn(numbered)
    const helper = recoverable(client, session, { record: false })
    await helper.messages.create({ ...request, messages: [user('first')] })
    await helper.messages.stream({ ...request, messages: [user('second')] }).finalMessage()
    await helper.models.list()
    expect(await typesOf(store)).toEqual([])
    expect(unrecorded()).toBe(2)
  })

  test('a helper mounted on top of a recorded client is still not recorded', async () => {
    const { store, session, own } = await sessionOn(numbered)
    await recoverable(own, session, { record: false }).messages.create({ ...request, messages: [user('first')] })
    expect(await typesOf(store)).toEqual([])
  })

  test('a sub-agent with a tool runner of its own works inside a tool of the main one', async () => {
    const { session, own } = await sessionOn((conversation) => {
      const isSub = JSON.stringify(conversation.messages[0]).includes('sub task')
      if (assistantCount(conversation) === 0) return reply([toolUse(isSub ? 'leaf' : 'delegate', {})])
      return reply(text(isSub ? 'sub done' : 'main done'))
    })
    const run = (content: string, name: string, call: () => Promise<string>) =>
      own.beta.messages.toolRunner({
        ...bare,
        messages: [{ role: 'user', content }],
        tools: [
          { type: 'custom', name, description: 'd', input_schema: { type: 'object' }, parse: (x) => x, run: call },
        ],
      })
    const delegate = async () => JSON.stringify((await run('sub task', 'leaf', async () => 'leaf ok')).content)
    const answer = await run('main task', 'delegate', delegate)
    expect(answer.content).toMatchObject([{ text: 'main done' }])
    expect(session.messages()).toMatchObject([user('main task'), { role: 'assistant' }, {}, { role: 'assistant' }])
    expect(JSON.stringify(session.messages()[2])).toContain('sub done')
  })

  test('two requests at once through two clients: one is the conversation, both are answered', async () => {
    const { client, session, own, unrecorded } = await sessionOn(numbered)
    const other = recoverable(client, session)
    const answers = await Promise.all(
      [own, other].map((one, i) => one.messages.create({ ...request, messages: [user(`task ${i}`)] })),
    )
    expect(answers.map(({ stop_reason }) => stop_reason)).toEqual(['end_turn', 'end_turn'])
    expect(session.messages()).toHaveLength(2)
    expect(unrecorded()).toBe(1)
  })

  test('requests leave no listeners on the signal of the session', async () => {
    const { session, own } = await sessionOn(numbered)
    const listeners = () => getEventListeners(session.signal, 'abort').length
    await own.messages.create({ ...request, messages: [user(task)] })
    const before = listeners()
    for (let i = 0; i < 5; i += 1) {
      await own.messages.create({ ...bare, messages: [user('helper')] })
      await own.messages.stream({ ...request, messages: [user(task)] }).finalMessage()
      await own.models.list()
    }
    expect(listeners()).toBe(before)
  })
})

describe('a history that is not as it was', () => {
  test('replaced by a summary, it goes on being recorded, and turns are counted on', async () => {
    const { store, session, own } = await sessionOn(numbered)
    await own.messages.create({ ...request, messages: [user('a big task')] })
    const summary = [user('Summary: …'), assistant('ok'), user('go on')]
    const answer = await own.messages.create({ ...request, messages: summary })
    await own.messages.create({ ...request, messages: [...summary, assistant(answer.content), user('and on')] })
    expect([session.turn, session.lastGoodTurn]).toEqual([3, 3])
    expect(session.messages()).toHaveLength(6)
    const later = await openTestSession(store, { takeover: true })
    expect([later.turn, later.messages()]).toEqual([3, session.messages()])
  })

  test('an edited message is sent as it is now, also after an attempt that broke off inside an answer', async () => {
    const { lab, own } = await sessionOn(numbered, { outages: [cutInside('text')] })
    const old = { type: 'text' as const, text: 'do it' }
    await own.messages.stream({ ...request, messages: [{ role: 'user', content: [old] }] }).finalMessage()
    const edited = { role: 'user' as const, content: [{ type: 'text' as const, text: 'NOTE: it is frozen' }, old] }
    await own.messages.create({ ...request, messages: [edited] })
    expect(lab.requests.at(-1)?.body?.messages).toEqual([edited])
  })

  test('one that ends in calls without results gets the refusal of the API', async () => {
    const { own } = await sessionOn(story([reply([toolUse('count', { n: 1 })]), reply(text('done'))]))
    const first = await own.messages.create({ ...request, messages: [user(task)] })
    const messages = [user(task), assistant(first.content)]
    await expect(own.messages.create({ ...request, messages })).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    })
    const results = first.content.map(
      (call) => ({ type: 'tool_result', tool_use_id: (call as { id: string }).id }) as const,
    )
    await own.messages.create({ ...request, messages: [...messages, { role: 'user', content: results }] })
  })
})

describe('an answer that is handed back in other words is sent on as it was recorded', () => {
  const model = story([
    reply([thinking('Let me think about this for a while.'), text('The answer is a long text.')]),
    reply(text('bye')),
  ])
  type Spoken = Anthropic.ContentBlock[]
  const changes: [string, Outage[], (content: Spoken) => Anthropic.MessageParam['content']][] = [
    ['with blocks of a broken attempt before it', [cutInside('text')], (content) => content],
    ['without its thinking', [], (content) => content.filter(({ type }) => type !== 'thinking')],
    ['as its text', [], (content) => content.map((block) => (block.type === 'text' ? block.text : '')).join('')],
  ]
  const cases = changes.flatMap(([how, ...rest]) =>
    ['the same', 'a new'].map((process) => [how, process, ...rest] as const),
  )

  test.each(cases)('%s, in %s process (P4)', async (_how, process, outages, change) => {
    const { client, lab, store, session, own } = await sessionOn(model, { outages })
    const answer = await own.messages.stream({ ...request, messages: [user(task)] }).finalMessage()
    const messages = [user(task), assistant(change(answer.content)), user('Thanks')]
    const later = process === 'a new' ? await openTestSession(store, { takeover: true }) : session
    await recoverable(client, later).messages.create({ ...request, messages })
    expect(lab.requests.at(-1)?.body?.messages?.[1]?.content).toMatchObject([{ type: 'thinking' }, { type: 'text' }])
    expect([later.turn, later.lastGoodTurn]).toEqual([2, 2])
  })
})

describe('a chat loop that pushes the text of answers back', () => {
  test.each([
    ['one block', [text('words')]],
    ['two blocks', [text('some '), text('words')]],
  ])('counts its turns, with answers of %s', async (_what, blocks) => {
    const { session, own } = await sessionOn(() => reply(blocks))
    const messages: Anthropic.MessageParam[] = []
    for (let turn = 1; turn <= 4; turn += 1) {
      messages.push(user(`question ${turn}`))
      const { content } = await own.messages.create({ ...bare, messages })
      messages.push(assistant(content.map((block) => (block.type === 'text' ? block.text : '')).join('')))
      expect([session.turn, session.lastGoodTurn]).toEqual([turn, turn])
    }
    expect(session.messages()).toHaveLength(8)
  })
})

test('what its owner does with an input or an output afterwards changes nothing that is recorded or sent', async () => {
  const { client, lab, store, session } = await sessionOn(
    story([reply([toolUse('count', { n: 1 })]), reply(text('one')), reply(text('two'))]),
  )
  const [input, output] = [[{ type: 'text', text: 'as it was' }], [{ type: 'text', text: 'as it was' }]]
  const agent = countingAgent({ count: () => output }, client)
  await session.run(agent, input)
  for (const block of [...input, ...output]) block.text = 'tampered'
  await session.run(agent, 'Go on')
  expect(lab.requests.at(-1)?.raw.match(/as it was/g)).toHaveLength(2)
  expect(lab.requests.at(-1)?.raw + (await reopened(store))).not.toContain('tampered')
})

describe('a loop that begins again from its first message in a new process', () => {
  test('is recorded, although a call of the dead process was never answered', async () => {
    const { client } = await startTestLab({
      model: ({ messages }) => (messages.length === 1 ? reply([toolUse('count', { n: 1 })]) : reply(text('done'))),
      toolIds: 'fresh',
    })
    const store = memoryStore()
    const request = { model: 'claude-opus-5-5', max_tokens: 500, tools: [countTool] }
    const first: Anthropic.MessageParam[] = [{ role: 'user', content: 'Begin' }]
    await recoverable(client, await openTestSession(store)).messages.create({ ...request, messages: first })

    const session = await openTestSession(store, { takeover: true })
    const own = recoverable(client, session)
    const { content } = await own.messages.create({ ...request, messages: first })
    const call = content.find((block) => block.type === 'tool_use')!
    const results = [{ type: 'tool_result' as const, tool_use_id: call.id, content: 'counted 1' }]
    const messages = [...first, { role: 'assistant' as const, content }, { role: 'user' as const, content: results }]
    await own.messages.create({ ...request, messages })
    expect(session.messages()).toHaveLength(4)
    expect(session.lastGoodTurn).toBe(1)
  })
})

test('an edited history that cannot be recorded undoes nothing', async () => {
  const { store, session, own } = await sessionOn(numbered)
  const messages: Anthropic.MessageParam[] = []
  for (const said of ['one', 'two', 'three']) {
    messages.push(user(said))
    messages.push(assistant((await own.messages.create({ ...request, messages })).content))
  }
  let deep: unknown = 'x'
  for (let level = 0; level < 600; level += 1) deep = [deep]
  const edited = [
    ...messages.slice(0, 2),
    user('otherwise'),
    { role: 'user', content: [{ type: 'text', text: 'x', deep }] },
  ]
  await expect(own.messages.create({ ...request, messages: edited as never })).rejects.toMatchObject({
    code: 'bad-option',
  })
  expect(session.messages()).toEqual(messages)
  await session.close()
  expect(await typesOf(store)).not.toContain('rewound')
  expect((await openTestSession(store)).messages()).toEqual(messages)
})

test('an answer is recorded and sent again with its keys in the order in which they came (P4)', async () => {
  const block = '{"citations":null,"type":"text","text":"hi"}'
  const sent: string[] = []
  const fetch = async (_url: unknown, init?: { body?: unknown }) => {
    sent.push(String(init?.body))
    const answer = `{"stop_reason":"end_turn","id":"msg_${sent.length}","role":"assistant","model":"m","content":[${block}]}`
    return new Response(answer, { headers: { 'content-type': 'application/json' } })
  }
  const session = await openTestSession()
  const client = recoverable(new Anthropic({ baseURL: 'http://api.invalid', apiKey: 'test', fetch }), session)
  for (const content of ['a', 'b']) {
    const messages = [...(session.messages() as Anthropic.MessageParam[]), { role: 'user' as const, content }]
    await client.messages.create({ model: 'claude-opus-5-5', max_tokens: 9, messages })
  }
  expect(JSON.stringify(session.messages())).toContain(block)
  expect(sent[1]).toContain(block)
})
