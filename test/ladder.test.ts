/** The fallback ladder, end to end: which model takes over a turn, which takes it back, and what is recorded. */
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { reply, story, text, thinking, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { entriesOf, openTestSession, startTestLab } from './support/harness.ts'

const [opus, sonnet, haiku] = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'] as const
const answers = story([
  reply([thinking('Think.'), text('one')]),
  reply([thinking('Again.'), text('two')]),
  reply([thinking('Once more.'), text('three')]),
])
const down = (model: string, requests: [number, number] = [1, Infinity], status = 529): Outage => ({
  when: { requests, model },
  fault: { kind: 'status', status },
})

async function laddered(outages: Outage[], rungs = ladder(opus, sonnet, haiku)) {
  const { lab, client } = await startTestLab({ model: answers, outages })
  const store = memoryStore()
  const session = await openTestSession(store)
  const agent = defineAgent({ name: 'coder', client, model: rungs, system: 'You code.', maxTokens: 4_000 })
  const models = () => lab.requests.filter(({ path }) => path.endsWith('/messages')).map(({ body }) => body?.['model'])
  return { lab, client, store, session, agent, models }
}

describe('a model that is overloaded', () => {
  test('gives the turn to the next rung, and takes the next turn back', async () => {
    const { session, agent, models, store } = await laddered([down(opus, [1, 2])])
    await expect(session.run(agent, 'first')).resolves.toMatchObject({ text: 'one' })
    await expect(session.run(agent, 'second')).resolves.toMatchObject({ text: 'two' })
    expect(models()).toEqual([opus, opus, sonnet, opus])
    const changes = (await entriesOf(store)).filter((entry) => entry.type === 'rung-changed')
    expect(changes).toMatchObject([{ rung: 1, model: sonnet, reason: '529 overloaded' }])
  })

  test('keeps the whole turn on the rung that took it, and thinking of each model in the record', async () => {
    const { session, agent, store, lab } = await laddered([down(opus, [1, 2])])
    await session.run(agent, 'first')
    await session.run(agent, 'second')
    const made = (await entriesOf(store)).flatMap((entry) =>
      entry.type === 'response-received' ? [entry.message.model] : [],
    )
    expect(made).toEqual([sonnet, opus])
    // The model that comes back gets the other's thinking as it was: what it cannot read the API leaves out.
    expect(JSON.stringify(lab.requests.at(-1)?.body)).toContain('Think.')
    expect(lab.requests.every(({ violation }) => violation === undefined)).toBe(true)
  })

  test('and whose breaker is open is not asked at the next turn: the first rung that is up is', async () => {
    const { session, agent, models } = await laddered([down(opus), down(sonnet, [1, 4])])
    await session.run(agent, 'first')
    expect(models()).toEqual([opus, opus, sonnet, sonnet, haiku])
    await session.run(agent, 'second')
    expect(
      models()
        .slice(5)
        .filter((model) => model === opus).length,
    ).toBeLessThanOrEqual(2)
  })
})

test('a model that is gone is left at once, and the stored conversation names the model that was asked for', async () => {
  const gone: Outage = {
    when: { requests: [1, Infinity], model: opus },
    fault: { kind: 'status', status: 404, type: 'not_found_error', message: `model: ${opus}` },
  }
  const { session, agent, models } = await laddered([gone])
  await expect(session.run(agent, 'first')).resolves.toMatchObject({ text: 'one' })
  expect(models()).toEqual([opus, sonnet])
  expect(session.envelope?.body.model).toBe(opus)
  await session.run(agent, 'second')
  expect(models()).toEqual([opus, sonnet, sonnet])
})

test('spend, credentials and refused requests never change the model', async () => {
  const refused = { kind: 'status', status: 400, type: 'invalid_request_error', message: 'That will not do' } as const
  for (const fault of [{ kind: 'status', status: 402 } as const, { kind: 'status', status: 403 } as const, refused]) {
    const { session, agent, models } = await laddered([{ when: { requests: [1, Infinity] }, fault }])
    await expect(session.run(agent, 'first')).rejects.toThrow()
    expect(models()).toEqual([opus])
  }
})

test('a rung at another client is asked at its address, with its credentials and versions of the request', async () => {
  const other = await startTestLab({ model: answers })
  const elsewhere = new Anthropic({ baseURL: other.lab.url, apiKey: 'another key', logLevel: 'off' })
  const { client, lab } = await startTestLab({ model: answers, outages: [down(opus)] })
  const session = await openTestSession()
  const own = recoverable(client, session, { ladder: ladder(opus, { model: opus, client: elsewhere }) })
  const request = { model: opus, max_tokens: 100, messages: [{ role: 'user' as const, content: 'first' }] }
  const streamed = await own.messages.stream(request).finalMessage()
  expect(streamed.content.at(-1)).toMatchObject({ text: 'one' })
  expect(lab.requests.filter(({ path }) => path.endsWith('/messages'))).toHaveLength(2)
  const [first] = other.lab.requests.filter(({ path }) => path.endsWith('/messages'))
  expect(JSON.stringify(first?.headers)).toContain('another key')
  expect(JSON.stringify(first?.headers)).not.toContain('Bearer test')
})

test('a rung whose window cannot hold the conversation is no rung', async () => {
  const { session, client, lab } = await laddered([down(opus, [1, 3])])
  const own = recoverable(client, session, { ladder: ladder(opus, 'claude-haiku-4-5') })
  const content = 'long '.repeat(200_000)
  await own.messages.create({ model: opus, max_tokens: 100, messages: [{ role: 'user', content }] })
  expect(lab.requests.map(({ body }) => body?.['model'])).toEqual([opus, opus, opus, opus])
})

test('where nothing answers, another model at the same place is no way out', async () => {
  const unreachable: Outage = { when: { requests: [1, 12] }, fault: { kind: 'reset', at: 'before-headers' } }
  const { session, agent, models } = await laddered([unreachable])
  await expect(session.run(agent, 'first')).resolves.toMatchObject({ text: 'one' })
  expect(new Set(models())).toEqual(new Set([opus]))
})

test('a rate limit changes no model: the cache would be cold, there and back', async () => {
  const limited: Outage = {
    when: { request: 1 },
    fault: { kind: 'status', status: 429, headers: { 'retry-after': '30' } },
  }
  const { session, agent, models } = await laddered([limited])
  await session.run(agent, 'first')
  expect(models()).toEqual([opus, opus])
})
