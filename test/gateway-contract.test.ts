/**
 * What a client of the Messages API may expect of a gateway, line by line, as `claude gateway` states it on its protocol
 * page: unknown things pass, streams are not buffered, silence is filled with pings, refusals keep their bodies, and
 * the smaller endpoints exist. The API is a bare server that shows what reached it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { writeEvent } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Gate } from './support/harness.ts'

interface Reached {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: Buffer
}

type Answer = (request: Reached, response: ServerResponse) => unknown

const whole = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 1 },
}
const json: Answer = (_request, response) => response.end(JSON.stringify(whole))

async function stage(answer: Answer = json, options: GatewayOptions = {}) {
  const reached: Reached[] = []
  const api = createServer((request, response) => {
    void buffer(request).then((body) => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
      reached.push(one)
      response.setHeader('content-type', 'application/json')
      answer(one, response)
    })
  })
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  const upstream = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  // What a test does not read is not waited for.
  const gateway = createGateway({ upstream, drainMs: 0, ...options })
  onTestFinished(async () => {
    api.closeAllConnections()
    api.close()
    await gateway.close()
  })
  const send = (path: string, init: RequestInit = {}) =>
    gateway.fetch(new Request(`http://127.0.0.1:4141${path}`, init))
  const ask = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = { 'x-api-key': 'k' }) =>
    send('/v1/messages?beta=true', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  return { reached, send, ask }
}

const asking = (more: object = {}) => ({
  model: 'claude-opus-5-5',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'Hello' }],
  ...more,
})

describe('what the gateway does not know passes', () => {
  test('in the body, byte for byte', async () => {
    const { ask, reached } = await stage()
    const body = `{ "model":"claude-next-9",\n "max_tokens": 9, "future_field": {"b":1,"a":[1.0, 2e3]}, "thinking":{"type":"telepathic"},
      "messages": [ {"role":"user","content":[{"type":"hologram","x":1},{"type":"text","text":"\\u00e9"}]}, {"role":"system","content":"now"} ] }`
    expect((await ask(body)).status).toBe(200)
    expect(reached[0]?.body.toString()).toBe(body)
  })

  test('in headers, betas and the query', async () => {
    const { ask, reached } = await stage()
    await ask(JSON.stringify(asking()), {
      'x-api-key': 'k',
      'anthropic-beta': 'future-2030-01-01, context-1m-2025-08-07',
      'anthropic-version': '2023-06-01',
      'x-future': 'yes',
      'user-agent': 'claude-cli/9.9.9 (external, cli)',
    })
    expect(reached[0]).toMatchObject({
      method: 'POST',
      url: '/v1/messages?beta=true',
      headers: {
        'anthropic-beta': 'future-2030-01-01, context-1m-2025-08-07',
        'anthropic-version': '2023-06-01',
        'x-future': 'yes',
        'user-agent': 'claude-cli/9.9.9 (external, cli)',
      },
    })
  })

  test.each([{ 'x-api-key': 'sk-ant-key' }, { authorization: 'Bearer sk-ant-oat' }])(
    'as credentials: %j',
    async (auth) => {
      const { ask, reached } = await stage()
      await ask(JSON.stringify(asking()), auth)
      expect(reached[0]?.headers).toMatchObject(auth)
    },
  )

  test('in the headers and the fields of an answer', async () => {
    const { ask } = await stage((_request, response) => {
      response.setHeader('request-id', 'req_1')
      response.setHeader('anthropic-ratelimit-requests-remaining', '7')
      response.end(`{"future": 1.0, ${JSON.stringify(whole).slice(1)}`)
    })
    const answer = await ask(JSON.stringify(asking()))
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'request-id': 'req_1',
      'anthropic-ratelimit-requests-remaining': '7',
    })
    expect(await answer.text()).toMatch(/^\{"future": 1\.0, "id"/)
  })

  test.each([true, false])('in the status of an answer that a proxy has changed (stream: %s)', async (stream) => {
    const { ask } = await stage((_request, response) => {
      response.statusCode = 203
      if (stream) response.setHeader('content-type', 'text/event-stream')
      response.end(stream ? eventsOf(['hi']).join('') : JSON.stringify(whole))
    })
    const answer = await ask(JSON.stringify(asking({ stream })))
    expect(answer.status).toBe(203)
    expect(await answer.text()).toContain(stream ? 'message_stop' : 'end_turn')
  })

  test('as events of a stream', async () => {
    const { ask } = await stage((_request, response) => {
      response.setHeader('content-type', 'text/event-stream')
      const [start = '', ...rest] = eventsOf(['hi'])
      response.end([start, 'event: future\ndata: {"type":"future","x": 1.0}\n\n', ...rest].join(''))
    })
    const said = await (await ask(JSON.stringify(asking({ stream: true })))).text()
    expect(said).toContain('event: future\ndata: {"type":"future","x": 1.0}\n\n')
  })
})

describe('a stream', () => {
  test('is not buffered: each event is there before the next one is sent', async () => {
    const gates = eventsOf(['one', 'two', 'three']).map((event) => ({ event, gate: new Gate() }))
    const { ask } = await stage(async (_request, response) => {
      response.setHeader('content-type', 'text/event-stream')
      for (const { event, gate } of gates) {
        response.write(event)
        await gate.pass()
      }
      response.end()
    })
    const answer = await ask(JSON.stringify(asking({ stream: true })))
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    // The end alone waits: it is handed out when it is durable.
    for (const { event, gate } of gates.slice(0, -2)) {
      let got = ''
      while (got.length < event.length) got += (await reader?.read())?.value ?? ''
      expect(got).toBe(event)
      gate.open()
    }
    for (const { gate } of gates.slice(-2)) gate.open()
    let rest = ''
    for (let piece = await reader?.read(); !piece?.done; piece = await reader?.read()) rest += piece?.value ?? ''
    expect(rest).toContain('event: message_stop')
  })

  test('has a ping in each silence that is long, also before the first event', async () => {
    const clock = new ManualClock()
    const gate = new Gate()
    const { ask } = await stage(
      async (_request, response) => {
        response.setHeader('content-type', 'text/event-stream')
        const [start = '', ...rest] = eventsOf(['hi'])
        response.write(start)
        await gate.pass()
        response.end(rest.join(''))
      },
      { clock, pingMs: 10_000 },
    )
    const answer = await ask(JSON.stringify(asking({ stream: true })))
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toContain('message_start')
    for (let n = 0; n < 3; n += 1) {
      const silent = reader?.read()
      await gate.reached
      await clock.advance(10_000)
      expect((await silent)?.value).toBe('event: ping\ndata: {"type":"ping"}\n\n')
    }
    gate.open()
    await reader?.cancel()
  })
})

describe('a refusal keeps its body', () => {
  test.each([
    [400, '{"type":"error",  "error":{"type":"invalid_request_error","message":"max_tokens: too \\u0062ig"}}\n'],
    [413, '<html>\r\n<h1>413 Request Entity Too Large</h1></html>'],
    [413, '{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}'],
    [404, '{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"},"request_id":"req_9"}'],
  ])('%i %s', async (status, body) => {
    const { ask } = await stage((_request, response) => response.writeHead(status).end(body))
    const answer = await ask(JSON.stringify(asking()))
    expect([answer.status, await answer.text()]).toEqual([status, body])
  })
})

describe('the smaller endpoints are there', () => {
  test.each([
    ['POST', '/v1/messages/count_tokens?beta=true', '{"model":"m","messages":[]}'],
    ['GET', '/v1/models?limit=1000', undefined],
    ['GET', '/v1/models/claude-opus-5-5', undefined],
    ['HEAD', '/', undefined],
    ['POST', '/api/event_logging/batch', '{}'],
    ['DELETE', '/v1/files/file_1', undefined],
    ['OPTIONS', '/v1/messages', undefined],
  ])('%s %s', async (method, path, body) => {
    const { send, reached } = await stage()
    const answer = await send(path, { method, ...(body && { body }) })
    expect(answer.status).toBe(200)
    expect(reached).toMatchObject([{ method, url: path }])
    expect(reached[0]?.body.toString()).toBe(body ?? '')
  })

  test.each(['/v1/files', '/v1/messages/batches', '/v1/messages/count_tokens'])(
    '%s takes what is larger than a Messages request may be, piece by piece',
    async (path) => {
      const { send, reached } = await stage(json, { maxBodyBytes: 1000 })
      const gates = [new Gate(), new Gate(), new Gate()]
      const body = ReadableStream.from(
        (async function* () {
          for (const gate of gates) {
            yield new Uint8Array(1000)
            // Asked for more: the piece before has left.
            gate.open()
          }
        })(),
      )
      const init = { method: 'POST', body, duplex: 'half' as const, headers: { 'content-length': '3000' } }
      expect((await send(path, init)).status).toBe(200)
      expect(reached[0]?.body.length).toBe(3000)
      expect(reached[0]?.headers['content-length']).toBe('3000')
      await Promise.all(gates.map((gate) => gate.pass()))
    },
  )

  test('bytes that are no text pass as they are', async () => {
    const { send, reached } = await stage()
    const body = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await send('/v1/files', { method: 'POST', body })
    expect(reached[0]?.body).toEqual(Buffer.from(body))
  })
})

test('what the API compressed is read, and told as what it is', async () => {
  const { ask } = await stage((_request, response) => {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync(JSON.stringify(whole)))
  })
  const answer = await ask(JSON.stringify(asking()))
  expect(answer.headers.has('content-encoding')).toBe(false)
  expect(await answer.json()).toEqual(whole)
})

test.each(['compress', 'gzip, compress'])('what nobody here can decode (%s) keeps its name', async (encoding) => {
  const { send } = await stage((_request, response) => {
    response.setHeader('content-encoding', encoding)
    response.end('packed')
  })
  const answer = await send('/v1/models')
  expect([answer.headers.get('content-encoding'), await answer.text()]).toEqual([encoding, 'packed'])
})

test('what an answer says of the connection to the API is not told', async () => {
  const { send } = await stage((_request, response) => {
    for (const name of ['x-hop', 'proxy-authenticate', 'x-end']) response.setHeader(name, 'v')
    response.setHeader('connection', 'x-hop, close')
    response.end('{}')
  })
  const { headers } = await send('/v1/models')
  expect(['connection', 'x-hop', 'proxy-authenticate', 'x-end'].filter((name) => headers.has(name))).toEqual(['x-end'])
})

test('a request may be as large as the API takes it: 32 MB', async () => {
  const { ask, reached } = await stage()
  const body = JSON.stringify(asking({ messages: [{ role: 'user', content: 'x'.repeat(32_000_000) }] }))
  expect((await ask(body)).status).toBe(200)
  expect(reached[0]?.body.length).toBe(body.length)
})

/** A streamed answer of these words: start, block start, a delta each, block end, the end. */
function eventsOf(words: readonly string[]): string[] {
  const index = 0
  return [
    writeEvent('message_start', { type: 'message_start', message: { ...whole, content: [], stop_reason: null } }),
    writeEvent('content_block_start', {
      type: 'content_block_start',
      index,
      content_block: { type: 'text', text: '' },
    }),
    ...words.map((text) =>
      writeEvent('content_block_delta', { type: 'content_block_delta', index, delta: { type: 'text_delta', text } }),
    ),
    writeEvent('content_block_stop', { type: 'content_block_stop', index }),
    writeEvent('message_delta', {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 3 },
    }),
    writeEvent('message_stop', { type: 'message_stop' }),
  ]
}
