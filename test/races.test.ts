/** Races: two requests for one place, a caller that leaves at the worst moment, a run that is no longer wanted. */
import { defineAgent, recoverable, tool } from '@lastgood/anthropic'
import { memoryStore, openSession, type SessionEvent, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { reply, text, toolUse } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { countingAgent, Effects } from './support/counting-story.ts'
import { code, entriesOf, Gate, openTestSession, slowStore, startTestLab, typesOf } from './support/harness.ts'
import { callBlock, ended, said, scriptedClient, started, textBlock } from './support/scripted-api.ts'

/** Time in which the process stands still passes for no timer. */
class PausingClock extends ManualClock {
  pausedMs = 0
  override now(): number {
    return super.now() + this.pausedMs
  }
  override elapsed(): number {
    return super.elapsed() + this.pausedMs
  }
}

const user = (content: string) => ({ role: 'user' as const, content })
const request = { model: 'claude-opus-5-5', max_tokens: 500 }

test('of two requests that wait for one place one has it, and the other is beside the conversation', async () => {
  const { client } = scriptedClient((_call, n) => said(`answer ${n}`, `msg_${n}`))
  const store = memoryStore()
  const session = await openTestSession(store)
  const events: SessionEvent['type'][] = []
  session.subscribe(({ type }) => events.push(type))
  const own = recoverable(client, session)
  // Handed out, and read by nobody: both wait until it is given up.
  await own.messages.create({ ...request, messages: [user('go')], stream: true })
  const both = ['main', 'helper'].map((words) =>
    own.messages.stream({ ...request, messages: [user('go'), user(words)] }).finalMessage(),
  )
  expect(await Promise.all(both)).toHaveLength(2)
  expect((await typesOf(store)).filter((type) => type === 'response-received')).toHaveLength(1)
  expect(JSON.stringify(session.messages())).not.toContain('helper')
  expect(events).toContain('unrecorded')
})

test('an answer whose caller broke off while it was made durable holds nothing up: the next request goes on', async () => {
  const gate = new Gate()
  const store = slowStore(gate, 'response-received')
  const { client } = scriptedClient((_call, n) =>
    n === 1 ? started('msg_1') + callBlock(0, '{"n":1}') + ended('tool_use') : said(`answer ${n}`, `msg_${n}`),
  )
  const session = await openTestSession(store)
  const own = recoverable(client, session)
  const stop = new AbortController()
  const lost = own.messages.stream({ ...request, messages: [user('go')] }, { signal: stop.signal }).finalMessage()
  await gate.reached
  stop.abort()
  gate.open()
  await expect(lost).rejects.toThrow('aborted')
  const answer = await own.messages
    .stream({ ...request, messages: [user('go'), user('something else')] })
    .finalMessage()
  expect(answer.content).toMatchObject([{ text: 'answer 2' }])
  expect(session.messages()).toMatchObject([user('go'), user('something else'), { role: 'assistant' }])
})

test('a request does not leave whose session was taken over while this process stood still (P3)', async () => {
  const store = memoryStore()
  const clock = new PausingClock()
  const append: Store['append'] = async (lease, afterSeq, entries, head) => {
    const seq = await store.append(lease, afterSeq, entries, head)
    if (!entries.some(({ type }) => type === 'request-sent')) return seq
    clock.pausedMs = 60_000
    await (await openSession('ses', { store, clock: new ManualClock(), takeover: true })).close()
    return seq
  }
  const { client, calls } = scriptedClient(() => said('hi', 'msg_1'))
  const session = await openTestSession({ ...store, append }, { clock })
  const asked = recoverable(client, session).messages.create({ ...request, messages: [user('go')] })
  await expect(asked).rejects.toThrow('no longer ours')
  expect(session.signal.reason).toEqual(code('lease-lost'))
  expect(calls).toEqual([])
})

test('a request that was aborted while it still had no answer, by a client that answers all the same, is over', async () => {
  const gate = new Gate()
  const session = await openTestSession()
  const { client } = scriptedClient((_call, n) => said(`answer ${n}`, `msg_${n}`))
  const slow = client.withOptions({
    middleware: [
      async (sent, next) => {
        const response = await next({ ...sent, signal: new AbortController().signal } as typeof sent)
        await gate.pass()
        return response
      },
    ],
  })
  const own = recoverable(slow, session)
  const stop = new AbortController()
  const dropped = own.messages.create({ ...request, messages: [user('go')], stream: true }, { signal: stop.signal })
  dropped.catch(() => {})
  await gate.reached
  stop.abort()
  gate.open()
  const answer = await own.messages.stream({ ...request, messages: [user('go')] }).finalMessage()
  expect(answer.content).toMatchObject([{ text: 'answer 2' }])
})

describe('a run that nobody wants any more', () => {
  const answering = () => reply(text('ok'))

  test('before it has begun begins no turn', async () => {
    const { client, lab } = await startTestLab({ model: answering })
    const session = await openTestSession()
    const agent = countingAgent(new Effects(), client)
    const stop = new AbortController()
    const [first, second] = [session.run(agent, 'one'), session.run(agent, 'two', { signal: stop.signal })]
    second.catch(() => {})
    stop.abort(new Error('never mind'))
    await first
    await expect(second).rejects.toThrow('never mind')
    expect([session.turn, session.hasOpenTurn]).toEqual([1, false])
    await expect(session.run(agent, 'three')).resolves.toMatchObject({ turn: 2 })
    expect(JSON.stringify(lab.requests.at(-1)?.raw)).not.toContain('two')
  })

  test('does not wait for a person whom it has asked', async () => {
    const store = memoryStore()
    const model = ({ messages }: { messages: readonly unknown[] }) =>
      messages.length === 1 ? reply([toolUse('pay', {})]) : reply(text('paid'))
    const { client } = await startTestLab({ model })
    const gate = new Gate()
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      input: z.object({}),
      inDoubt: 'ask',
      run: () => gate.pass().then(() => 'paid'),
    })
    const agent = defineAgent({ name: 'a', client, model: request.model, tools: [pay] })
    const died = await openTestSession(store)
    died.run(agent, 'Pay.').catch(() => {})
    await gate.reached
    const session = await openTestSession(store, { takeover: true })
    const stop = new AbortController()
    let answer: (said: 'rerun') => void = () => {}
    let unwanted: Promise<unknown> = Promise.resolve()
    await new Promise<void>((resolve) => {
      const onInDoubt = () => (resolve(), new Promise<'rerun'>((give) => (answer = give)))
      unwanted = session.run(agent, undefined, { signal: stop.signal, onInDoubt })
      unwanted.catch(() => {})
    })
    const before = (await entriesOf(store)).length
    stop.abort(new Error('never mind'))
    await expect(unwanted).rejects.toThrow('never mind')
    const next = session.run(agent, undefined, { onInDoubt: async () => 'report' })
    await expect(next).resolves.toMatchObject({ text: 'paid' })
    answer('rerun')
    expect((await entriesOf(store)).slice(before).filter(({ type }) => type === 'tool-started')).toEqual([])
  })
})

