/** Requests beside the conversation, and readers that stop: recorded work is neither overwritten nor held up. */
import type Anthropic from '@anthropic-ai/sdk'
import { defineAgent, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { reply, story, text, toolUse, type ModelFunction } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countTool } from './support/counting-story.ts'
import { code, openTestSession, startTestLab } from './support/harness.ts'

const model = 'claude-opus-5-5'
const request = { model, max_tokens: 500, system: 'You count.', tools: [countTool] }
const user = (content: string): Anthropic.MessageParam => ({ role: 'user', content })
const title = { model, max_tokens: 50, system: 'You write titles.' }

/** Answers titles for who has no tools, and counts once for who has. */
const agentOrTitle: ModelFunction = ({ tools, messages }) => {
  if (tools.length === 0) return reply(text('A title'))
  return messages.length === 1 ? reply([toolUse('count', { n: 1 })]) : reply(text('done'))
}
const words = (messages: readonly { content: unknown }[]) => JSON.stringify(messages)

describe('a title for the same first message', () => {
  test('does not take the place of a finished turn, nor of its system prompt (P1)', async () => {
    const { client } = await startTestLab({ model: ({ tools }) => reply(text(tools.length ? 'done' : 'A title')) })
    const store = memoryStore()
    const session = await openTestSession(store)
    const own = recoverable(client, session)
    await own.messages.create({ ...request, messages: [user('Fix auth')] })
    await own.messages.create({ ...title, messages: [user('Fix auth')] })
    await own.messages.create({ ...title, messages: [...(session.messages() as []), user('Sum it up')] })
    await session.close()
    const later = await openTestSession(store)
    expect(words(later.messages())).toContain('done')
    expect(words(later.messages())).not.toContain('title')
    expect(later.envelope?.body['system']).toBe('You count.')
  })

  test('asked first by a new process leaves a call of unknown outcome in doubt (P2)', async () => {
    const { client } = await startTestLab({ model: agentOrTitle })
    const store = memoryStore()
    const first = recoverable(client, await openTestSession(store))
    await first.messages.create({ ...request, messages: [user('Fix auth')] })
    const second = await openTestSession(store, { takeover: true })
    await recoverable(client, second).messages.create({ ...title, messages: [user('Fix auth')] })
    const third = await openTestSession(store, { takeover: true })
    expect(words(third.messages())).toContain('outcome is unknown')
  })
})

test('a structured helper with a tool does not take the place of a longer chat without tools', async () => {
  const { client } = await startTestLab({ model: () => reply(text('yes')) })
  const session = await openTestSession()
  const own = recoverable(client, session)
  const chat: Anthropic.MessageParam[] = []
  for (const question of ['one', 'two', 'three']) {
    chat.push(user(question))
    const { content } = await own.messages.create({ model, max_tokens: 50, system: 'Plan.', messages: chat })
    chat.push({ role: 'assistant', content })
  }
  await own.messages.create({ ...request, messages: [user('Extract')] })
  expect(session.messages()).toHaveLength(6)
  await own.messages.create({ model, max_tokens: 50, system: 'Plan.', messages: [...chat, user('four')] })
  expect(session.turn).toBe(4)
})

test('a history that is compacted in mid-turn, with the results of its calls, goes on being recorded', async () => {
  const { client } = await startTestLab({
    model: ({ messages }) => (messages.length === 1 ? reply([toolUse('count', { n: 1 })]) : reply(text('done'))),
  })
  const session = await openTestSession()
  const own = recoverable(client, session)
  const { content } = await own.messages.create({ ...request, messages: [user('Begin')] })
  const results = content.flatMap((block) =>
    block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'counted 1' }] : [],
  )
  const compacted = [
    user('Summary: begun.'),
    { role: 'assistant' as const, content },
    { role: 'user' as const, content: results },
  ]
  await own.messages.create({ ...request, messages: compacted })
  expect(session).toMatchObject({ turn: 1, lastGoodTurn: 1 })
  expect(words(session.messages())).toContain('Summary')
})

test('a history that was compacted is the same conversation, also where a line for the accounts changes with it', async () => {
  const { client } = await startTestLab({ model: () => reply(text('done')) })
  const session = await openTestSession()
  const own = recoverable(client, session)
  const asking = (accounts: string, first: string) => ({
    ...request,
    system: ['x-anthropic-billing-header: cc_version=2.1.330.' + accounts, 'You count.'].map((said) => ({
      type: 'text' as const,
      text: said,
    })),
    messages: [user(first)],
  })
  await own.messages.create(asking('232', 'Begin'))
  await own.messages.create(asking('6e9', 'Summary: begun.'))
  expect(words(session.messages())).toContain('Summary')
  expect(session.turn).toBe(2)
})

