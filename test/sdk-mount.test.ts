/** The SDK's own machinery around a request: timers, errors, parsers, uploads. */
import { createRequire } from 'node:module'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, recoverable } from '@lastgood/anthropic'
import { ManualClock } from '@lastgood/core/testing'
import { isLastgoodError, LastgoodError, memoryStore } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { answeringClient, failed, model, unanswered, user, whole, type Call } from './support/answering-api.ts'
import { openTestSession } from './support/harness.ts'
import { said, started, textBlock } from './support/scripted-api.ts'

const request = { model, max_tokens: 500, messages: [user('Go')] }
type Client = ReturnType<typeof answeringClient>['client']

/** Resolves when the client has sent `count` requests. */
async function sent(calls: readonly Call[], count: number): Promise<void> {
  while (calls.length < count) await new Promise(setImmediate)
}

describe("an attempt that takes as long as the SDK's timeout allows", () => {
  const first = (answer: () => string | Response) => (call: Call, n: number) => (n === 1 ? unanswered(call) : answer())
  const stream = (client: Client, options = {}) => client.messages.stream(request, options).finalMessage()
  const create = (client: Client, options = {}) => client.messages.create(request, options)
  const list = async (client: Client, options = {}) => ({ content: (await client.models.list({}, options)).data })

  test.each([
    ['a stream', stream, () => said('hello'), 60_000],
    ['a whole answer', create, () => whole('hello'), 60_000],
    ['a whole answer that may take long', create, () => whole('hello'), 3_600_000],
    ['another request', list, () => Response.json({ data: [{ text: 'hello' }], has_more: false }), 60_000],
  ])("is sent again: %s, by the client's or the request's", async (_what, ask, answer, timeout) => {
    for (const isClients of [true, false]) {
      const clock = new ManualClock()
      const { client, calls } = answeringClient(first(answer))
      const session = await openTestSession(undefined, { clock })
      const own = recoverable(isClients ? client.withOptions({ timeout }) : client, session)
      const asked = ask(own, isClients ? {} : { timeout })
      await sent(calls, 1)
      await clock.advance(timeout - 10_001)
      expect(calls).toHaveLength(1)
      await clock.advance(10_000)
      await clock.advance(10_000)
      expect((await asked).content).toMatchObject([{ text: 'hello' }])
      expect(calls).toHaveLength(2)
      await session.close()
    }
  })
})

describe('an error of lastgood keeps its code, hint and details', () => {
  const read = async (stream: Promise<AsyncIterable<unknown>> | AsyncIterable<unknown>) => {
    for await (const _event of await stream) continue
  }
  const shapes: [string, (client: Client) => Promise<unknown>][] = [
    ['create', (client) => client.messages.create(request)],
    ['create with stream', (client) => read(client.messages.create({ ...request, stream: true }))],
    ['stream', (client) => client.messages.stream(request).finalMessage()],
    ['stream, event by event', (client) => read(client.messages.stream(request))],
    [
      'stream, by listener',
      (client) =>
        client.messages
          .stream(request)
          .emitted('error')
          .then((error) => Promise.reject(error)),
    ],
    ['beta stream', (client) => client.beta.messages.stream(request).finalMessage()],
    ['tool runner', (client) => client.beta.messages.toolRunner({ ...request, tools: [] }).runUntilDone()],
  ]
  const wrong = () => failed(402, 'billing_error', 'no money')
  const kept = { code: 'session-suspended', hint: expect.any(String), details: { sessionId: 'ses', status: 402 } }

  const { Anthropic: required } = createRequire(import.meta.url)('@anthropic-ai/sdk') as { Anthropic: typeof Anthropic }
  const copies = Object.entries({ import: Anthropic, require: required })
  const ofEach = (some: typeof shapes) =>
    copies.flatMap(([copy, Copy]) => some.map(([shape, ask]) => [shape, copy, Copy, ask] as const))

  test.each(ofEach(shapes))('from %s of the SDK that %s gives', async (_shape, _copy, Copy, ask) => {
    const { client } = answeringClient(wrong, undefined, Copy)
    const error: unknown = await ask(recoverable(client, await openTestSession())).catch((one: unknown) => one)
    expect(error).toMatchObject(kept)
    expect(isLastgoodError(error, 'session-suspended')).toBe(true)
  })

  test.each(shapes)(
    'from %s, also where it quotes a timeout, which the SDK has an error of its own for',
    async (_shape, ask) => {
      const network = new Error('Connect Timeout Error (timeout: 10000ms)')
      const answers: [() => Response, object][] = [
        [
          () => failed(500, 'api_error', 'Request timed out'),
          { message: expect.stringContaining('Request timed out') },
        ],
        [
          () => {
            throw new TypeError('fetch failed', { cause: network })
          },
          { message: expect.stringContaining(network.message) },
        ],
      ]
      for (const [answer, said] of answers) {
        const session = await openTestSession(undefined, { policy: { maxAttempts: 1 } })
        const own = recoverable(answeringClient(answer).client, session)
        const error: unknown = await ask(own).catch((one: unknown) => one)
        expect(error).toMatchObject({ ...said, code: 'session-suspended', hint: expect.any(String) })
        expect(error).toMatchObject({ details: { retryAt: expect.any(Number) } })
        expect(String(error)).toMatch(/^LastgoodError: .*timed?-out/i)
        await session.close()
      }
    },
  )

  test.each(shapes)('from %s, and its cause, of a store that times out', async (_shape, ask) => {
    const cause = Object.assign(new RangeError('Command timed out'), { code: 'SLOW' })
    const memory = memoryStore()
    const failure = new LastgoodError('store-unavailable', 'redis does not answer', { hint: 'ask again', cause })
    const append = () => Promise.reject(failure)
    const session = await openTestSession({ ...memory, append }, { storePatienceMs: 1 })
    const own = recoverable(answeringClient(() => said('hello')).client, session)
    const error: unknown = await ask(own).catch((one: unknown) => one)
    expect(error).toMatchObject({ code: 'store-unavailable', hint: 'ask again', stack: failure.stack })
    const told = (error as Error).cause
    expect(told).toBeInstanceOf(RangeError)
    expect(told).toMatchObject({ name: 'RangeError', message: 'Command timed out', code: 'SLOW', stack: cause.stack })
    expect(String(cause)).toBe('RangeError: Command timed out')
  })

  test('from an agent', async () => {
    const { client } = answeringClient(() => failed(500, 'api_error', 'Request timed out'))
    const session = await openTestSession(undefined, { policy: { maxAttempts: 1 } })
    const run = session.run(defineAgent({ name: 'a', client, model }), 'Go')
    await expect(run).rejects.toMatchObject({ code: 'session-suspended', details: { retryAt: expect.any(Number) } })
  })

  const streams = shapes.filter(([shape]) => shape.includes('stream'))
  test.each(ofEach(streams))('from %s of the SDK that %s gives, broken off', async (_shape, _copy, Copy, ask) => {
    const breaking = (_call: Call, n: number) => (n === 1 ? started() + textBlock(0, 'Once') : wrong())
    const { client } = answeringClient(breaking, undefined, Copy)
    const error: unknown = await ask(recoverable(client, await openTestSession())).catch((one: unknown) => one)
    expect(error).toMatchObject(kept)
  })
})

