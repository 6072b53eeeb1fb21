/**
 * The socket in front of a gateway, a dashboard, or both.
 *
 * On close, the bytes written last get a while to leave: a client that is cut off earlier lacks the end of an answer.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { LastgoodError, systemClock } from '@lastgood/core'
import type { Gateway } from '@lastgood/gateway'
import { orLate } from '../or-late.ts'
import { tellClientError } from './client-error.ts'
import type { Exposure } from './exposure.ts'
import { writeResponse } from './write-response.ts'

export interface Served {
  /** The address for clients: `http://127.0.0.1:4141`. */
  readonly url: string
  /** Takes no more connections, lets the answers under way end, and closes what is served. */
  close(): Promise<void>
}

/** For all headers of a request: four times Node's limit, since clients list their betas there. */
const maxHeaderBytes = 64 * 1024

/** For a whole request: an upload may have 500 MB, on a slow line. Node's own limit is 5 min. */
const wholeRequestMs = 3_600_000

/** How long the bytes written last have to leave on close. */
const lastBytesMs = 2_000

/** Longer than a person's pause between two requests, so that a client seldom writes into a closing connection. */
const keepAliveMs = 120_000

/** Port 0 takes a free one. Errors: `bad-option` for an address that cannot be taken, or TLS that cannot be used. */
export async function serve(
  served: Pick<Gateway, 'fetch' | 'close'>,
  { host, tls }: Exposure,
  port: number,
): Promise<Served> {
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      // The body as the socket gives it: every other way to it copies the whole conversation. A gateway that stops
      // reading it still answers, so the socket stays.
      const pieces = (incoming as IncomingMessage).iterator({ destroyOnReturn: false })
      const response = await served.fetch(request, pieces)
      await writeResponse(response, outgoing as ServerResponse)
      return RESPONSE_ALREADY_SENT
    },
    // The globals of the process are the user's.
    { overrideGlobalObjects: false },
  )
  const options = { maxHeaderSize: maxHeaderBytes, keepAliveTimeout: keepAliveMs, requestTimeout: wholeRequestMs }
  const server = tls ? tlsServer({ ...options, ...tls }) : createServer(options)
  const open = new Set<ServerResponse>()
  server.on('request', (request, response) => {
    open.add(response)
    response.once('close', () => open.delete(response))
    void listener(request, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    tellClientError(
      error,
      socket,
      maxHeaderBytes,
      [...open].some((one) => one.socket === socket && one.headersSent),
    )
  })
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
      await served.close()
      const sent = Promise.all([...open].map((response) => once(response, 'close')))
      await orLate(systemClock, lastBytesMs, sent, () => {})
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

function notServed(host: string, port: number, cause: NodeJS.ErrnoException): LastgoodError {
  const { code = cause.name } = cause
  const isTaken = code === 'EADDRINUSE'
  const next = isTaken && port < 65_535 ? `--port ${port + 1}` : '--port 0, for any that is free'
  return new LastgoodError(
    'bad-option',
    `port ${port} of ${host} ${isTaken ? 'is taken by another process' : `cannot be taken (${code})`}`,
    {
      hint: notHere.has(code) ? 'name an address of this machine: --host 127.0.0.1' : `choose another one: ${next}`,
      cause,
    },
  )
}

/** Codes for which the port is not the reason. */
const notHere: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'])