describe('a stream that its caller stops reading', () => {
  const long = story([reply(text('a long answer, sent in several pieces of text')), reply(text('next'))])

  test('and aborts between two reads does not hold up the next request', async () => {
    const { client } = await startTestLab({ model: () => reply(text('a long answer, sent in several pieces')) })
    const session = await openTestSession()
    const own = recoverable(client, session)
    const stream = await own.messages.create({ ...request, messages: [user('Begin')], stream: true })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    stream.controller.abort()
    const answer = await own.messages.create({ ...request, messages: [user('Begin')] })
    expect(answer.stop_reason).toBe('end_turn')
    expect(session.lastGoodTurn).toBe(1)
  })

  test('after its answer was durable leaves room for the next request', async () => {
    const { client } = await startTestLab({ model: long })
    const session = await openTestSession()
    const own = recoverable(client, session)
    const messages = [user('Begin')]
    for await (const event of await own.messages.create({ ...request, messages, stream: true })) {
      if (event.type !== 'message_stop') continue
      await own.messages.create({ ...request, messages: [...(session.messages() as []), user('And now?')] })
    }
    expect(session.lastGoodTurn).toBe(2)
  })
})

test('cache markers that a loop moves along never pile up, neither in a rewritten request nor on resume', async () => {
  const { client, lab } = await startTestLab({
    model: () => reply(text('yes, and a few words more')),
    outages: [{ when: { request: 2 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } }],
  })
  const store = memoryStore()
  const session = await openTestSession(store)
  const marked = (content: string): Anthropic.MessageParam => ({
    role: 'user',
    content: [{ type: 'text', text: content, cache_control: { type: 'ephemeral' } }],
  })
  let own = recoverable(client, session)
  const history: Anthropic.MessageParam[] = []
  const ask = async (question: string) => {
    const stream = own.messages.stream({ ...request, messages: [...history, marked(question)] })
    history.push(user(question), { role: 'assistant', content: (await stream.finalMessage()).content })
  }
  for (const question of ['1', '2', '3', '4', '5', '6']) await ask(question)
  await session.close()
  const later = await openTestSession(store)
  own = recoverable(client, later)
  await own.messages.create({ ...request, messages: [...(later.messages() as []), marked('7')] })
  expect(lab.requests.filter(({ outcome }) => outcome.kind === 'rejected')).toEqual([])
  expect(later.lastGoodTurn).toBe(7)
})

describe('what the API refused', () => {
  const noModel = { kind: 'status', status: 404, type: 'not_found_error', message: 'model: claude-typo' } as const

  test('is not pinned: mended parameters are sent on resume (P6)', async () => {
    const { client, lab } = await startTestLab({
      model: () => reply(text('done')),
      outages: [{ when: { requests: [1, 9], model: 'claude-typo' }, fault: noModel }],
    })
    const store = memoryStore()
    const session = await openTestSession(store)
    const typo = defineAgent({ name: 'coder', client, model: 'claude-typo' })
    await expect(session.run(typo, 'Begin')).rejects.toEqual(code('request-failed'))
    await session.close()
    const later = await openTestSession(store)
    await expect(later.run(defineAgent({ name: 'coder', client, model }))).resolves.toMatchObject({ text: 'done' })
    expect(lab.requests).toHaveLength(2)
  })

  test('gives way to other words, in the same process and in another; good turns stay (P1, P6)', async () => {
    const tooLarge = { kind: 'status', status: 413 } as const
    const { client } = await startTestLab({
      model: () => reply(text('fine')),
      outages: [{ when: { requests: [1, 99], contains: 'huge' }, fault: tooLarge }],
    })
    const store = memoryStore()
    const session = await openTestSession(store)
    const agent = defineAgent({ name: 'coder', client, model })
    await session.run(agent, 'small')
    await expect(session.run(agent, 'huge')).rejects.toEqual(code('request-failed'))
    await expect(session.run(agent, 'smaller')).resolves.toMatchObject({ turn: 2, text: 'fine' })
    await expect(session.run(agent, 'huge again')).rejects.toEqual(code('request-failed'))
    await session.close()
    const later = await openTestSession(store, { machineVersion: 'of a redeploy' })
    await expect(later.run(agent, 'small again')).resolves.toMatchObject({ turn: 3, text: 'fine' })
    expect(later.messages()).toHaveLength(6)
  })
})

test('the same words for two turns are two runs', async () => {
  const { client } = await startTestLab({ model: () => reply(text('yes')) })
  const session = await openTestSession()
  const agent = defineAgent({ name: 'coder', client, model })
  const runs = [session.run(agent, 'continue', { turn: 1 }), session.run(agent, 'continue', { turn: 2 })]
  expect((await Promise.all(runs)).map(({ turn }) => turn)).toEqual([1, 2])
})

test('twenty helpers at a time are no leak of listeners', async () => {
  const { client } = await startTestLab({ model: () => reply(text('yes')) })
  const helper = recoverable(client, await openTestSession(), { record: false })
  const warnings: Error[] = []
  const hear = (warning: Error) => void warnings.push(warning)
  process.on('warning', hear)
  try {
    await Promise.all(Array.from({ length: 20 }, () => helper.messages.create({ ...title, messages: [user('x')] })))
    await new Promise(setImmediate)
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', hear)
  }
})
