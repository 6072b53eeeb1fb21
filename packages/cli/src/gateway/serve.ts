/** The socket in front of a gateway. */
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { LastgoodError } from '@lastgood/core'
import type { Gateway } from '@lastgood/gateway'

export interface Served {
  /** What clients are given: `http://127.0.0.1:4141`. */
  readonly url: string
  /** Takes no more connections, lets the answers in hand come to their end, and closes the gateway. */
  close(): Promise<void>
}

/** Port 0 takes one that is free. Errors: `bad-option` for an address that cannot be taken. */
export async function serve(gateway: Gateway, host: string, port: number): Promise<Served> {
  // The globals of the process are the user's.
  const listener = getRequestListener((request) => gateway.fetch(request), { overrideGlobalObjects: false })
  const server = createServer((request, response) => void listener(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(notServed(host, port, cause)))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await gateway.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function notServed(host: string, port: number, cause: NodeJS.ErrnoException): LastgoodError {
  const why =
    cause.code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be taken (${cause.code ?? cause.name})`
  return new LastgoodError('bad-option', `port ${port} of ${host} ${why}`, {
    hint: `choose another one: lastgood gateway --port ${port + 1}`,
    cause,
  })
}
