import Anthropic, { APIConnectionError, APIUserAbortError } from '@anthropic-ai/sdk'
import { assert, asyncProperty, constantFrom, integer } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ASK, collect, openFaulty, openLab, send } from './lab.fixture.ts'
import { createLab, reply, text, thinking, toolUse, type Fault, type LabOptions, type LocalLab } from './index.ts'

const model = () =>
  reply([thinking('Hm, let me look.'), text('Looking at the file.'), toolUse('read', { path: 'a-name.ts' })])
const HEADERS = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' }

function local(options: Partial<LabOptions> = {}): { lab: LocalLab; client: Anthropic } {
  const lab = createLab({ model, now: () => 0, ...options })
  const client = new Anthropic({ baseURL: lab.url, fetch: lab.fetch, apiKey: 'k', maxRetries: 0, logLevel: 'off' })
  return { lab, client }
}

function faulty(fault: Fault, options: Partial<LabOptions> = {}): { lab: LocalLab; client: Anthropic } {
  return local({ outages: [{ when: { request: 1 }, fault }], ...options })
}

function post(lab: LocalLab, body: unknown, init: RequestInit = {}): Promise<Response> {
  return lab.fetch('https://api.anthropic.com/v1/messages', {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(body),
    ...init,
  })
}

/** What arrives of a body before it ends, and the error that ends it. */
async function drain(response: Response): Promise<{ readonly chunks: readonly Uint8Array[]; readonly error: unknown }> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk)
    return { chunks, error: undefined }
  } catch (error) {
    return { chunks, error }
  }
}

const STREAM = { ...ASK, stream: true }

describe('a lab without a socket', () => {
  test('answers as the one with a socket does, byte for byte', async () => {
    const { lab } = local()
    const other = await openLab({ model, now: () => 0 })
    for (const body of [ASK, STREAM, { ...ASK, messages: [] }]) {
      const [here, there] = [await post(lab, body), await send(other.lab, body)]
      expect(here.status).toBe(there.status)
      expect(here.headers.get('content-type')).toBe(there.headers['content-type'])
      expect(await here.text()).toBe(there.body.toString())
    }
    expect(lab.requests.map(({ outcome, completed, raw }) => [outcome, completed, raw])).toEqual(
      other.lab.requests.map(({ outcome, completed, raw }) => [outcome, completed, raw]),
    )
  })

  test('takes a Request, and what the SDK sends', async () => {
    const { lab, client } = local()
    const request = new Request(`${lab.url}/v1/messages`, {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(ASK),
    })
    expect((await lab.fetch(request)).status).toBe(200)
    expect((await client.messages.stream(ASK).finalMessage()).stop_reason).toBe('tool_use')
    expect((await lab.fetch(new URL('/api/hello', lab.url), { method: 'HEAD' })).status).toBe(200)
  })

  test('waits by the sleep it is given and by nothing else', async () => {
    const waits: number[] = []
    const { client } = faulty(
      { kind: 'stall', after: { events: 3 }, pings: true, everyMs: 60_000, forMs: 3_600_000 },
      { sleep: async (ms) => void waits.push(ms) },
    )
    expect((await collect(client)).events.at(-1)).toBe('message_stop')
    expect(waits).toEqual(Array(60).fill(60_000))
  })
})

