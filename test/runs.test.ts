/** session.run: one run at a time, each tool once, and what a turn number, a rewind and a stop mean. */
import type Anthropic from '@anthropic-ai/sdk'
import { defineAgent, recoverable, recovery, tool, type AgentTool } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { assistantCount, reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { countingAgent, countingStory, Effects, task } from './support/counting-story.ts'
import { code, entriesOf, Gate, openTestSession, startTestLab, typesOf } from './support/harness.ts'
import { callBlock, hangAfter, said, scriptedClient, started, textBlock } from './support/scripted-api.ts'

const model = 'claude-opus-5-5'
const oneCall = story([reply([toolUse('count', { n: 1 })]), reply(text('done'))])
const listWithHole = Object.assign([], { 1: { type: 'text', text: 'x' } })
const failing = (n: number, status: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status } })

describe('two runs at once', () => {
  test.each([task, undefined])('asked again for the same, the run under way is joined (P2) [%s]', async (again) => {
    const { client, lab } = await startTestLab({ model: oneCall })
    const session = await openTestSession()
    const effects = new Effects()
    const gate = new Gate()
    const agent = countingAgent({ count: (input) => gate.pass().then(() => effects.count(input)) }, client)
    const first = session.run(agent, task)
    await gate.reached
    const second = session.run(agent, again)
    gate.open()
    expect(await second).toEqual(await first)
    expect(effects.runs).toEqual([1])
    expect(lab.requests).toHaveLength(2)
  })

  test('another input runs after it, as a turn of its own', async () => {
    const { client } = await startTestLab({
      model: (conversation) => reply(text(`answer ${assistantCount(conversation)}`)),
    })
    const session = await openTestSession()
    const agent = defineAgent({ name: 'a', client, model })
    const replies = await Promise.all(['x', 'y', 'z'].map((input) => session.run(agent, input)))
    expect(replies).toMatchObject([
      { turn: 1, text: 'answer 0' },
      { turn: 2, text: 'answer 1' },
      { turn: 3, text: 'answer 2' },
    ])
    expect(session.messages().flatMap(({ role, content }) => (role === 'user' ? [content] : []))).toEqual([
      'x',
      'y',
      'z',
    ])
  })

  test.each([
    ['trun', { trun: 1 }],
    ['turn', { turn: '1' }],
    ['envelope', { envelope: 'curent' }],
    ['onInDoubt', { onInDoubt: 'rerun' }],
    ['signal', { signal: new AbortController() }],
    ['a string', 'current'],
  ])('a wrong option is refused before anything is done: %s', async (field, options) => {
    const { client, lab } = await startTestLab({ model: () => reply(text('ok')) })
    const session = await openTestSession()
    const run = session.run(defineAgent({ name: 'a', client, model }), task, options as never)
    await expect(run).rejects.toMatchObject({ code: 'bad-option', details: { field } })
    expect(await entriesOf(session.store, session.id)).toEqual([])
    expect(lab.requests).toEqual([])
  })

  test.each([null, 42, { type: 'text', text: 'x' }, [{}], [{ text: 'x' }], listWithHole])(
    'an input that no message can have is refused before anything is done, and loses nothing [%j]',
    async (input) => {
      const { client, lab } = await startTestLab({ model: () => reply(text('ok')) })
      const session = await openTestSession()
      const agent = defineAgent({ name: 'a', client, model })
      await session.run(agent, task)
      const before = await entriesOf(session.store, session.id)
      await expect(session.run(agent, input as never)).rejects.toMatchObject({
        code: 'bad-option',
        message: 'input is neither a string nor a list of content blocks',
      })
      expect(await entriesOf(session.store, session.id)).toEqual(before)
      expect(lab.requests).toHaveLength(1)
    },
  )

  test('one that follows a run that failed begins all the same', async () => {
    const { client } = await startTestLab({ model: () => reply(text('ok')), outages: [failing(1, 400)] })
    const session = await openTestSession()
    const agent = defineAgent({ name: 'a', client, model })
    const [first, second] = await Promise.allSettled([session.run(agent, task), session.run(agent, `${task} Now.`)])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'request-failed' } })
    expect(second.status).toBe('fulfilled')
  })
})

