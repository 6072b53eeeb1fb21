/** A conversation counts as poisoned only if requests of two words are answered, one after another. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore, openSession, type Entry } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createLab, reply, text, type Outage } from '@lastgood/outage-lab'
import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answeringClient, failed, model, unanswered, user, whole, type Call } from './support/answering-api.ts'
import { entriesOf, jumpingClock, openTestSession } from './support/harness.ts'

const minute = 60_000
const tools = [{ name: 'read', input_schema: { type: 'object' as const } }]
const isPing = ({ body }: Call) => body?.max_tokens === 1

/** A conversation whose tool has brought a lot: what a repair of a poisoned one would leave out. */
const conversation = (at: number): Anthropic.MessageParam[] => [
  user(`session ${at}`),
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }] },
  user([{ type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'what took an hour to learn. '.repeat(400) }]),
]

/** Sessions of one store that all ask through these outages. */
async function fleet(count: number, outages: Outage[]) {
  const clock = new ManualClock({ autoAdvance: true, seed: 7 })
  const lab = createLab({
    model: () => reply(text('ok')),
    outages,
    now: () => clock.now(),
    sleep: (ms) => clock.sleepUntil(clock.now() + ms),
  })
  onTestFinished(() => lab.close())
  const store = memoryStore()
  const ask = async (at: number) => {
    const session = await openSession(`ses-${at}`, { store, clock })
    onTestFinished(() => session.close())
    const client = new Anthropic({ baseURL: lab.url, apiKey: 'k', fetch: lab.fetch, logLevel: 'off' })
    const request = { model, max_tokens: 50, tools, messages: conversation(at) }
    return recoverable(client, session).messages.create(request)
  }
  const settled = await Promise.allSettled(Array.from({ length: count }, (_, at) => ask(at)))
  const journals = await Promise.all(settled.map((_one, at) => entriesOf(store, `ses-${at}`)))
  return { failed: settled.filter(({ status }) => status === 'rejected'), journals: journals.flat() }
}

const poisoned = (entry: Entry) => entry.type === 'fault-observed' && entry.fault.kind === 'poisoned'
const edited = (entry: Entry) => entry.type === 'transcript-repaired' && entry.edits.length > 0

describe('is not taken for poison, and nothing is left out for it', () => {
  const error500 = { kind: 'status', status: 500 } as const
  const outages: [claim: string, sessions: number, outages: Outage[]][] = [
    ...[0.7, 0.8, 0.9].map((rate): [string, number, Outage[]] => [
      `an outage of ${rate * 10} in 10 requests for half an hour`,
      30,
      [{ when: { window: [0, 30 * minute], rate }, fault: error500 }],
    ]),
    [
      'an outage that lets up for ten seconds of every minute',
      20,
      Array.from({ length: 30 }, (_, at) => ({
        when: { window: [at * minute, at * minute + 50_000] },
        fault: error500,
      })),
    ],
  ]
  test.each(outages)('%s', async (_claim, sessions, during) => {
    const { failed: gaveUp, journals } = await fleet(sessions, during)
    expect(gaveUp).toEqual([])
    expect(journals.filter(poisoned)).toEqual([])
    expect(journals.filter(edited)).toEqual([])
  })
})

test('a request that fails while five of two words are answered in a row is poisoned', async () => {
  const api = answeringClient((call) => (isPing(call) ? whole('pong') : failed(500)))
  const store = memoryStore()
  const session = await openTestSession(store)
  const request = { model, max_tokens: 50, tools, messages: conversation(1) }
  await expect(recoverable(api.client, session).messages.create(request)).rejects.toThrow()
  expect((await entriesOf(store)).some(poisoned)).toBe(true)
  expect(api.calls.filter(isPing)).toHaveLength(5)
})

test('and so it is if the client has a login, which the API takes only with its beta and the words that it begins with', async () => {
  const system = ['x-anthropic-billing-header: cc_version=2.1.', 'You are a client.', 'Long prompt. '.repeat(99)].map(
    (said) => ({ type: 'text' as const, text: said, cache_control: { type: 'ephemeral' as const } }),
  )
  const pinged: unknown[] = []
  const fetch = async (_url: unknown, init: RequestInit = {}) => {
    const { system: said, max_tokens } = JSON.parse(init.body as string) as { system?: unknown; max_tokens: number }
    if (max_tokens !== 1) return failed(500)
    pinged.push([new Headers(init.headers).get('anthropic-beta'), said])
    return whole('pong')
  }
  const client = new Anthropic({
    authToken: 't',
    apiKey: null,
    baseURL: 'http://scripted.test',
    logLevel: 'off',
    fetch,
  })
  const store = memoryStore()
  const own = recoverable(client, await openTestSession(store))
  const request = { model, max_tokens: 50, tools, system, messages: conversation(1) }
  const headers = { 'anthropic-beta': 'claude-code-20250219,oauth-2025-04-20' }
  await expect(own.messages.create(request, { headers })).rejects.toThrow()
  expect((await entriesOf(store)).some(poisoned)).toBe(true)
  const beginning = system.slice(0, 2).map(({ type, text: said }) => ({ type, text: said }))
  expect(pinged).toEqual(Array.from({ length: 5 }, () => ['oauth-2025-04-20', beginning]))
})

test('a request is not poisoned when one of those is not answered', async () => {
  let pings = 0
  const api = answeringClient((call) => {
    if (isPing(call)) return (pings += 1) < 5 ? whole('pong') : failed(500)
    return pings < 5 ? failed(500) : whole('ok')
  })
  const store = memoryStore()
  const session = await openTestSession(store)
  const request = { model, max_tokens: 50, tools, messages: conversation(1) }
  await expect(recoverable(api.client, session).messages.create(request)).resolves.toBeDefined()
  expect(pings).toBe(5)
  expect((await entriesOf(store)).some(poisoned)).toBe(false)
})

describe('a request of two words that is never answered', () => {
  test("ends with its caller's abort", async () => {
    const stop = new AbortController()
    const api = answeringClient((call) => {
      if (!isPing(call)) return failed(500)
      const never = unanswered(call)
      queueMicrotask(() => stop.abort())
      return never
    })
    const session = await openTestSession()
    const asked = recoverable(api.client, session).messages.create(
      { model, max_tokens: 50, messages: [user('hi')] },
      { signal: stop.signal },
    )
    await expect(asked).rejects.toThrow()
    expect(api.calls.filter(isPing)).toHaveLength(1)
    expect(api.calls.at(-1)).toSatisfy(isPing)
  })

  test('is given up after twenty seconds, and says that the model is down', async () => {
    const clock = jumpingClock()
    const ended: boolean[] = []
    let isUp = false
    const api = answeringClient((call) => {
      if (!isPing(call)) return isUp ? whole('ok') : failed(500)
      isUp = true
      void (async () => {
        await clock.advance(19_999)
        ended.push(call.signal.aborted)
        await clock.advance(1)
        ended.push(call.signal.aborted)
      })()
      return unanswered(call)
    })
    const store = memoryStore()
    const session = await openTestSession(store, { clock })
    const own = recoverable(api.client, session)
    await expect(own.messages.create({ model, max_tokens: 50, messages: [user('hi')] })).resolves.toBeDefined()
    expect(ended).toEqual([false, true])
    expect(api.calls.filter(isPing)).toHaveLength(1)
    expect((await entriesOf(store)).some(poisoned)).toBe(false)
  })
})
