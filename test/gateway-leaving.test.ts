/** What a client leaves behind at the gateway: no place that is taken, no timer, nothing that is read for nobody. */
import { memoryStore, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway } from '@lastgood/gateway'
import { expect, test } from 'vitest'
import { api, gatewayOf, saidBy } from './support/counted-answers.ts'
import { hello, named, post } from './support/gateway-stage.ts'
import { entriesOf, Gate } from './support/harness.ts'

test('who has gone before the answer and never reads it takes no place, and no session from the next one', async () => {
  const gate = new Gate()
  const { fetch, requests } = api(() => (requests.length === 1 ? gate.pass() : undefined))
  const gateway = gatewayOf({ fetch, clock: new ManualClock(), maxRequests: 1 })
  const gone = new AbortController()
  const first = post(gateway, hello, { headers: named, signal: gone.signal })
  await gate.reached
  gone.abort()
  const other = { ...hello, messages: [{ role: 'user', content: 'Hello' }, ...hello.messages] }
  const next = await post(gateway, other, { headers: named })
  expect([next.status, next.headers.get('x-lastgood-session')]).toEqual([200, 'ses'])
  gate.open()
  await first
})

test('what somebody asked who has gone before his session was open is not sent, and undoes nothing', async () => {
  const gate = new Gate()
  const store = memoryStore()
  const { fetch, requests } = api()
  const before = gatewayOf({ fetch, store })
  const history = [
    ...hello.messages,
    { role: 'assistant', content: await saidBy(await post(before, hello, { headers: named })) },
  ]
  const next = { ...hello, messages: [...history, { role: 'user', content: 'Go on' }] }
  await (await post(before, next, { headers: named })).text()
  await before.close()
  const acquire: Store['acquire'] = (...args) => gate.pass().then(() => store.acquire(...args))
  const gateway = gatewayOf({ fetch, store: { ...store, acquire } })
  const gone = new AbortController()
  const late = post(
    gateway,
    { ...next, messages: hello.messages, max_tokens: 50 },
    { headers: named, signal: gone.signal },
  )
  await gate.reached
  gone.abort()
  gate.open()
  await (await late).text()
  expect(requests).toHaveLength(2)
  expect((await entriesOf(store)).map(({ type }) => type)).not.toContain('rewound')
})

test('what is passed on and breaks off, or is left, takes no place, and is read for nobody', async () => {
  let breaks = true
  let isCancelled = false
  const body = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (breaks) controller.error(new Error('cut'))
        else controller.enqueue(Buffer.from('{'))
      },
      cancel: () => {
        isCancelled = true
      },
    })
  const gateway = gatewayOf({ maxRequests: 1, fetch: async () => new Response(body()) })
  const count = () => post(gateway, hello, { path: '/v1/messages/count_tokens' })
  await expect((await count()).text()).rejects.toThrow()
  breaks = false
  const left = await count()
  expect(left.status).toBe(200)
  await left.body?.cancel()
  expect(isCancelled).toBe(true)
  expect((await count()).status).toBe(200)
})

test.each([true, false])(
  'a gateway that has answered and was closed waits for nothing (stream: %s)',
  async (stream) => {
    const { fetch } = api()
    const clock = new ManualClock()
    const gateway = createGateway({ fetch, clock })
    const response = await post(gateway, { ...hello, stream }, { headers: named })
    await response.text()
    await gateway.close()
    expect(clock.sleepers).toEqual([])
  },
)

test('the same request twice at once is sent once, and both have its answer', async () => {
  const { fetch, requests } = api()
  const gateway = gatewayOf({ fetch, clock: new ManualClock() })
  const both = [1, 2].map(() => post(gateway, hello, { headers: named }))
  expect(await Promise.all(both.map(async (one) => saidBy(await one)))).toEqual(['answer 1', 'answer 1'])
  expect(requests).toHaveLength(1)
})