test('P2: the same line again goes on with the turn that it began, though its blocks have cache markers', async () => {
  const { client } = await startTestLab({ model: () => reply(text('ok')) })
  const session = await openTestSession()
  const agent = defineAgent({ name: 'a', client, model })
  const input = [{ type: 'text', text: task, cache_control: { type: 'ephemeral' } }]
  const stop = new AbortController()
  session.subscribe((event) => event.type === 'entry' && event.entry.type === 'request-sent' && stop.abort())
  await expect(session.run(agent, input, { signal: stop.signal })).rejects.toThrow(/abort/i)
  await expect(session.run(agent, input)).resolves.toMatchObject({ turn: 1 })
  expect(session.turn).toBe(1)
})

test('a call that was stopped before it began runs in the next run: it is not in doubt', async () => {
  const { client } = await startTestLab({ model: oneCall })
  const session = await openTestSession()
  const effects = new Effects()
  const agent = countingAgent(effects, client)
  const stop = new AbortController()
  session.subscribe((event) => event.type === 'entry' && event.entry.type === 'response-received' && stop.abort())
  await expect(session.run(agent, task, { signal: stop.signal })).rejects.toThrow(/abort/i)
  await expect(session.run(agent)).resolves.toMatchObject({ turn: 1, text: 'done' })
  expect(effects.runs).toEqual([1])
})

describe('a tool call that does not return (P2)', () => {
  test('a tool of any kind that throws after its effect: the model is told, and it is not repeated', async () => {
    const { client } = await startTestLab({ model: oneCall })
    const store = memoryStore()
    const session = await openTestSession(store)
    let effects = 0
    const throwing: AgentTool = {
      definition: { name: 'count', input_schema: { type: 'object' } },
      inDoubt: 'report',
      run() {
        effects += 1
        throw new Error('the network died half-way')
      },
    }
    const agent = defineAgent({ name: 'a', client, model, tools: [throwing] })
    await expect(session.run(agent, task)).resolves.toMatchObject({ text: 'done' })
    await session.run(agent)
    expect(effects).toBe(1)
    const finished = (await entriesOf(store)).find((entry) => entry.type === 'tool-finished')
    expect(finished?.result).toMatchObject({ is_error: true, content: 'Error: the network died half-way' })
  })

  test('the signal of the run reaches it; stopped, it is in doubt, and a later run reports it', async () => {
    const { client, lab } = await startTestLab({ model: oneCall })
    const session = await openTestSession()
    const stop = new AbortController()
    let runs = 0
    const agent = countingAgent(
      {
        count(_input, { signal }) {
          runs += 1
          const stopped = new Promise<never>((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error)),
          )
          stop.abort(new Error('enough'))
          return stopped
        },
      },
      client,
    )
    await expect(session.run(agent, task, { signal: stop.signal })).rejects.toThrow('enough')
    await expect(session.run(agent)).resolves.toMatchObject({ turn: 1, text: 'done' })
    expect(runs).toBe(1)
    expect(JSON.stringify(lab.requests.at(-1)?.body?.messages?.at(-1))).toContain('outcome is unknown')
  })

  test('a result that was there when the run was stopped is durable', async () => {
    const { client } = await startTestLab({ model: oneCall })
    const store = memoryStore()
    const session = await openTestSession(store)
    const stop = new AbortController()
    const effects = new Effects()
    const count = (input: unknown) => {
      stop.abort()
      return effects.count(input)
    }
    await expect(session.run(countingAgent({ count }, client), task, { signal: stop.signal })).rejects.toThrow(/abort/i)
    expect(await typesOf(store)).toContain('tool-finished')

    const later = await openTestSession(store, { takeover: true })
    await expect(later.run(countingAgent(effects, client))).resolves.toMatchObject({ text: 'done' })
    expect(effects.runs).toEqual([1])
  })

  test('a call in an answer that was stopped half-way is not run by the next run', async () => {
    const hanging = hangAfter(started() + textBlock(0, 'I drop it.') + callBlock(1, '{"n":1}'))
    const { client } = scriptedClient((call, n) => (n === 1 ? hanging.stream(call) : said(`answer ${n}`, `msg_${n}`)))
    const store = memoryStore()
    const session = await openTestSession(store)
    const effects = new Effects()
    const agent = countingAgent(effects, client)
    const stop = new AbortController()
    const run = session.run(agent, 'Clean up', { signal: stop.signal })
    void hanging.reached.then(() => stop.abort())
    await expect(run).rejects.toThrow(/abort/i)
    expect(await typesOf(store)).not.toContain('response-received')
    await expect(session.run(agent, 'Stop, keep it')).resolves.toMatchObject({ turn: 2, text: 'answer 3' })
    expect(effects.runs).toEqual([])
  })

  test('the key of a call is its own: another call has another one', async () => {
    const calls = reply([toolUse('count', { n: 1 }), toolUse('count', { n: 2 })])
    const { client } = await startTestLab({
      model: story([calls, reply([toolUse('count', { n: 1 })]), reply(text('done'))]),
    })
    const keys: string[] = []
    const count = (_input: unknown, { idempotencyKey }: { idempotencyKey: string }) => (keys.push(idempotencyKey), '')
    await (await openTestSession()).run(countingAgent({ count }, client), task)
    expect(new Set(keys).size).toBe(3)
  })
})

