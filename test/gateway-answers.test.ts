/** What becomes of an answer at the gateway: refused, waited for, broken off. */
import { memoryStore, type Lease, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { reply, text } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { message, streamed } from './support/counted-answers.ts'
import { failing, hello, impatient, named, post, setUp } from './support/gateway-stage.ts'
import { entriesOf, Gate, watched } from './support/harness.ts'

describe('a failure that is not survived', () => {
  test('has the status and the body of the API, and says that asking again does not help (P8)', async () => {
    const { gateway } = await setUp({ lab: { outages: [failing(400)] } })
    const response = await post(gateway, hello, { headers: named })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([400, 'false'])
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  test.each([true, false])('after the last attempt is an error in the form of the API (stream: %s)', async (stream) => {
    const { gateway } = await setUp({ lab: { outages: [failing(529)] }, gateway: impatient })
    const response = await post(gateway, { ...hello, stream }, { headers: named })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([529, 'false'])
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: {
        type: 'overloaded_error',
        message: expect.stringContaining('with the session id ses it continues') as string,
      },
    })
  })

  test('until a time that the API named says how long that is, for clients that ask again by themselves (P8)', async () => {
    const fault = { kind: 'status' as const, status: 429, headers: { 'retry-after': '7200' } }
    const { gateway } = await setUp({ lab: { outages: [{ when: { request: 1 }, fault }] } })
    const response = await post(gateway, { ...hello, stream: true }, { headers: named })
    // The draw on top is small.
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^720\d$/)])
  })

  const limits = {
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': '4102444800',
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  }
  const limited = { 'retry-after': '7200', ...limits, 'x-else': '1' }
  const used = { type: 'error', error: { type: 'rate_limit_error', message: 'used up' } }

  test.each([
    ['with its status', 429, true, () => Response.json(used, { status: 429, headers: limited })],
    ['in place of an answer', 529, false, () => Response.json(used, { headers: limited })],
  ])(
    'says which window of a plan is used up, as the API said it %s: clients come back by it',
    async (_, status, stream, answer) => {
      const { gateway } = await setUp({ gateway: { fetch: async () => answer() } })
      const response = await post(gateway, { ...hello, stream }, { headers: named })
      expect(response.status).toBe(status)
      expect(Object.fromEntries(response.headers)).toMatchObject(limits)
      expect(response.headers.has('x-else')).toBe(false)
    },
  )

  test.each(['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN'])(
    'because of the set-up of this machine (%s) is no overload, and asking again does not help',
    async (code) => {
      const fetch = () => Promise.reject(Object.assign(new Error('a certificate'), { code }))
      const { gateway } = await setUp({ gateway: { fetch } })
      for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
        const response = await post(gateway, hello, { path, headers: named })
        expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false'])
        expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } })
      }
    },
  )

  test('in the middle of a stream ends it with an error event, and never as if it were whole', async () => {
    const outages = [
      {
        when: { requests: [1, Infinity] as [number, number] },
        fault: { kind: 'cut' as const, after: { inside: 'text' as const }, how: 'end' as const },
      },
    ]
    const { gateway } = await setUp({
      lab: { model: () => reply(text('a long answer '.repeat(20))), outages },
      gateway: impatient,
    })
    const events = await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
    expect(events).toContain('event: content_block_delta')
    expect(events).not.toContain('event: message_stop')
    expect(events.trim().split('\n').at(-2)).toBe('event: error')
  })

  test('of a store that hangs is told in time, and no further request waits behind it (P5)', async () => {
    const store = memoryStore()
    const clock = new ManualClock()
    let hangs = true
    const summary: Store['summary'] = (id) => (hangs ? new Promise(() => {}) : store.summary(id))
    const { gateway: other } = await setUp({ lab: { model: () => reply(text('hi')) }, gateway: { store } })
    await (await post(other, hello, { headers: named })).text()
    const { gateway } = await setUp({
      lab: { model: () => reply(text('hi')) },
      gateway: { store: { ...store, summary }, clock },
    })
    const next = { ...hello, messages: [...hello.messages, { role: 'user', content: 'Go on' }] }
    const hanging = post(gateway, next, { headers: named })
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(15_000)
    expect((await hanging).status).toBe(503)
    hangs = false
    expect((await post(gateway, next, { headers: named })).status).toBe(200)
  })

  test('of the store is told as one, and the next request finds it well again (P5)', async () => {
    let isFull = true
    const watch = watched(() => isFull)
    const { gateway, lab } = await setUp({ lab: { model: () => reply(text('hi')) }, gateway: { store: watch.store } })
    const first = await post(gateway, hello, { headers: named })
    expect([first.status, first.headers.get('x-should-retry')]).toEqual([503, 'true'])
    expect(lab.requests).toHaveLength(0)
    isFull = false
    expect((await post(gateway, hello, { headers: named })).status).toBe(200)
  })
})

