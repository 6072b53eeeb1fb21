/**
 * The socket in front of a gateway.
 *
 * What is no HTTP, or has headers that are too large, is told so in the API's own form: clients read nothing else.
 */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { LastgoodError } from '@lastgood/core'
import type { Gateway } from '@lastgood/gateway'
import type { Exposure } from './exposure.ts'
import { writeResponse } from './write-response.ts'

export interface Served {
  /** What clients are given: `http://127.0.0.1:4141`. */
  readonly url: string
  /** Takes no more connections, lets the answers in hand come to their end, and closes the gateway. */
  close(): Promise<void>
}

/** Of all headers of a request: four times what Node has, since clients list their betas there. */
const maxHeaderBytes = 64 * 1024

/** Above the pause of a person between two requests, so that a client seldom writes into a connection that is closing. */
const keepAliveMs = 120_000

/** Port 0 takes one that is free. Errors: `bad-option` for an address that cannot be taken, or TLS that cannot be used. */
export async function serve(
  gateway: Pick<Gateway, 'fetch' | 'close'>,
  { host, tls }: Exposure,
  port: number,
): Promise<Served> {
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      // The body as the socket gives it: every other way to it copies the whole conversation.
      const response = await gateway.fetch(request, incoming as IncomingMessage)
      await writeResponse(response, outgoing as ServerResponse)
      return RESPONSE_ALREADY_SENT
    },
    // The globals of the process are the user's.
    { overrideGlobalObjects: false },
  )
  const options = { maxHeaderSize: maxHeaderBytes, keepAliveTimeout: keepAliveMs }
  const server = tls ? tlsServer({ ...options, ...tls }) : createServer(options)
  server.on('request', (request, response) => void listener(request, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => tell(error, socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(notServed(host, port, cause)))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : port
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await gateway.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function tlsServer(options: Parameters<typeof createTlsServer>[0]): Server {
  try {
    return createTlsServer(options)
  } catch (cause) {
    throw new LastgoodError('bad-option', `--tls-cert and --tls-key cannot be used: ${(cause as Error).message}`, {
      hint: 'give them PEM files that belong together',
      details: { field: '--tls-cert' },
      cause,
    })
  }
}

function tell(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const status = isTooLarge ? 431 : 400
  const message = isTooLarge ? `the headers are larger than ${maxHeaderBytes} bytes` : 'this is no HTTP request'
  const body = JSON.stringify({
    type: 'error',
    error: { type: 'invalid_request_error', message: `lastgood: ${message}` },
  })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json',
    'x-should-retry: false',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function notServed(host: string, port: number, cause: NodeJS.ErrnoException): LastgoodError {
  const why =
    cause.code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be taken (${cause.code ?? cause.name})`
  return new LastgoodError('bad-option', `port ${port} of ${host} ${why}`, {
    hint: `choose another one: --port ${port + 1}`,
    cause,
  })
}