describe('after a turn that was refused', () => {
  const refusing = ({ messages }: { messages: readonly { content: unknown }[] }) =>
    JSON.stringify(messages).includes('first')
      ? reply([text('I star'), toolUse('count', { n: 1 })], { stopReason: 'refusal' })
      : reply(text('did it'))

  test('the turn after it does not take its place, and other words for it do', async () => {
    const { client, lab } = await startTestLab({ model: refusing })
    const session = await openTestSession()
    const agent = countingAgent(new Effects(), client)
    await expect(session.run(agent, 'first', { turn: 1 })).rejects.toEqual(code('request-failed'))
    await expect(session.run(agent, 'second', { turn: 2 })).rejects.toEqual(code('request-failed'))
    expect([session.turn, session.lastGoodTurn]).toEqual([1, 0])
    expect(lab.requests).toHaveLength(1)
    await expect(session.run(agent, 'put otherwise')).resolves.toMatchObject({ turn: 1, text: 'did it' })
    await expect(session.run(agent, 'second', { turn: 2 })).resolves.toMatchObject({ turn: 2, text: 'did it' })
  })
})

test.each(['after a whole call', 'alone'])('a refusal in the middle of a call, %s, is a refusal', async (where) => {
  const half =
    where === 'alone'
      ? callBlock(1, '{"n":2', 'toolu_b')
      : callBlock(1, '{"n":1}', 'toolu_a') + callBlock(2, '{"n', 'toolu_b')
  const { client, calls } = scriptedClient(() => started() + textBlock(0, 'I star') + half + ended('refusal'))
  const session = await openTestSession()
  const effects = new Effects()
  await expect(session.run(countingAgent(effects, client), 'go')).rejects.toEqual(code('request-failed'))
  expect([effects.runs, calls.length, session.state]).toEqual([[], 1, 'refused'])
})