describe('agents of one session', () => {
  test('each sends its own system and tools, also when they take turns', async () => {
    const { client, lab } = await startTestLab({ model: () => reply(text('ok')) })
    const session = await openTestSession()
    const planner = defineAgent({ name: 'planner', client, model, system: 'You plan.' })
    const coder = countingAgent(new Effects(), client, { name: 'coder', system: 'You code.' })
    for (const agent of [planner, coder, planner]) await session.run(agent, 'go on')
    expect(lab.requests.map(({ body }) => [body?.system, body?.tools?.length ?? 0])).toEqual([
      ['You plan.', 0],
      ['You code.', 1],
      ['You plan.', 0],
    ])
    expect(session.turn).toBe(3)
  })

  test.each([
    ['made recoverable for the same session', (client, session) => recoverable(client, session)],
    ['made so twice', (client, session) => recoverable(recoverable(client, session), session)],
    [
      'with the middleware mounted by hand as well',
      (client, session) => client.withOptions({ middleware: [recovery(session), recovery(session)] }),
    ],
  ] as const satisfies [string, (...args: Parameters<typeof recoverable<Anthropic>>) => Anthropic][])(
    'a client %s sends each request once (P8)',
    async (_how, wrap) => {
      const { client, lab } = await startTestLab({ model: countingStory, outages: [failing(2, 529)] })
      const store = memoryStore()
      const session = await openTestSession(store)
      const effects = new Effects()
      await session.run(countingAgent(effects, wrap(client, session)), task)
      expect(effects.runs).toEqual([1, 2, 3, 4])
      expect(lab.requests).toHaveLength(5)
      expect((await typesOf(store)).filter((type) => type === 'request-sent')).toHaveLength(5)
    },
  )
})

