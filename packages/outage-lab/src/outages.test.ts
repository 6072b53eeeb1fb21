import {
  APIConnectionError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  OverloadedError,
  PermissionDeniedError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { assert, asyncProperty, boolean, constantFrom, integer } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { framesOf } from './frames.ts'
import { ASK, collect, openFaulty, openLab, send, type Received } from './lab.fixture.ts'
import { outageSchema, type CutPoint, type Fault, type Lab } from './index.ts'

const STREAM = { ...ASK, stream: true }

function whole(lab: Lab, at = 0): Buffer {
  const message = lab.requests[at]?.outcome.message
  return message ? Buffer.concat(framesOf(message).map(({ bytes }) => bytes)) : Buffer.alloc(0)
}

function eventsIn({ body }: Received): readonly (string | undefined)[] {
  return [...body.toString().matchAll(/^event: (.*)$/gm)].map((match) => match[1])
}

/** How a cut in the text ends: whether HTTP is content, the last event, and what the SDK says was the cause. */
async function endingOf(how: 'reset' | 'close' | 'end'): Promise<readonly unknown[]> {
  const fault: Fault = { kind: 'cut', after: { inside: 'text' }, how }
  const { events, error } = await collect((await openFaulty(fault)).client)
  const { clean } = await send((await openFaulty(fault)).lab, STREAM)
  return [clean, events.at(-1), error instanceof TypeError ? error.cause : undefined]
}

async function contentTypeOf(fault: Fault): Promise<unknown> {
  return (await send((await openFaulty(fault)).lab, STREAM)).headers['content-type']
}

function statusFault(status: number): Fault {
  return { kind: 'status', status }
}

/** Which of 100 requests a rate of 0.3 hits. */
async function hitsOf(seed: number): Promise<string> {
  const when = { window: [0, Infinity] as [number, number], rate: 0.3 }
  const { lab } = await openLab({ seed, outages: [{ when, fault: statusFault(529) }] })
  const statuses: unknown[] = []
  for (let at = 0; at < 100; at++) statuses.push((await send(lab, ASK)).status)
  return statuses.map((status) => (status === 529 ? 'x' : '.')).join('')
}

describe('a status', () => {
  test.each([
    [{ status: 500 }, InternalServerError, { type: 'api_error', apiMessage: 'Internal server error' }],
    [{ status: 529 }, OverloadedError, { type: 'overloaded_error', apiMessage: 'Overloaded' }],
    [{ status: 429 }, RateLimitError, { type: 'rate_limit_error' }],
    [
      { status: 429, errorCode: 'enforced_spend_limit_reached' },
      RateLimitError,
      { errorCode: 'enforced_spend_limit_reached' },
    ],
    [{ status: 401 }, AuthenticationError, { type: 'authentication_error' }],
    [{ status: 402 }, APIError, { status: 402, type: 'billing_error' }],
    [{ status: 403 }, PermissionDeniedError, { type: 'permission_error' }],
    [{ status: 404 }, NotFoundError, { type: 'not_found_error' }],
    [{ status: 504 }, APIError, { status: 504, type: 'timeout_error' }],
    [{ status: 413 }, APIError, { status: 413, type: null }],
    [{ status: 502 }, InternalServerError, { type: null }],
    [{ status: 522 }, InternalServerError, { type: null }],
    [
      { status: 400, type: 'invalid_request_error', message: 'Your credit balance is too low' },
      BadRequestError,
      { apiMessage: 'Your credit balance is too low' },
    ],
  ] as const)('%o is the error that the SDK has for it', async (fault, kind, shape) => {
    const { lab, client } = await openFaulty({ kind: 'status', ...fault })
    const error: unknown = await client.messages.create(ASK).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject(shape)
    expect(lab.requests[0]).toMatchObject({ completed: false, outcome: { kind: 'fault', status: fault.status } })
  })

  test('429 says when to come back, but a spend cap does not; other headers are as scripted', async () => {
    const outages = [
      { kind: 'status', status: 429 },
      { kind: 'status', status: 429, errorCode: 'ramp_limit_exceeded' },
      { kind: 'status', status: 529, headers: { 'x-should-retry': 'false' } },
    ] as const
    const { lab } = await openLab({ outages: outages.map((fault, at) => ({ when: { request: at + 1 }, fault })) })
    expect((await send(lab, ASK)).headers['retry-after']).toBe('1')
    expect((await send(lab, ASK)).headers['retry-after']).toBeUndefined()
    expect((await send(lab, ASK)).headers['x-should-retry']).toBe('false')
  })
})

describe('a reset', () => {
  test('before the headers is a connection error', async () => {
    const { client } = await openFaulty({ kind: 'reset', at: 'before-headers' })
    await expect(client.messages.create(ASK)).rejects.toBeInstanceOf(APIConnectionError)
  })

  test('after the headers is a bare TypeError without any event', async () => {
    const { lab, client } = await openFaulty({ kind: 'reset', at: 'after-headers' })
    expect(await collect(client)).toMatchObject({ events: [], error: { name: 'TypeError', message: 'terminated' } })
    expect(lab.requests[0]?.outcome).toMatchObject({ kind: 'fault', status: 200 })
  })
})

describe('a cut', () => {
  const POINTS: readonly (readonly [CutPoint, RegExp])[] = [
    [{ events: 3 }, /event: ping\n.*\n\n$/],
    [{ inside: 'thinking' }, /thinking_delta.*\n\n$/],
    [{ inside: 'text' }, /text_delta.*\n\n$/],
    [{ inside: 'tool_use' }, /input_json_delta.*\n\n$/],
    [{ afterBlock: 2 }, /content_block_stop","index":2}\n\n$/],
    [{ before: 'message_delta' }, /content_block_stop","index":2}\n\n$/],
    [{ before: 'message_stop' }, /event: message_delta\n.*\n\n$/],
  ]

  test.each(POINTS)('at %o ends just there', async (after, ending) => {
    const { lab } = await openFaulty({ kind: 'cut', after, how: 'reset' })
    const received = await send(lab, STREAM)
    expect(received.body.toString()).toMatch(ending)
    expect(whole(lab).subarray(0, received.body.length)).toEqual(received.body)
    expect(received.body.length).toBeLessThan(whole(lab).length)
    expect(lab.requests[0]).toMatchObject({ completed: false, outcome: { kind: 'fault' } })
  })

  test.each(['thinking', 'text', 'tool_use'] as const)(
    'inside %s leaves a part of the block unsaid',
    async (inside) => {
      const { lab } = await openFaulty({ kind: 'cut', after: { inside }, how: 'end' })
      const { body } = await send(lab, STREAM)
      expect(whole(lab).subarray(body.length).toString()).toMatch(
        /^event: content_block_delta\n.*(thinking|text|input_json)_delta/,
      )
    },
  )

  test('by reset is ECONNRESET, by close an unfinished body, by end nothing at all', async () => {
    expect(await endingOf('reset')).toMatchObject([false, 'content_block_delta', { code: 'ECONNRESET' }])
    expect(await endingOf('close')).toMatchObject([false, 'content_block_delta', { code: 'UND_ERR_SOCKET' }])
    expect(await endingOf('end')).toEqual([true, 'content_block_delta', undefined])
  })

  test('that ends politely leaves the SDK iterator without an error, and only finalMessage rejects', async () => {
    const { client } = await openFaulty({ kind: 'cut', after: { before: 'message_stop' }, how: 'end' })
    await expect(client.messages.stream(ASK).finalMessage()).rejects.toThrow('stream ended without producing a Message')
  })

  test('at a point that the answer does not have does not happen', async () => {
    const { lab, client } = await openFaulty({ kind: 'cut', after: { inside: 'text', index: 5 }, how: 'reset' })
    expect((await collect(client)).events.at(-1)).toBe('message_stop')
    expect(lab.requests[0]).toMatchObject({ completed: true, outcome: { kind: 'ok' } })
    expect(lab.requests[0]?.outcome).not.toHaveProperty('fault')
  })

  test('of a JSON answer leaves JSON that does not parse', async () => {
    const { lab } = await openFaulty({ kind: 'cut', after: { inside: 'text' }, how: 'end' })
    const { body, clean } = await send(lab, ASK)
    expect(clean).toBe(true)
    expect(JSON.stringify(lab.requests[0]?.outcome.message).startsWith(body.toString())).toBe(true)
    expect(() => JSON.parse(body.toString())).toThrow(SyntaxError)
  })

  test('at any byte gives exactly that many bytes of the whole answer', async () => {
    const { lab } = await openLab()
    await send(lab, STREAM)
    const length = whole(lab).length
    let n = 1
    await assert(
      asyncProperty(
        integer({ min: 0, max: length }),
        constantFrom('reset', 'close', 'end'),
        boolean(),
        async (bytes, how, stream) => {
          lab.setOutages([{ when: { request: ++n }, fault: { kind: 'cut', after: { bytes }, how } }])
          const { body } = await send(lab, { ...ASK, stream })
          const answer = stream ? whole(lab, n - 1) : Buffer.from(JSON.stringify(lab.requests[n - 1]?.outcome.message))
          expect(body).toEqual(answer.subarray(0, bytes))
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('an error event', () => {
  test('at the start and in the middle is an APIError without a status', async () => {
    for (const after of ['start', { inside: 'tool_use' }] as const) {
      const { client } = await openFaulty({
        kind: 'error-event',
        after,
        type: 'overloaded_error',
        message: 'Overloaded',
      })
      const { events, error } = await collect(client)
      expect(error).toBeInstanceOf(APIError)
      expect(error).toMatchObject({
        status: undefined,
        type: 'overloaded_error',
        apiMessage: 'Overloaded',
        requestID: expect.stringMatching(/^req_/),
      })
      expect(events.length > 0).toBe(after !== 'start')
    }
  })

  test('has no place in a JSON answer: there it is the status that goes with its type', async () => {
    const { client } = await openFaulty({
      kind: 'error-event',
      after: 'start',
      type: 'overloaded_error',
      message: 'Overloaded',
    })
    await expect(client.messages.create(ASK)).rejects.toBeInstanceOf(OverloadedError)
  })
})

describe('a stall', () => {
  test('with an end goes on to the whole answer, with pings in between if asked to', async () => {
    const { lab } = await openFaulty({ kind: 'stall', after: { afterBlock: 0 }, pings: true, everyMs: 2, forMs: 6 })
    const events = eventsIn(await send(lab, STREAM))
    expect(events.filter((event) => event === 'ping')).toHaveLength(4)
    expect(events.at(-1)).toBe('message_stop')
    expect(lab.requests[0]?.completed).toBe(true)
  })

  test('before the headers, without an end, lasts until the client goes', async () => {
    const { lab, client } = await openFaulty({ kind: 'stall', after: 'before-headers', pings: false })
    const controller = new AbortController()
    const waiting = client.messages.create(ASK, { signal: controller.signal }).catch((cause: unknown) => cause)
    await expect.poll(() => lab.requests[0]?.outcome.kind).toBe('fault')
    controller.abort()
    expect(await waiting).toBeInstanceOf(APIUserAbortError)
    expect(lab.requests[0]?.outcome).not.toHaveProperty('status')
  })

  test.each(['headers', { events: 3 }] as const)(
    'at %o, without an end, lasts until the client goes',
    async (after) => {
      const { lab, client } = await openFaulty({ kind: 'stall', after, pings: true, everyMs: 1 })
      const stream = await client.messages.create({ ...ASK, stream: true })
      const events: string[] = []
      setTimeout(() => stream.controller.abort(), 40)
      for await (const event of stream) events.push(event.type)
      expect(events).toEqual(after === 'headers' ? [] : ['message_start', 'content_block_start'])
      expect(lab.requests[0]).toMatchObject({ completed: false, outcome: { kind: 'fault', status: 200 } })
    },
  )

  test('ends when the lab is closed', async () => {
    const { lab, client } = await openFaulty({ kind: 'stall', after: 'before-headers', pings: false })
    const waiting = client.messages.create(ASK).catch((cause: unknown) => cause)
    await expect.poll(() => lab.requests.length).toBe(1)
    await lab.close()
    expect(await waiting).toBeInstanceOf(APIConnectionError)
  })
})

test('a bad event is one line that is no JSON, and the rest follows', async () => {
  const { lab, client } = await openLab({
    outages: [{ when: { requests: [1, 2] }, fault: { kind: 'bad-event', after: { events: 4 } } }],
  })
  expect(eventsIn(await send(lab, STREAM)).at(-1)).toBe('message_stop')
  expect((await collect(client)).error).toBeInstanceOf(SyntaxError)
  expect(lab.requests[0]).toMatchObject({ completed: true, outcome: { kind: 'fault' } })
})

describe('an answer that is none', () => {
  test.each([{ kind: 'html' }, { kind: 'json-error' }, { kind: 'empty' }] as const)(
    '%o with status 200 ends the SDK stream without an event or an error',
    async (fault) => {
      const { lab, client } = await openFaulty(fault)
      expect(await collect(client)).toEqual({ events: [], error: undefined })
      expect(lab.requests[0]?.outcome).toMatchObject({ kind: 'fault', status: 200 })
    },
  )

  test('has the content type that gives it away', async () => {
    expect(await contentTypeOf({ kind: 'html' })).toMatch('text/html')
    expect(await contentTypeOf({ kind: 'json-error' })).toBe('application/json')
    expect(await contentTypeOf({ kind: 'empty' })).toMatch('text/event-stream')
  })
})

test('a delay waits as long as it says, before or after the headers, and then answers', async () => {
  for (const headers of [false, true]) {
    const waits: number[] = []
    const { lab, client } = await openFaulty(
      { kind: 'delay', ms: 5000, headers },
      { sleep: async (ms) => void waits.push(ms) },
    )
    expect((await collect(client)).events.at(-1)).toBe('message_stop')
    expect(waits).toEqual([5000])
    expect(lab.requests[0]?.completed).toBe(true)
  }
})

describe('an outage script', () => {
  test('takes the first outage that matches, by number, range, model or time since the start', async () => {
    let now = 1000
    const { lab } = await openLab({
      now: () => now,
      outages: [
        { when: { request: 2, model: 'claude-opus-5-5' }, fault: statusFault(500), name: 'one' },
        { when: { requests: [2, 3] }, fault: statusFault(529) },
        { when: { window: [100, 200] }, fault: statusFault(503) },
      ],
    })
    const next = async (model = ASK.model): Promise<unknown> => (await send(lab, { ...ASK, model })).status
    expect([await next(), await next('claude-haiku-5-5'), await next()]).toEqual([200, 529, 529])
    now = 1100
    expect(await next()).toBe(503)
    now = 1200
    expect(await next()).toBe(200)
  })

  test('with a rate hits that share of the requests, the same ones for the same seed', async () => {
    const first = await hitsOf(7)
    expect(await hitsOf(7)).toBe(first)
    expect(await hitsOf(8)).not.toBe(first)
    const count = first.split('x').length - 1
    expect(count).toBeGreaterThan(15)
    expect(count).toBeLessThan(45)
  })

  test('is data: it survives JSON, and a wrong one is refused at the start', async () => {
    const outage = {
      when: { window: [0, 10] as [number, number], rate: 0.5 },
      fault: { kind: 'cut' as const, after: { inside: 'text' as const }, how: 'end' as const },
    }
    expect(outageSchema.parse(JSON.parse(JSON.stringify(outage)))).toEqual(outage)
    // @ts-expect-error a fault that does not exist
    await expect(openLab({ outages: [{ when: { request: 1 }, fault: { kind: 'fire' } }] })).rejects.toThrow('outages: ')
  })

  test('can hit only the requests that contain a text, as a fault in the data does', async () => {
    const { lab } = await openLab({
      outages: [{ when: { requests: [1, null], contains: 'container_1' }, fault: statusFault(500) }],
    })
    expect((await send(lab, { ...ASK, container: 'container_1' })).status).toBe(500)
    expect((await send(lab, ASK)).status).toBe(200)
  })

  test('can hit the first request that meets its conditions and no other, until there is another script', async () => {
    const once = { requests: [1, null] as [number, null], contains: 'marked', once: true as const }
    const outages = [{ when: once, fault: statusFault(500) }]
    const { lab } = await openLab({ outages })
    const ask = async (user_id: string) => (await send(lab, { ...ASK, metadata: { user_id } })).status
    expect([await ask('other'), await ask('marked'), await ask('marked')]).toEqual([200, 500, 200])
    lab.setOutages(outages)
    expect([await ask('marked'), await ask('marked')]).toEqual([500, 200])
  })

  test('hides a bad transcript behind a status, but the record tells', async () => {
    const { lab } = await openFaulty({ kind: 'status', status: 529 })
    expect((await send(lab, { ...ASK, messages: [{ role: 'assistant', content: 'x' }] })).status).toBe(529)
    expect(lab.requests[0]?.violation).toMatchObject({ row: 13 })
  })
})
