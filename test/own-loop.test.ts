/** Level 1: the caller's own loop, with one line added. */
import Anthropic from '@anthropic-ai/sdk'
import { recoverable } from '@lastgood/anthropic'
import { memoryStore, openSession, type Session, type SessionEvent, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { reply, startLab, story, text, toolUse, type Lab, type Outage } from '@lastgood/outage-lab'
import { afterEach, describe, expect, test } from 'vitest'
import { countingStory, countTool, Effects, task } from './support/counting-story.ts'

const request = { model: 'claude-opus-5-5', max_tokens: 1024, tools: [countTool] }

type Ask = (client: Anthropic, messages: Anthropic.MessageParam[]) => Promise<Anthropic.Message>

const asks: Record<string, Ask> = {
  'create()': (client, messages) => client.messages.create({ ...request, messages }),
  'stream()': (client, messages) => client.messages.stream({ ...request, messages }).finalMessage(),
}

/** The ten lines that everybody writes. */
async function loop(client: Anthropic, ask: Ask, messages: Anthropic.MessageParam[], effects: Effects) {
  for (;;) {
    const reply = await ask(client, messages)
    messages.push({ role: 'assistant', content: reply.content })
    const calls = reply.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return reply
    const results = calls.map((call) => ({
      type: 'tool_result' as const,
      tool_use_id: call.id,
      content: effects.count(call.input),
    }))
    messages.push({ role: 'user', content: results })
  }
}

const status = (n: number, code: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: code } })