describe('a long wait', () => {
  /** The API hangs before its headers until the gate opens. */
  async function waiting(options: GatewayOptions = {}) {
    const clock = new ManualClock()
    const gate = new Gate()
    const store = memoryStore()
    const gateway = createGateway({
      ...options,
      clock,
      store,
      fetch: async (_url, init) => {
        await new Promise<void>((resolve, reject) => {
          init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error))
          void gate.pass().then(resolve)
        })
        const { stream = false } = (await new Response(init.body).json()) as { stream?: boolean }
        return stream ? streamed(whole) : Response.json(whole)
      },
    })
    onTestFinished(() => gateway.close())
    return { clock, gate, gateway, store }
  }
  const whole = message('hi')

  test('of a stream becomes a 200 with pings, and then the answer', async () => {
    const { clock, gate, gateway } = await waiting()
    const asked = post(gateway, { ...hello, stream: true }, { headers: named })
    await gate.reached
    await clock.advance(20_000)
    const response = await asked
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const first = reader?.read()
    await clock.advance(10_000)
    expect((await first)?.value).toBe('event: ping\ndata: {"type":"ping"}\n\n')
    gate.open()
    let rest = ''
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) rest += piece.value
    expect(rest.match(/event: message_start/g)).toHaveLength(1)
    expect(rest).toContain('event: message_stop')
  })

  test('does not keep the gateway from being stopped, and the next one goes on with the session', async () => {
    const { clock, gate, gateway, store } = await waiting()
    const asked = post(gateway, { ...hello, stream: true }, { headers: named })
    await gate.reached
    const closed = gateway.close()
    await expect.poll(() => clock.sleepers.some(({ background }) => !background)).toBe(true)
    await clock.advance(10_000)
    await closed
    const told = await asked
    expect([told.status, told.headers.get('x-should-retry')]).toEqual([502, 'true'])
    expect((await store.summary('ses'))?.holder).toBeNull()
    const next = createGateway({ store, clock, drainMs: 0, fetch: async () => Response.json(whole) })
    onTestFinished(() => next.close())
    expect((await post(next, hello, { headers: named })).status).toBe(200)
    expect((await store.summary('ses'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 1 })
  })

  async function waitingWhole(options: GatewayOptions = {}) {
    const world = await waiting({ limits: { wholeAnswerMs: 1e9 }, ...options })
    const asked = post(world.gateway, hello, { headers: named })
    await world.gate.reached
    await world.clock.advance(280_000)
    const response = await asked
    return { ...world, response, reader: response.body!.pipeThrough(new TextDecoderStream()).getReader() }
  }

  test('of an answer that does not stream becomes a 200 with blanks, and then the answer', async () => {
    const { clock, gate, response, reader, store } = await waitingWhole()
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    let said = ''
    for (const _twice of [1, 2]) {
      const next = reader.read()
      await clock.advance(10_000)
      said += (await next).value
    }
    expect(said).toBe('  ')
    gate.open()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) said += piece.value
    expect(JSON.parse(said)).toEqual(whole)
    expect((await entriesOf(store)).filter(({ type }) => type === 'request-sent')).toHaveLength(1)
  })

  test('of an answer that does not stream ends with words that nobody takes for one, where there is none', async () => {
    const { gateway, reader } = await waitingWhole({ drainMs: 0 })
    const told = reader.read()
    await gateway.close()
    expect((await told).value).toMatch(
      /^api_error: lastgood: .*the gateway was stopped; send the same request again to continue$/,
    )
    expect((await reader.read()).done).toBe(true)
  })

  test('of an answer that does not stream can be left, and who comes back gets that very answer', async () => {
    const { gateway, gate, reader, store } = await waitingWhole()
    await reader.cancel()
    const again = post(gateway, hello, { headers: named })
    gate.open()
    expect(await (await again).json()).toEqual(whole)
    expect((await entriesOf(store)).filter(({ type }) => type === 'request-sent')).toHaveLength(1)
  })
})