describe('a turn number', () => {
  const answering = (outages: Outage[] = []) =>
    startTestLab({ model: (conversation) => reply(text(`answer ${assistantCount(conversation)}`)), outages })

  test('goes on with the open turn of that number, whatever its input says now', async () => {
    const { client } = await answering([failing(1, 400)])
    const session = await openTestSession()
    const agent = defineAgent({ name: 'a', client, model })
    await expect(session.run(agent, 'at 10:00', { turn: 1 })).rejects.toEqual(code('request-failed'))
    await expect(session.run(agent, 'at 10:01', { turn: 1 })).resolves.toMatchObject({ turn: 1 })
    expect(session.messages().map(({ content }) => content)).toEqual(['at 10:00', [expect.anything()]])
  })

  test('gives the recorded reply also where the history was replaced since then', async () => {
    const { client, lab } = await answering()
    const session = await openTestSession()
    const agent = defineAgent({ name: 'a', client, model })
    const first = await session.run(agent, 'one', { turn: 1 })
    await session.run(agent, 'two', { turn: 2 })
    const summary = { role: 'user' as const, content: 'What came before, in short' }
    const own = recoverable(client, session, { record: 'always' })
    await own.messages.create({ model, max_tokens: 100, messages: [summary] })
    expect(await session.run(agent, 'one', { turn: 1 })).toEqual(first)
    expect(await session.run(agent, 'two', { turn: 2 })).toMatchObject({ text: 'answer 1', stopReason: 'end_turn' })
    expect(lab.requests).toHaveLength(3)
  })

  test('gives the recorded reply of a turn that has ended, without a request', async () => {
    const { client, lab } = await answering()
    const session = await openTestSession()
    const agent = defineAgent({ name: 'a', client, model })
    const first = await session.run(agent, 'one', { turn: 1 })
    await session.run(agent, 'two', { turn: 2 })
    expect(await session.run(agent, 'one', { turn: 1 })).toEqual(first)
    expect(lab.requests).toHaveLength(2)
  })

  test('beyond the next turn is a bad option, and nothing is sent', async () => {
    const { client, lab } = await answering()
    const session = await openTestSession()
    await expect(session.run(defineAgent({ name: 'a', client, model }), 'x', { turn: 2 })).rejects.toEqual(
      code('bad-option'),
    )
    expect(lab.requests).toHaveLength(0)
    expect(session.turn).toBe(0)
  })

  test('rewind goes back to it, and the next turn goes on from there, also in a new process', async () => {
    const { client, lab } = await answering()
    const store = memoryStore()
    const session = await openTestSession(store)
    const agent = defineAgent({ name: 'a', client, model })
    for (const input of ['one', 'two', 'three']) await session.run(agent, input)
    await expect(session.rewind(4, 'too far')).rejects.toEqual(code('bad-option'))
    await session.rewind(1, 'two was a mistake')
    expect([session.turn, session.lastGoodTurn, session.messages()]).toMatchObject([1, 1, { length: 2 }])
    await session.close()

    const later = await openTestSession(store)
    await expect(later.run(agent, 'two again')).resolves.toMatchObject({ turn: 2, text: 'answer 1' })
    expect(lab.requests.at(-1)?.body?.messages?.map(({ content }) => content)).toMatchObject(['one', [{}], 'two again'])
  })
})

test.each(['coder', 'helper'])(
  'a run of %s inside a run of the coder of the same session is told that it would wait for itself',
  async (name) => {
    const { client } = await startTestLab({ model: story([reply([toolUse('delegate', {})]), reply(text('done'))]) })
    const store = memoryStore()
    const session = await openTestSession(store)
    const helper = defineAgent({ name, client, model: 'claude-opus-5-5' })
    const delegate = tool({
      name: 'delegate',
      description: 'Asks a helper.',
      input: z.object({}),
      run: async () => (await session.run(helper, name === 'coder' ? task : 'Help')).text,
    })
    await session.run(defineAgent({ name: 'coder', client, model: 'claude-opus-5-5', tools: [delegate] }), task)
    const result = (await entriesOf(store)).find((entry) => entry.type === 'tool-finished')?.result
    expect(result).toMatchObject({
      is_error: true,
      content: expect.stringContaining('would wait for itself') as string,
    })
  },
)

test('what a run began and left behind may ask for a run when that one has ended', async () => {
  const { client } = await startTestLab({
    model: story([reply([toolUse('later', {})]), reply(text('done')), reply(text('helped'))]),
  })
  const session = await openTestSession()
  const helper = defineAgent({ name: 'helper', client, model: 'claude-opus-5-5' })
  const gate = new Gate()
  let left: Promise<unknown> | undefined
  const later = tool({
    name: 'later',
    description: 'Leaves something behind.',
    input: z.object({}),
    run: () => {
      left = gate.pass().then(() => session.run(helper, 'Help'))
      return 'begun'
    },
  })
  await session.run(defineAgent({ name: 'coder', client, model: 'claude-opus-5-5', tools: [later] }), task)
  gate.open()
  await expect(left).resolves.toMatchObject({ turn: 2 })
})
