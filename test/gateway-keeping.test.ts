/** A client that comes back through another gateway than the one that keeps its session. */
import { memoryStore, openSession, replayed, type SleepOptions, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, test } from 'vitest'
import { api, gatewayOf, goOn, message, saidBy } from './support/counted-answers.ts'
import { hello, idsOf, named, post } from './support/gateway-stage.ts'
import { Gate, jumpingClock } from './support/harness.ts'

test('a session that nobody asks for is given back, also where the wall clock was set back meanwhile', async () => {
  const { fetch } = api()
  let setBackMs = 0
  class SetBack extends ManualClock {
    override now() {
      return super.now() - setBackMs
    }
    override sleepUntil(instant: number, options?: SleepOptions) {
      return super.sleepUntil(instant + setBackMs, options)
    }
  }
  const [store, clock] = [memoryStore(), new SetBack()]
  const gateway = gatewayOf({ store, fetch, clock, idleMs: 10_000 })
  await (await post(gateway, hello, { headers: named })).text()
  expect((await store.summary('ses'))?.holder).not.toBeNull()
  setBackMs = 3_600_000
  await clock.advance(30_000)
  expect((await store.summary('ses'))?.holder).toBeNull()
})

test('a session is kept until its time is over, and for as long as its answer is read on', async () => {
  const gate = new Gate()
  const { fetch, requests } = api(() => (requests.length === 1 ? gate.pass() : undefined))
  const [store, clock] = [memoryStore(), new ManualClock()]
  const gateway = gatewayOf({ store, fetch, clock, idleMs: 10_000, reattachMs: 60_000 })
  const isKept = async () => (await store.summary('ses'))?.holder !== null
  const gone = new AbortController()
  const first = post(gateway, hello, { headers: named, signal: gone.signal })
  await gate.reached
  gone.abort()
  await clock.advance(30_000)
  expect(await isKept()).toBe(true)
  const again = post(gateway, hello, { headers: named })
  gate.open()
  expect(await saidBy(await again)).toBe('answer 1')
  await first
  const next = [{ role: 'assistant', content: 'answer 1' }, ...hello.messages]
  await (await post(gateway, { ...hello, messages: [...hello.messages, ...next] }, { headers: named })).text()
  await clock.advance(9_000)
  expect(await isKept()).toBe(true)
  await clock.advance(5_000)
  expect(await isKept()).toBe(false)
})

test('a session is given back also under a client that stands still in an answer that has ended', async () => {
  const [store, clock] = [memoryStore(), new ManualClock()]
  const events = [...replayed({ ...message('x'), content: [{ type: 'text', text: 'words '.repeat(5_000) }] })]
  const fetch = async () => new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } })
  const gateway = gatewayOf({ store, fetch, clock, idleMs: 10_000 })
  const response = await post(gateway, { ...hello, stream: true }, { headers: named })
  await expect.poll(async () => (await store.summary('ses'))?.head.machine.value).toBe('idle')
  await clock.advance(30_000)
  expect((await store.summary('ses'))?.holder).toBeNull()
  expect(await response.text()).toContain('event: message_stop')
})

test('a gateway that closes gives back also the session of a request that it is just placing', async () => {
  const [gate, memory] = [new Gate(), memoryStore()]
  const store: Store = {
    ...memory,
    async *list(filter) {
      await gate.pass()
      yield* memory.list(filter)
    },
  }
  const { fetch } = api()
  const gateway = gatewayOf({ store, fetch })
  const asked = goOn(gateway, 'said elsewhere').catch(() => {})
  await gate.reached
  const closed = gateway.close()
  gate.open()
  await closed
  const ids = await idsOf(memory)
  expect(ids).toHaveLength(1)
  for (const id of ids) expect((await memory.summary(id))?.holder).toBeNull()
  await asked
})

