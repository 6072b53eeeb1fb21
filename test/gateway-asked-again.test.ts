/** The same question again, to a gateway that has its answer in hand or has just recorded it: it is paid for once. */
import { memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { reply, text } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { message, streamed } from './support/counted-answers.ts'
import { failing, hello, idsOf, impatient, named, post, setUp, type SetUp } from './support/gateway-stage.ts'
import { Gate, jumpingClock, slowStore } from './support/harness.ts'

const whole = message('words words')
const inForm = (body: unknown) => (String(body).includes('"stream":true') ? streamed(whole) : Response.json(whole))
const turn = () => new Promise((resolve) => setImmediate(resolve))

function stage(answer: (body: unknown) => Promise<Response>, options: GatewayOptions = {}) {
  let requests = 0
  const fetch: GatewayOptions['fetch'] = (_input, init) => {
    requests += 1
    return answer(init?.body)
  }
  const clock = new ManualClock()
  const store = options.store ?? memoryStore()
  const gateway = createGateway({ clock, fetch, store, drainMs: 0, ...options })
  onTestFinished(() => gateway.close())
  return { clock, store, gateway, requests: () => requests }
}

/** A client has asked, and gone while `gate` was shut. */
async function left(
  world: ReturnType<typeof stage>,
  gate: Gate,
  body: object,
  headers: Record<string, string> = named,
) {
  const gone = new AbortController()
  const asked = post(world.gateway, body, { headers, signal: gone.signal })
  asked.catch(() => {})
  await gate.reached
  gone.abort()
  return world
}

describe('in the other form, while the answer is on its way', () => {
  const [first, other] = [hello, { ...hello, max_tokens: 50 }]

  /** The API answers once the gate is open. */
  async function leftInOtherForm(
    stream: boolean,
    options: GatewayOptions = {},
    answer = inForm,
    headers: Record<string, string> = named,
  ) {
    const gate = new Gate()
    const world = stage((body) => gate.pass().then(() => answer(body)), options)
    return { gate, ...(await left(world, gate, { ...first, stream: !stream }, headers)) }
  }

  test.each([
    [true, named],
    [false, named],
    [true, {}],
    [false, {}],
  ])('it is that answer (stream: %s, %o)', async (stream, headers) => {
    const { gate, gateway, requests, store } = await leftInOtherForm(stream, {}, inForm, headers)
    const asked = post(gateway, { ...other, stream }, { headers })
    await turn()
    gate.open()
    const again = await asked
    expect(again.headers.get('content-type')).toContain(stream ? 'text/event-stream' : 'application/json')
    const said = await again.text()
    expect(said).toContain('words words')
    expect(said.includes('event: message_stop')).toBe(stream)
    expect(requests()).toBe(1)
    expect(await idsOf(store)).toHaveLength(1)
  })

  test.each([true, false])('a failure of it has its status (stream: %s)', async (stream) => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'x' } }
    const refused = () => Response.json(error, { status: 529 })
    const { gate, gateway, requests } = await leftInOtherForm(stream, impatient, refused)
    const asked = post(gateway, { ...other, stream }, { headers: named })
    await turn()
    gate.open()
    const again = await asked
    expect(again.status).toBe(529)
    expect(await again.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
    expect(requests()).toBe(1)
  })

  test('another question gives up both', async () => {
    const { gate, gateway, requests, store } = await leftInOtherForm(false)
    const gone = new AbortController()
    const again = post(gateway, { ...other, stream: false }, { headers: named, signal: gone.signal })
    again.catch(() => {})
    await turn()
    gone.abort()
    const further = { ...hello, messages: [...hello.messages, { role: 'user', content: 'No, wait' }] }
    const asked = post(gateway, further, { headers: named })
    await turn()
    gate.open()
    expect(await (await asked).text()).toContain('words words')
    expect(requests()).toBe(2)
    expect(await idsOf(store)).toEqual(['ses'])
  })

  test('one that was cut for lack of room, of which there is more now, is asked for anew', async () => {
    const cut = () => Response.json({ ...whole, stop_reason: 'max_tokens' })
    const { gate, gateway, requests } = await leftInOtherForm(false, {}, cut)
    const asked = post(gateway, { ...hello, max_tokens: 200 }, { headers: named })
    await turn()
    gate.open()
    expect((await asked).headers.has('x-lastgood-replayed')).toBe(false)
    expect(requests()).toBe(2)
  })
})

test('while it is being given up: it is the answer, if that was recorded in time', async () => {
  const gate = new Gate()
  const options = { store: slowStore(gate, 'response-received'), reattachMs: 1000 }
  const { clock, gateway, requests } = await left(
    stage(async () => Response.json(whole), options),
    gate,
    hello,
  )
  await clock.advance(options.reattachMs)
  const again = post(gateway, hello, { headers: named })
  await turn()
  gate.open()
  expect(await (await again).json()).toEqual(whole)
  expect(requests()).toBe(1)
})

describe('a client that asks again', () => {
  const long = () => reply(text('words '.repeat(200)))

  async function interrupted(options: SetUp = {}) {
    const world = await setUp({ lab: { model: long }, ...options })
    const gone = new AbortController()
    const first = await post(world.gateway, { ...hello, stream: true }, { headers: named, signal: gone.signal })
    const reader = first.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    return world
  }

  test('because its connection broke gets the same answer from its beginning, and it is paid for once', async () => {
    const { gateway, lab } = await interrupted()
    const again = await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
    expect(again.match(/event: message_start/g)).toHaveLength(1)
    expect(again).toContain('event: message_stop')
    expect(lab.requests).toHaveLength(1)
  })

  test('and is known by no name is found by what it says', async () => {
    const { gateway, lab } = await setUp({ lab: { model: long } })
    const first = await post(gateway, { ...hello, stream: true })
    await first.body?.cancel()
    const again = await post(gateway, { ...hello, stream: true })
    expect(again.headers.get('x-lastgood-session')).toBe(first.headers.get('x-lastgood-session'))
    await again.text()
    expect(lab.requests).toHaveLength(1)
  })

  test.each([true, false])(
    'after the gateway itself was replaced gets what was recorded (stream: %s)',
    async (stream) => {
      const { gateway, lab, store } = await setUp({ lab: { model: long } })
      await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
      await gateway.close()
      const next = createGateway({ upstream: lab.url, store, clock: jumpingClock() })
      onTestFinished(() => next.close())
      const again = await post(next, { ...hello, stream }, { headers: named })
      expect(again.headers.get('x-lastgood-replayed')).toBe('true')
      expect(again.headers.get('content-type')).toContain(stream ? 'text/event-stream' : 'application/json')
      const said = await again.text()
      expect(said).toContain('words words')
      expect(said.includes('event: message_stop')).toBe(stream)
      expect(lab.requests).toHaveLength(1)
    },
  )

  test('for something else gives up the answer that it left, and the session goes on', async () => {
    const { gateway, store } = await interrupted()
    const other = { ...hello, messages: [...hello.messages, { role: 'user', content: 'No, wait' }], stream: true }
    expect(await (await post(gateway, other, { headers: named })).text()).toContain('event: message_stop')
    expect(await idsOf(store)).toEqual(['ses'])
  })
})

test.each([400, 529])('a %i is not given again: the same request is asked anew', async (status) => {
  const outages = [failing(status, 1)]
  const { gateway } = await setUp({ lab: { model: () => reply(text('hi')), outages }, gateway: impatient })
  const ask = async () => (await post(gateway, hello, { headers: named })).status
  expect([await ask(), await ask()]).toEqual([status, 200])
})