describe('a fault without a socket', () => {
  const ENDS = [
    ['reset', { message: 'terminated', cause: { code: 'ECONNRESET' } }],
    ['close', { message: 'terminated', cause: { code: 'UND_ERR_SOCKET' } }],
    ['end', undefined],
  ] as const

  test.each(ENDS)('%s in the body comes after everything that was sent, as fetch says it', async (how, error) => {
    const { lab } = faulty({ kind: 'cut', after: { inside: 'text' }, how })
    const got = await drain(await post(lab, STREAM))
    const shown = await send((await openFaulty({ kind: 'cut', after: { inside: 'text' }, how }, { model })).lab, STREAM)
    expect(Buffer.concat(got.chunks).toString().length).toBe(shown.body.length)
    if (error) expect(got.error).toMatchObject(error)
    else expect(got.error).toBeUndefined()
    expect(lab.requests[0]).toMatchObject({ completed: false, outcome: { kind: 'fault' } })
  })

  test('before the headers is a failed fetch, and a connection error of the SDK', async () => {
    const fault: Fault = { kind: 'reset', at: 'before-headers' }
    await expect(post(faulty(fault).lab, ASK)).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: { code: 'ECONNRESET' },
    })
    await expect(faulty(fault).client.messages.create(ASK)).rejects.toBeInstanceOf(APIConnectionError)
  })

  test('in the stream is the same for the SDK: error events and events that are none', async () => {
    const shown = await collect(
      faulty({ kind: 'error-event', after: { inside: 'tool_use' }, type: 'overloaded_error', message: 'Overloaded' })
        .client,
    )
    expect(shown.error).toMatchObject({ type: 'overloaded_error', status: undefined })
    expect((await collect(faulty({ kind: 'bad-event', after: { events: 4 } }).client)).error).toBeInstanceOf(
      SyntaxError,
    )
    for (const kind of ['empty', 'html', 'json-error'] as const)
      expect(await collect(faulty({ kind }).client)).toEqual({ events: [], error: undefined })
  })

  test('that has no end is over when the caller aborts, before the headers and in the body', async () => {
    for (const after of ['before-headers', 'headers', { events: 3 }] as const) {
      const { lab } = faulty({ kind: 'stall', after, pings: false })
      const leaving = new AbortController()
      const asked = post(lab, STREAM, { signal: leaving.signal }).then(drain)
      const ended = asked.catch((error: unknown) => ({ error }))
      await expect.poll(() => lab.requests[0]?.outcome.kind).toBe('fault')
      leaving.abort()
      expect((await ended).error).toBe(leaving.signal.reason)
    }
    const { client } = faulty({ kind: 'stall', after: 'before-headers', pings: false })
    const leaving = AbortSignal.abort()
    await expect(client.messages.create(ASK, { signal: leaving })).rejects.toBeInstanceOf(APIUserAbortError)
  })

  test('that has no end is over when the lab closes', async () => {
    const { lab } = faulty({ kind: 'stall', after: 'before-headers', pings: false })
    const asked = post(lab, ASK).catch((error: unknown) => error)
    await expect.poll(() => lab.requests[0]?.outcome.kind).toBe('fault')
    await lab.close()
    expect(await asked).toMatchObject({ message: 'fetch failed', cause: { code: 'UND_ERR_SOCKET' } })
  })

  test('of any kind at any byte gives a prefix of the answer', async () => {
    const whole = Buffer.from(await (await post(local().lab, STREAM)).arrayBuffer())
    await assert(
      asyncProperty(
        integer({ min: 0, max: whole.length }),
        constantFrom('reset', 'close', 'end'),
        async (bytes, how) => {
          const { chunks } = await drain(await post(faulty({ kind: 'cut', after: { bytes }, how }).lab, STREAM))
          expect(Buffer.concat(chunks)).toEqual(whole.subarray(0, bytes))
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('chunking', () => {
  test('splits a stream into single bytes or pieces of a size, and loses nothing', async () => {
    const whole = await drain(await post(local().lab, STREAM))
    const all = Buffer.concat(whole.chunks)
    expect(whole.chunks.every((chunk) => Buffer.from(chunk).toString().endsWith('\n\n'))).toBe(true)
    for (const [chunking, size] of [
      ['byte', 1],
      [7, 7],
      [1_000_000, 1_000_000],
    ] as const) {
      const { chunks } = await drain(await post(local({ chunking }).lab, STREAM))
      expect(chunks).toHaveLength(Math.ceil(all.length / size))
      expect(Buffer.concat(chunks)).toEqual(all)
    }
    expect((await collect(local({ chunking: 'byte' }).client)).events.at(-1)).toBe('message_stop')
  })

  test('refuses a size that is none', () => {
    for (const chunking of [0, 1.5, -1]) expect(() => local({ chunking })).toThrow(TypeError)
  })
})