describe('a session that another gateway keeps', () => {
  const next = (said: string) => ({
    ...hello,
    messages: [...hello.messages, { role: 'assistant', content: said }, { role: 'user', content: 'Go on' }],
  })

  test('goes on here at once, and there again, when no answer of it is in hand', async () => {
    const { fetch, requests } = api()
    const store = memoryStore()
    const [one, other] = [gatewayOf({ store, fetch }), gatewayOf({ store, fetch })]
    const said = await saidBy(await post(one, hello, { headers: named }))
    const here = await post(other, next(said), { headers: named })
    expect([here.status, here.headers.get('x-lastgood-session')]).toEqual([200, 'ses'])
    await here.text()
    // It finds out that it was fenced off, and its client asks again.
    const there = { ...hello, messages: [...hello.messages, { role: 'user', content: 'Otherwise' }] }
    const told = await post(one, there, { headers: named })
    expect([told.status, told.headers.get('x-should-retry')]).toEqual([503, 'true'])
    expect((await post(one, there, { headers: named })).status).toBe(200)
    expect(requests.length).toBeGreaterThanOrEqual(3)
    expect(await idsOf(store)).toEqual(['ses'])
  })

  test.each([
    ['its client runs tools', { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }, 'tool_use'],
    ['the API paused it', { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }, 'pause_turn'],
  ])('goes on here also in the middle of a turn, while %s', async (_why, call, stopReason) => {
    const answers = [{ content: [call], stop_reason: stopReason }]
    const { fetch } = api(() => answers.shift())
    const [store, clock] = [memoryStore(), new ManualClock()]
    await (await post(gatewayOf({ store, fetch, clock }), hello, { headers: named })).text()
    expect((await store.summary('ses'))?.holder).not.toBeNull()
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'done' }] }
    const messages = [...hello.messages, { role: 'assistant', content: [call] }]
    const more = { ...hello, messages: [...messages, ...(stopReason === 'tool_use' ? [result] : [])] }
    const response = await post(gatewayOf({ store, fetch, clock }), more, { headers: named })
    expect([response.status, response.headers.get('x-lastgood-session')]).toEqual([200, 'ses'])
    expect(await saidBy(response)).toBe('answer 2')
  })

  test('stays there while an answer of it is in hand, and no command is named that would break that off', async () => {
    const gate = new Gate()
    const { fetch } = api(() => gate.pass())
    const [store, clock] = [memoryStore(), new ManualClock()]
    const [one, other] = [gatewayOf({ store, fetch, clock }), gatewayOf({ store, fetch, clock })]
    const first = post(one, hello, { headers: named })
    await gate.reached
    const response = await post(other, next('answer 1'), { headers: named })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([503, 'true'])
    const text = await response.text()
    expect(text).toContain('another gateway is handling a request of this session')
    expect(text).not.toContain('--takeover')
    gate.open()
    expect(await saidBy(await first)).toBe('answer 1')
    expect((await post(other, next('answer 1'), { headers: named })).status).toBe(200)
  })

  test('goes on here once nobody came back there for the answer in hand, in an outage, too', async () => {
    let isOut = true
    const { fetch } = api(() => {
      if (isOut) throw new TypeError('fetch failed')
    })
    const [store, clock] = [memoryStore(), new ManualClock()]
    const [one, other] = [gatewayOf({ store, fetch, clock }), gatewayOf({ store, fetch, clock })]
    const client = new AbortController()
    void post(one, hello, { headers: named, signal: client.signal })
    await expect.poll(async () => (await store.summary('ses'))?.head.status).toBe('waiting')
    client.abort()
    await clock.advance(90_000)
    await expect.poll(async () => (await store.summary('ses'))?.holder).toBeNull()
    isOut = false
    const here = post(other, hello, { headers: named })
    // The wait that had begun there holds here.
    await clock.advance(600_000)
    expect((await here).status).toBe(200)
    expect(await idsOf(store)).toEqual(['ses'])
  })

  test('stays with a program that has it, however quiet that is', async () => {
    const { fetch } = api()
    const store = memoryStore()
    const session = await openSession('ses', { store, clock: jumpingClock() })
    await session.record([])
    expect((await post(gatewayOf({ store, fetch }), hello, { headers: named })).status).toBe(503)
    expect(session.signal.aborted).toBe(false)
    await session.close()
  })

  test('is not taken by a request that names none, which may only look as if it belonged there', async () => {
    const { fetch, requests } = api()
    const store = memoryStore()
    const one = gatewayOf({ store, fetch })
    const said = await saidBy(await post(one, hello))
    await goOn(gatewayOf({ store, fetch }), said)
    await goOn(one, said)
    expect(requests).toHaveLength(3)
    expect(await idsOf(store)).toHaveLength(2)
  })
})