describe('when the gateway is closed', () => {
  const whole = { ...message('hi'), content: [{ type: 'text', text: 'word '.repeat(1000) }] }

  /** The API answers, or not until the gate opens. */
  function closing(answer: () => Response, clock = new ManualClock()) {
    const gate = new Gate()
    const fetch = async () => {
      await gate.pass()
      return answer()
    }
    return { clock, gate, gateway: createGateway({ clock, fetch }) }
  }

  test.each([true, false])(
    'a client that is behind has all of an answer that ends in time (stream: %s)',
    async (stream) => {
      const { gate, gateway } = closing(() => (stream ? streamed(whole) : Response.json(whole)))
      const asked = post(gateway, { ...hello, stream }, { headers: named })
      await gate.reached
      const closed = gateway.close()
      gate.open()
      const response = await asked
      await new Promise((resolve) => setImmediate(resolve))
      const said = await response.text()
      await closed
      expect(said.includes('event: message_stop')).toBe(stream)
      expect(said).toContain('word word')
    },
  )

  test('what passes has its time, too', async () => {
    const { gate, gateway } = closing(() => Response.json({ input_tokens: 1 }))
    let isClosed = false
    const asked = post(gateway, hello, { path: '/v1/messages/count_tokens' })
    await gate.reached
    const closed = gateway.close().then(() => (isClosed = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    gate.open()
    expect(await (await asked).json()).toEqual({ input_tokens: 1 })
    await closed
  })

  test('an answer is waited for although another session cannot be released', async () => {
    const gate = new Gate()
    const store = memoryStore()
    const release = async (lease: Lease) => {
      if (lease.sessionId === 'other') throw new Error('the store is gone')
      await store.release(lease)
    }
    const fetch: GatewayOptions['fetch'] = async (_url, { body }) => {
      if ((await new Response(body).text()).includes('Wait')) await gate.pass()
      return Response.json(whole)
    }
    const gateway = createGateway({ clock: new ManualClock(), store: { ...store, release }, fetch })
    await (await post(gateway, hello, { headers: { 'x-lastgood-session': 'other' } })).text()
    const waits = { ...hello, messages: [{ role: 'user', content: 'Wait' }] }
    const asked = post(gateway, waits, { headers: named })
    await gate.reached
    let isClosed = false
    const closed = gateway.close().then(() => (isClosed = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    gate.open()
    expect(await (await asked).text()).toContain('word word')
    await closed
  })

  test('nobody who does not read keeps it longer than the time that it gives', async () => {
    const { clock, gate, gateway } = closing(() => streamed(whole))
    const asked = post(gateway, { ...hello, stream: true }, { headers: named })
    gate.open()
    await asked
    const closed = gateway.close()
    await expect.poll(() => clock.sleepers.some(({ background }) => !background)).toBe(true)
    await clock.advance(10_000)
    await closed
  })
})

test('a client that has gone before it had anything is not waited for', async () => {
  const clock = new ManualClock()
  const { gateway } = await setUp({ gateway: { clock, reattachMs: 1000 }, lab: { model: () => reply(text('hi')) } })
  await (await post(gateway, hello, { headers: named, signal: AbortSignal.abort() })).text()
  await clock.advance(5000)
  const later = { ...hello, messages: [...hello.messages, { role: 'user', content: 'Again' }] }
  expect((await post(gateway, later, { headers: named })).headers.get('x-lastgood-session')).toBe('ses')
})
