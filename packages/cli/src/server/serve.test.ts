import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, get, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect, createServer as createSocketServer, type AddressInfo } from 'node:net'
import { buffer, text as textOf } from 'node:stream/consumers'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { reply, startLab, text } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onlyHere, type Exposure } from './exposure.ts'
import { serve } from './serve.ts'
import { upstreamFetch } from '../gateway/upstream-fetch.ts'

const fixture = (name: string) => readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), 'utf8')

async function stage(exposure: Partial<Exposure> = {}, options: GatewayOptions = {}) {
  const lab = await startLab({ model: () => reply(text('Hello.')) })
  const gateway = createGateway({ upstream: lab.url, ...options })
  const served = await serve(gateway, { ...onlyHere, ...exposure }, 0)
  onTestFinished(async () => {
    await served.close()
    await lab.close()
  })
  return { lab, ...served, port: Number(new URL(served.url).port) }
}

/** What comes back for these bytes. */
async function say(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return textOf(socket)
}

function begin(controller: ReadableStreamDefaultController<Uint8Array>): void {
  controller.enqueue(Buffer.from('begun'))
}

describe('a client that sends', () => {
  test('headers that are too large is told so in the form of the API', async () => {
    const { port } = await stage()
    const said = await say(port, `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`)
    expect(said).toMatch(/^HTTP\/1\.1 431 /)
    expect(JSON.parse(said.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'lastgood: the headers are larger than 65536 bytes' },
    })
  })

  test('large headers, as long as they fit, is served', async () => {
    const { url } = await stage()
    const headers = { 'anthropic-beta': 'a-beta-2026-01-01,'.repeat(2000) }
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200)
  })

  test('no HTTP is told so', async () => {
    const { port } = await stage()
    expect(await say(port, 'hello?\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*this is not an HTTP request/s)
  })
})

test('a client that sends stray bytes into its own answer has no other answer in it', async () => {
  const { port } = await stage({}, { fetch: async () => new Response(new ReadableStream({ start: begin })) })
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  let said = String((await once(socket, 'data'))[0])
  if (!said.includes('begun')) said += String((await once(socket, 'data'))[0])
  socket.write('stray\r\n\r\n')
  expect(said + (await textOf(socket).catch(() => ''))).not.toMatch(/HTTP.*HTTP/s)
})

describe('when it is closed', () => {
  test('a client that reads slowly has all of its answer, also of one that passes', async () => {
    const whole = Buffer.alloc(8 * 1024 * 1024, 'x')
    const { url, close } = await stage({}, { fetch: async () => new Response(whole) })
    const [incoming] = (await once(get(`${url}/v1/files/x/content`), 'response')) as [IncomingMessage]
    await once(incoming, 'readable')
    const closed = close()
    // Its turn comes while all is being closed.
    await new Promise((resolve) => setImmediate(resolve))
    expect((await buffer(incoming)).length).toBe(whole.length)
    await closed
  })
})

test.each(['/v1/messages', '/v1/files'])(
  'an upload to %s that is refused before its end hears why, and its connection is read on',
  async (path) => {
    const api = createServer((_request, response) => void response.writeHead(413).end('too large'))
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    const outside = upstreamFetch({})
    onTestFinished(async () => {
      await outside.close()
      api.close()
    })
    const upstream = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    const { port } = await stage({}, { maxBodyBytes: 1000, upstream, fetch: outside.fetch })
    const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n`
    const socket = connect(port, '127.0.0.1')
    socket.write(`${head}7d0\r\n${'x'.repeat(2000)}\r\n`)
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 413 /)
    const rest = `${`7d0\r\n${'x'.repeat(2000)}\r\n`.repeat(500)}0\r\n\r\n`
    socket.write(`${rest}GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
    expect(await textOf(socket)).toContain('HTTP/1.1 200 ')
  },
)

const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })
const unreachable = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })

test.each([
  ['is not to be sent again where the API stopped reading', broken, 'false', /stopped reading this upload/],
  ['as Node tells it', new TypeError('fetch failed', { cause: broken }), 'false', /stopped reading this upload/],
  ['may be sent again where nobody read', unreachable, 'true', /the gateway failed: connect ECONNREFUSED/],
])('an upload %s', async (_claim, error, again, words) => {
  const { url } = await stage({}, { fetch: () => Promise.reject(error) })
  const response = await fetch(`${url}/v1/files`, { method: 'POST', body: 'x'.repeat(2000) })
  expect(response.status).toBe(502)
  expect(response.headers.get('x-should-retry')).toBe(again)
  expect(await response.json()).toMatchObject({ error: { type: 'api_error', message: expect.stringMatching(words) } })
})

test('with a certificate it is HTTPS', async () => {
  const tls = { cert: fixture('tls-cert.pem'), key: fixture('tls-key.pem') }
  const { url } = await stage({ tls })
  const asked = request(`${url}/v1/models`, { ca: tls.cert, headers: { 'x-api-key': 'k' } }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  await textOf(response)
})

test('requests leave by the proxy that the environment names, unless it says not to', async () => {
  const seen: string[] = []
  const proxy = createServer().on('connect', (asked: IncomingMessage, socket, head: Buffer) => {
    seen.push(asked.url ?? '')
    const { hostname, port } = new URL(`http://${asked.url}`)
    const there = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      there.write(head)
      there.pipe(socket).pipe(there)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  for (const env of [{ HTTP_PROXY }, { HTTP_PROXY, NO_PROXY: '127.0.0.1' }]) {
    const outside = upstreamFetch(env)
    const { url } = await stage({}, { fetch: outside.fetch })
    expect((await fetch(`${url}/v1/models`, { headers: { 'x-api-key': 'k' } })).status).toBe(200)
    await outside.close()
  }
  expect(seen).toHaveLength(1)
})

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['x-gzip', gzipSync],
  ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
] as const)(
  'what the API compresses all the same (%s) is read, and Node warns of nothing',
  async (encoding, compress) => {
    const api = createServer((_request, response) => {
      response.setHeader('content-encoding', encoding)
      response.end(compress('{"models":[]}'))
    })
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    const warnings: Error[] = []
    const warned = (warning: Error) => void warnings.push(warning)
    process.on('warning', warned)
    const outside = upstreamFetch({})
    onTestFinished(async () => {
      process.off('warning', warned)
      await outside.close()
      api.close()
    })
    const { port } = api.address() as AddressInfo
    const { url } = await stage({}, { upstream: `http://127.0.0.1:${port}`, fetch: outside.fetch })
    const response = await fetch(`${url}/v1/models`)
    expect(response.headers.has('content-encoding')).toBe(false)
    expect(await response.text()).toBe('{"models":[]}')
    expect(warnings).toEqual([])
  },
)

test('an answer with words beside its status that are no ASCII is passed on', async () => {
  const api = createSocketServer((socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 404 \u6ca1\u6709\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnone'),
    )
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  const outside = upstreamFetch({})
  onTestFinished(async () => {
    await outside.close()
    api.close()
  })
  const { port } = api.address() as AddressInfo
  const { url } = await stage({}, { upstream: `http://127.0.0.1:${port}`, fetch: outside.fetch })
  const response = await fetch(`${url}/v1/models`)
  expect([response.status, await response.text()]).toEqual([404, 'none'])
})
