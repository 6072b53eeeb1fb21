/** Sessions of one store share the health of a provider: one probes for all, the others wait and start one by one. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore, openSession, providerHealth, type Entry } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createLab, reply, text, type Outage } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import Anthropic from '@anthropic-ai/sdk'
import { entriesOf, startTestLab } from './support/harness.ts'
import { hangAfter, scriptedClient, started } from './support/scripted-api.ts'

const model = 'claude-opus-5-5'
const minute = 60_000

/** Sessions on one store and one clock, and a lab that runs on it as well. */
async function fleet(count: number, outages: readonly Outage[]) {
  const clock = new ManualClock({ autoAdvance: true })
  const start = clock.now()
  const lab = createLab({
    model: () => reply(text('ok')),
    outages: [...outages],
    now: () => clock.now(),
    sleep: (ms) => clock.sleepUntil(clock.now() + ms),
  })
  onTestFinished(() => lab.close())
  const store = memoryStore()
  const sessions = await Promise.all(
    Array.from({ length: count }, (_, at) => openSession(`ses-${at}`, { store, clock })),
  )
  onTestFinished(async () => void (await Promise.all(sessions.map((session) => session.close().catch(() => {})))))
  const asks = sessions.map((session, at) => {
    const client = new Anthropic({ baseURL: lab.url, apiKey: 'k', fetch: lab.fetch, logLevel: 'off' })
    const own = recoverable(client, session)
    const messages = [{ role: 'user' as const, content: `session ${at}` }]
    return () => own.messages.create({ model, max_tokens: 50, messages })
  })
  const journals = () => Promise.all(sessions.map((session) => entriesOf(store, session.id)))
  return { clock, start, lab, store, sessions, asks, journals }
}

const sentAt = (journal: readonly Entry[]) =>
  journal.flatMap((entry) => (entry.type === 'request-sent' ? [entry.at] : []))

test('while a wall stands one session at a time probes, and after it the others come back spread out', async () => {
  const wall: Outage = { when: { window: [0, 10 * minute] }, fault: { kind: 'status', status: 529 } }
  const { start, lab, asks, journals } = await fleet(40, [wall])
  const answers = await Promise.all(asks.map((ask) => ask()))
  expect(answers).toHaveLength(40)
  const failed = lab.requests.filter(({ outcome }) => outcome.kind !== 'ok').length
  // Without the breaker: 40 sessions, each some 15 times.
  expect(failed).toBeLessThan(40 + 40)
  const back = (await journals()).map((journal) => (sentAt(journal).at(-1) ?? 0) - start - 10 * minute)
  expect(Math.max(...back)).toBeLessThan(5 * minute)
  const perSecond = new Map<number, number>()
  for (const at of back) perSecond.set(Math.floor(at / 1_000), (perSecond.get(Math.floor(at / 1_000)) ?? 0) + 1)
  expect(Math.max(...perSecond.values())).toBeLessThan(12)
})

test('a wait for the breaker is an instant in the journal, and a new process goes on waiting for it', async () => {
  const { lab, client } = await startTestLab({
    model: () => reply(text('ok')),
    outages: [{ when: { requests: [1, 8] }, fault: { kind: 'status', status: 500 } }],
  })
  const store = memoryStore()
  const clock = new ManualClock({ autoAdvance: true })
  const first = await openSession('a', { store, clock })
  const own = recoverable(client, first)
  await own.messages.create({ model, max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] })
  const held = (await entriesOf(store, 'a')).filter((entry) => entry.type === 'request-held')
  expect(held.every((entry) => entry.until >= entry.at && entry.reason.includes('circuit breaker'))).toBe(true)
  expect(lab.requests).toHaveLength(9)
  await first.close()
})

test('a partial outage of one request in ten opens no breaker', async () => {
  const partial: Outage = { when: { window: [0, Infinity], rate: 0.1 }, fault: { kind: 'status', status: 500 } }
  const { asks, journals } = await fleet(40, [partial])
  await Promise.all(asks.map((ask) => ask()))
  expect((await journals()).flat().filter(({ type }) => type === 'request-held')).toEqual([])
})

test('a login outage that hits many sessions is waited out; credentials that fail for one are not', async () => {
  const outage: Outage = { when: { window: [0, 30 * minute] }, fault: { kind: 'status', status: 401 } }
  const { asks } = await fleet(6, [outage])
  const settled = await Promise.allSettled(asks.map((ask) => ask()))
  const codes = settled.map((one) => (one.status === 'rejected' ? (one.reason as { code?: string }).code : 'ok'))
  // The first ones cannot know; from the third on it is an outage.
  expect(codes.filter((code) => code === 'ok').length).toBeGreaterThanOrEqual(3)
  expect(codes.every((code) => code === 'ok' || code === 'session-suspended')).toBe(true)
  const alone = await fleet(1, [outage])
  await expect(alone.asks[0]?.()).rejects.toMatchObject({ code: 'session-suspended' })
  expect(alone.lab.requests).toHaveLength(2)
})

test('P6: a session that is only held gives up when the policy says, with an instant for the next try', async () => {
  const wall: Outage = { when: { window: [0, Infinity] }, fault: { kind: 'status', status: 529 } }
  const { store, clock, lab } = await fleet(1, [wall])
  const others = await Promise.all(
    ['a', 'b', 'c'].map((id) => openSession(id, { store, clock, policy: { horizonMs: 20 * minute } })),
  )
  const settled = await Promise.allSettled(
    others.map((session) =>
      recoverable(
        new Anthropic({ baseURL: lab.url, apiKey: 'k', fetch: lab.fetch, logLevel: 'off' }),
        session,
      ).messages.create({
        model,
        max_tokens: 9,
        messages: [{ role: 'user', content: session.id }],
      }),
    ),
  )
  for (const [at, one] of settled.entries()) {
    expect(one).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'session-suspended',
        message: expect.stringContaining('the next try would be later than 20 min without progress'),
        hint: expect.stringContaining('to continue, start its own program again'),
      },
    })
    expect(others[at]?.context.wakeAt).toBeGreaterThan(clock.now() - 1)
    expect((await store.summary(others[at]?.id ?? ''))?.head).toMatchObject({
      status: 'suspended',
      dueAt: others[at]?.context.wakeAt,
    })
  }
  await Promise.all(others.map((session) => session.close()))
})

test('a probe that its caller breaks off goes to the next session that asks', async () => {
  const clock = new ManualClock()
  const store = memoryStore()
  const health = providerHealth(store.shared, clock)
  const key = { endpoint: 'http://scripted.test', model }
  for (const session of ['x', 'y', 'x', 'y', 'x'])
    await health.report(key, session, { kind: 'fault', fault: 'overloaded' })
  await clock.advance(2 * minute)
  const { client, reached } = (() => {
    const hanging = hangAfter(started())
    return { client: scriptedClient((call) => hanging.stream(call)).client, reached: hanging.reached }
  })()
  const session = await openSession('prober', { store, clock })
  const stop = new AbortController()
  const request = { model, max_tokens: 9, stream: true as const, messages: [{ role: 'user' as const, content: 'hi' }] }
  const stream = await recoverable(client, session).messages.create(request, { signal: stop.signal })
  const reading = (async () => {
    for await (const _event of stream) continue
  })()
  await reached
  expect(await health.admit(key, 'other', { waited: true, random: 0 })).toMatchObject({ kind: 'wait' })
  stop.abort()
  await reading.catch(() => {})
  await session.close()
  expect(await health.admit(key, 'other', { waited: true, random: 0 })).toMatchObject({ kind: 'probe' })
})
