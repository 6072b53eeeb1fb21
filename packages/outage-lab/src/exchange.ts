/**
 * One request and its answer at the level of the socket: everything that can be done to a client, well or badly.
 * 1. After the client or the lab has gone, every write and wait returns at once.
 * 2. Before a reset or a close, what was written is given time to arrive: an HTTP client drops what it has not yet
 *    handed on when the connection breaks, and the point of the cut would be lost.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

const ARRIVE_MS = 15

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

export class Exchange {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #sleep: Sleep
  readonly #gone = new AbortController()

  constructor(request: IncomingMessage, response: ServerResponse, sleep: Sleep) {
    this.#request = request
    this.#response = response
    this.#sleep = sleep
    response.on('close', () => this.#gone.abort())
    response.on('error', () => this.#gone.abort())
  }

  /** Nobody reads any more. */
  get gone(): boolean {
    return this.#gone.signal.aborted
  }

  /** The head, and nothing else yet. */
  begin(status: number, headers: OutgoingHttpHeaders): void {
    if (this.gone) return
    this.#response.writeHead(status, headers)
    this.#response.flushHeaders()
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.gone || bytes.length === 0) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#gone.signal.removeEventListener('abort', done)
        resolve()
      }
      this.#gone.signal.addEventListener('abort', done)
      this.#response.write(bytes, done)
    })
  }

  /** The polite end. True if the whole answer was handed over. */
  async end(): Promise<boolean> {
    if (this.gone) return false
    return new Promise((resolve) => {
      this.#response.once('finish', () => resolve(true))
      this.#response.once('close', () => resolve(this.#response.writableFinished))
      this.#response.end()
    })
  }

  /** A whole answer at once. */
  async answer(status: number, headers: OutgoingHttpHeaders, body: string | Uint8Array): Promise<boolean> {
    const bytes = Buffer.from(body)
    if (this.gone) return false
    this.#response.writeHead(status, { ...headers, 'content-length': bytes.length })
    if (this.#request.method !== 'HEAD') this.#response.write(bytes)
    return this.end()
  }

  /** TCP RST. */
  async reset(): Promise<void> {
    await this.#arrive()
    this.#request.socket.resetAndDestroy()
  }

  /** TCP FIN, whatever the body still promises. */
  async close(): Promise<void> {
    await this.#arrive()
    this.#request.socket.destroySoon()
  }

  /** On a real timer: this is about the client's socket, not about the lab's time. */
  async #arrive(): Promise<void> {
    if (!this.gone) await realSleep(ARRIVE_MS, this.#gone.signal)
  }

  /** Waits, but not for a client that has gone. Without `ms` it waits for just that. */
  async wait(ms?: number): Promise<void> {
    if (this.gone) return
    if (ms !== undefined) return this.#sleep(ms, this.#gone.signal)
    await new Promise<void>((resolve) => this.#gone.signal.addEventListener('abort', () => resolve()))
  }
}

export const realSleep: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
