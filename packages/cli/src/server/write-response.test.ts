import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { writeResponse } from './write-response.ts'

/** What a client gets of `response`. */
async function gotten(response: Response): Promise<IncomingMessage> {
  const server = createServer((_, outgoing) => void writeResponse(response, outgoing))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const [incoming] = await once(get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }), 'response')
  return incoming as IncomingMessage
}

function controlled() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let cancelled!: () => void
  const isCancelled = new Promise<void>((resolve) => (cancelled = resolve))
  let asked = 0
  const body = new ReadableStream<Uint8Array>(
    { start: (given) => void (controller = given), pull: () => void (asked += 1), cancel: () => cancelled() },
    { highWaterMark: 0 },
  )
  return {
    body,
    isCancelled,
    asked: () => asked,
    controller,
    give: (piece: string) => controller.enqueue(Buffer.from(piece)),
  }
}

test('status, headers and all cookies arrive before there is a body', async () => {
  const { body, give, controller } = controlled()
  const headers: [string, string][] = [
    ['x-one', '1'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]
  const incoming = await gotten(new Response(body, { status: 418, headers }))
  expect(incoming.statusCode).toBe(418)
  expect(incoming.headers).toMatchObject({ 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] })
  give('late')
  controller.close()
  expect(await text(incoming)).toBe('late')
})

test('a piece goes out as it comes', async () => {
  const { body, give } = controlled()
  const incoming = await gotten(new Response(body))
  for (const piece of ['one', 'two']) {
    give(piece)
    expect(String((await once(incoming, 'data'))[0])).toBe(piece)
  }
})

test('without a body it ends at once', async () => {
  expect(await text(await gotten(new Response(null, { status: 204 })))).toBe('')
})

test('a body that breaks is no end of it', async () => {
  const { body, give, controller } = controlled()
  const incoming = await gotten(new Response(body))
  give('half')
  await once(incoming, 'readable')
  controller.error(new Error('broken'))
  await expect(text(incoming)).rejects.toThrow('aborted')
})

test('when the client had gone before there was an answer, the body is cancelled, and nothing is waited for', async () => {
  const { body, isCancelled } = controlled()
  const server = createServer()
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).on('error', () => {})
  const [incoming, outgoing] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  const left = once(outgoing, 'close')
  incoming.socket.destroy()
  await left
  await writeResponse(new Response(body), outgoing)
  await expect(isCancelled).resolves.toBeUndefined()
})

test('when the client has gone, the body is cancelled', async () => {
  const { body, give, isCancelled } = controlled()
  const incoming = await gotten(new Response(body))
  give('half')
  incoming.destroy()
  await expect(isCancelled).resolves.toBeUndefined()
})

test('a body that breaks while its client reads nothing breaks the connection', async () => {
  const { body, give, asked, controller } = controlled()
  const server = createServer()
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  client.on('error', () => {})
  client.on('response', (incoming) => incoming.pause())
  onTestFinished(() => void client.destroy())
  const [, outgoing] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  const closed = once(outgoing, 'close')
  const written = writeResponse(new Response(body), outgoing)
  for (let given = 0; asked() > given; given++) {
    give('x'.repeat(1024 * 1024))
    await new Promise((resolve) => setImmediate(resolve))
  }
  controller.error(new Error('broken'))
  await closed
  await expect(written).resolves.toBeUndefined()
})

test('a client that reads nothing is not read ahead of without end, and its end is noticed', async () => {
  const { body, give, asked, isCancelled } = controlled()
  const incoming = await gotten(new Response(body))
  incoming.pause()
  const megabyte = 'x'.repeat(1024 * 1024)
  let given = 0
  while (asked() > given && given < 200) {
    give(megabyte)
    given += 1
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(given).toBeGreaterThan(0)
  expect(given).toBeLessThan(200)
  incoming.destroy()
  await isCancelled
})
