/**
 * An exchange over a real socket.
 * 1. Before a reset or a close, what was written gets time to arrive: when the connection breaks, an HTTP client drops
 *    what it has not yet handed on, and the cut would come too early.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { realSleep, waitFor, type Exchange, type Incoming, type Sleep } from './exchange.ts'

const ARRIVE_MS = 15

export function socketExchange(request: IncomingMessage, response: ServerResponse, sleep: Sleep): Exchange {
  const leaving = new AbortController()
  const { signal } = leaving
  response.on('close', () => leaving.abort())
  response.on('error', () => leaving.abort())
  /** On a real timer: the client's socket does not follow the lab's clock. */
  const arrive = async (): Promise<void> => {
    if (!signal.aborted) await realSleep(ARRIVE_MS, signal)
  }
  const end = async (): Promise<boolean> => {
    if (signal.aborted) return false
    return new Promise((resolve) => {
      response.once('finish', () => resolve(true))
      response.once('close', () => resolve(response.writableFinished))
      response.end()
    })
  }
  return {
    get gone() {
      return signal.aborted
    },
    get begun() {
      return response.headersSent
    },
    begin(status, headers) {
      if (signal.aborted) return
      response.writeHead(status, headers)
      response.flushHeaders()
    },
    async write(bytes) {
      if (signal.aborted || bytes.length === 0) return
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done)
        response.write(bytes, done)
      })
    },
    end,
    async answer(status, headers, body) {
      const bytes = Buffer.from(body)
      if (signal.aborted) return false
      response.writeHead(status, { ...headers, 'content-length': bytes.length })
      if (request.method !== 'HEAD') response.write(bytes)
      return end()
    },
    async reset() {
      await arrive()
      request.socket.resetAndDestroy()
    },
    async close() {
      await arrive()
      request.socket.destroySoon()
    },
    wait: (ms) => waitFor(signal, sleep, ms),
  }
}

export function readIncoming(request: IncomingMessage): Incoming {
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: request.headers,
    async body(maxBytes) {
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of request) {
        const bytes = Buffer.from(chunk)
        size += bytes.length
        if (size <= maxBytes) chunks.push(bytes)
      }
      return size > maxBytes ? undefined : Buffer.concat(chunks).toString('utf8')
    },
  }
}