describe('an answer that the SDK parses', () => {
  const format = { type: 'json_schema' as const, schema: { type: 'object' } }
  const cut =
    started('msg_cut') + textBlock(0, '{"half":1}') + textBlock(1, '{"answ').split('event: content_block_stop')[0]

  test.each([
    ['resend', 'stream', (client: Client) => client.messages.stream({ ...request, output_config: { format } })],
    ['keep', 'stream', (client: Client) => client.messages.stream({ ...request, output_config: { format } })],
    [
      'resend',
      'beta stream',
      (client: Client) => client.beta.messages.stream({ ...request, output_config: { format } }),
    ],
    ['resend', 'old field', (client: Client) => client.messages.stream({ ...request, output_format: format } as never)],
  ] as const)('has nothing of a broken attempt in it [cutText: %s, %s]', async (cutText, _shape, ask) => {
    const { client, calls } = answeringClient((_call, n) => (n === 1 ? cut : said('{"answer":42}', 'msg_2')))
    const session = await openTestSession(undefined, { policy: { cutText } })
    const words: string[] = []
    session.subscribe((event) => {
      if (event.type === 'dropped') words.length = 0
      if (event.type === 'delta') words.push(event.text)
    })
    const answer = await ask(recoverable(client, session)).finalMessage()
    expect(answer.content).toMatchObject([{ text: '{"answer":42}' }])
    expect(calls).toHaveLength(2)
    expect(words).toEqual(['{"answer":42}'])
    expect(session.messages().at(-1)?.content).toMatchObject([{ text: '{"answer":42}' }])
  })
})

describe('a request with a body that is no text', () => {
  const uploaded = () => Response.json({ id: 'file_1', type: 'file', filename: 'a.txt' })
  const busyOnce = (answer: () => Response) => answeringClient((_call, n) => (n === 1 ? failed(529) : answer()))

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ['a file', (client) => client.beta.files.upload({ file: new File(['abc'], 'a.txt') })],
    ['bytes', (client) => client.post('/v1/files', { body: new Uint8Array([1, 2, 3]) })],
    ['a blob', (client) => client.post('/v1/files', { body: new Blob(['abc']) })],
  ])('is waited out as others are: %s', async (_what, send) => {
    const { client, calls } = busyOnce(uploaded)
    await expect(send(recoverable(client, await openTestSession()))).resolves.toMatchObject({ id: 'file_1' })
    expect(calls).toHaveLength(2)
  })

  test('goes once where it is a stream, which cannot be read again', async () => {
    const { client, calls } = busyOnce(uploaded)
    const body = new Blob(['abc']).stream()
    const sending = recoverable(client, await openTestSession()).post('/v1/files', { body })
    await expect(sending).rejects.toMatchObject({ status: 529 })
    expect(calls).toHaveLength(1)
  })

  test('may ask for a stream of events, which is passed on as it comes', async () => {
    const { client, calls } = answeringClient((_call, n) => (n === 1 ? failed(529) : said('hello')))
    const body = new TextEncoder().encode(JSON.stringify({ ...request, stream: true }))
    const own = recoverable(client, await openTestSession())
    const answer = await own.post('/v1/messages', { body }).asResponse()
    expect(await answer.text()).toBe(said('hello'))
    expect(calls).toHaveLength(2)
  })
})

test('a refusal reaches the caller as the API gave it, however long', async () => {
  const long = 'x'.repeat(200_000)
  const { client } = answeringClient(() => failed(400, 'invalid_request_error', long))
  const own = recoverable(client, await openTestSession())
  await expect(own.messages.create(request)).rejects.toMatchObject({ error: { error: { message: long } } })
})