/** Every fault that the first release answers, one request after the other. */
const outages: Outage[] = [
  status(1, 500),
  status(2, 500),
  status(3, 500),
  { when: { request: 5 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
  status(6, 529),
  { when: { request: 7 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'end' } },
  { when: { request: 9 }, fault: { kind: 'reset', at: 'before-headers' } },
  { when: { request: 10 }, fault: { kind: 'html', status: 200 } },
  {
    when: { request: 11 },
    fault: { kind: 'error-event', after: { inside: 'thinking' }, type: 'overloaded_error', message: 'Overloaded' },
  },
]

let lab: Lab
let session: Session | undefined
afterEach(async () => {
  await session?.close()
  session = undefined
  await lab?.close()
})

async function setUp(script: Outage[], model = countingStory) {
  lab = await startLab({ model, outages: script })
  return new Anthropic({ baseURL: lab.url, apiKey: 'test', logLevel: 'off' })
}
const answered = () => lab.requests.filter((one) => one.outcome.kind === 'ok' && one.completed).length

describe.each(Object.entries(asks))('a hand-written loop over %s', (_name, ask) => {
  test('dies of these faults without the line', async () => {
    const client = await setUp(outages)
    const effects = new Effects()
    await expect(loop(client, ask, [{ role: 'user', content: task }], effects)).rejects.toThrow()
  })

  test('survives them with it: one answered call for each step, each tool run once', async () => {
    const client = await setUp(outages)
    session = await openSession('own-loop', { store: memoryStore(), clock: new ManualClock({ autoAdvance: true }) })
    const effects = new Effects()
    const reply = await loop(recoverable(client, session), ask, [{ role: 'user', content: task }], effects)
    expect(reply.content).toMatchObject([{ type: 'text', text: 'done' }])
    expect(effects.runs).toEqual([1, 2, 3, 4])
    expect(answered()).toBe(4)
    expect(session.lastGoodTurn).toBe(1)
    expect(lab.requests.filter((one) => one.outcome.kind === 'rejected')).toEqual([])
  })

  test('goes on in a new process with session.messages(): what it ran is not run again, what is unknown is said', async () => {
    const interrupted = story([
      reply([text('Two.'), toolUse('count', { n: 1 }), toolUse('count', { n: 2 })]),
      ({ messages }) => {
        expect(JSON.stringify(messages.at(-1)).match(/outcome is unknown/g)).toHaveLength(2)
        return reply(text('done'))
      },
    ])
    const client = await setUp([], interrupted)
    const store = memoryStore()
    session = await openSession('own-loop', { store })
    const effects = new Effects()
    const crashing = {
      count: (input: unknown) => (effects.runs.length === 1 ? crash() : effects.count(input)),
    } as Effects
    await expect(loop(recoverable(client, session), ask, [{ role: 'user', content: task }], crashing)).rejects.toThrow(
      'crash',
    )

    session = await openSession('own-loop', { store, takeover: true })
    const messages = session.messages() as Anthropic.MessageParam[]
    expect(messages.map((message) => message.role)).toEqual(['user', 'assistant', 'user'])
    await loop(recoverable(client, session), ask, messages, effects)
    expect(effects.runs).toEqual([1])
    expect(session.lastGoodTurn).toBe(1)
    expect(session.messages()).toHaveLength(4)
  })
})

function crash(): never {
  throw new Error('crash')
}

test('a call of unknown outcome that the loop reports to the model is told as such, once', async () => {
  lab = await startLab({ model: story([reply([toolUse('count', {})]), reply(text('ok'))]) })
  const store = memoryStore()
  const client = (one: Session) => recoverable(new Anthropic({ baseURL: lab.url, apiKey: 'x', logLevel: 'off' }), one)
  const before = await openSession('s', { store })
  const first = await client(before).messages.create({ ...request, messages: [{ role: 'user', content: task }] })
  await before.close()
  session = await openSession('s', { store })
  const told: SessionEvent[] = []
  session.subscribe((event) => void (event.type === 'in-doubt' && told.push(event)))
  await client(session).messages.create({ ...request, messages: session.messages() as Anthropic.MessageParam[] })
  const [call] = first.content as [Anthropic.ToolUseBlock]
  expect(told).toEqual([{ type: 'in-doubt', toolUseId: call.id, name: 'count', did: 'reported' }])
})

describe('a loop that keeps its own history and says it otherwise at each start', () => {
  const asked = { role: 'user' as const, content: task }
  const stall = { kind: 'stall', after: 'before-headers', pings: false } as const

  const clientOf = (session: Session) =>
    recoverable(new Anthropic({ baseURL: lab.url, apiKey: 'x', logLevel: 'off' }), session)

  /** The first request, which is answered. */
  async function firstAnswer(store: Store) {
    session = await openSession('s', { store })
    const { content } = await clientOf(session).messages.create({ ...request, messages: [asked] })
    await session.close()
    return content
  }

  /** Starts again and again, each time until the request is in flight; the last one gets its answer. */
  async function startOften(store: Store, before: number, historyOf: (start: number) => Anthropic.MessageParam[]) {
    let told = 0
    for (const start of [1, 2, 3, 4]) {
      session = await openSession('s', { store })
      await session.step('notify', {}, () => (told += 1))
      const answer = clientOf(session).messages.create({ ...request, messages: historyOf(start) })
      if (start === 4) await answer
      answer.catch(() => {})
      await expect.poll(() => lab.requests.length).toBe(before + start)
      await session.close()
    }
    return told
  }

  test('does a step before its first request once (P2)', async () => {
    lab = await startLab({ model: story([reply(text('ok'))]), outages: [{ when: { requests: [1, 3] }, fault: stall }] })
    const began = (start: number) => [{ role: 'user' as const, content: `Start ${start}: make it green` }]
    expect(await startOften(memoryStore(), 0, began)).toBe(1)
  })

  test('does a step before a later turn once, and that turn is one (P2)', async () => {
    const model = story([reply(text('first')), reply(text('second'))])
    lab = await startLab({ model, outages: [{ when: { requests: [2, 4] }, fault: stall }] })
    const store = memoryStore()
    const content = await firstAnswer(store)
    const historyOf = (start: number): Anthropic.MessageParam[] => [
      asked,
      { role: 'assistant', content },
      { role: 'user', content: `Start ${start}: go on` },
    ]
    expect(await startOften(store, 1, historyOf)).toBe(1)
    session = await openSession('s', { store })
    expect([session.turn, session.lastGoodTurn]).toEqual([2, 2])
    expect(session.messages().map((message) => message.content)).toMatchObject([
      task,
      [{ text: 'first' }],
      'Start 4: go on',
      [{ text: 'second' }],
    ])
  })

  test('does a step before it brings results once (P2)', async () => {
    const model = story([reply([toolUse('count', {})]), reply(text('ok'))])
    lab = await startLab({ model, outages: [{ when: { requests: [2, 4] }, fault: stall }] })
    const store = memoryStore()
    const content = await firstAnswer(store)
    const [call] = content as [Anthropic.ToolUseBlock]
    const resultOf = (start: number) => ({
      type: 'tool_result' as const,
      tool_use_id: call.id,
      content: `at start ${start}`,
    })
    const historyOf = (start: number): Anthropic.MessageParam[] => [
      asked,
      { role: 'assistant', content },
      { role: 'user', content: [resultOf(start)] },
    ]
    expect(await startOften(store, 1, historyOf)).toBe(1)
  })
})

test('what does not apply to where the session stands is refused, with a way on that a loop of your own has', async () => {
  session = await openSession('late', { store: memoryStore() })
  await expect(session.record([{ type: 'turn-ended', turn: 1 }])).rejects.toMatchObject({
    code: 'journal-conflict',
    hint: 'open the session again: it continues from what its journal has',
  })
})

test('a call in doubt that a person decides is put before a loop of your own, which no command continues', async () => {
  const store = memoryStore()
  session = await openSession('doubt', { store })
  await session.startTurn([{ role: 'user', content: task }])
  const content = [{ type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } }]
  await session.record([
    { type: 'request-sent', model: 'm', attempt: 1 },
    {
      type: 'response-received',
      message: { id: 'msg_1', role: 'assistant', model: 'm', content, stop_reason: 'tool_use' },
    },
    { type: 'tool-started', toolUseId: 'toolu_1', name: 'count', inDoubt: 'ask' },
  ])
  await session.close()
  session = await openSession('doubt', { store })
  const asked = session.step('count', { n: 1 }, () => 'one', { toolUseId: 'toolu_1', inDoubt: 'ask' })
  await expect(asked).rejects.toMatchObject({
    code: 'needs-input',
    hint: 'start the program again with an answer: give onInDoubt, or the tool another rule',
  })
})
