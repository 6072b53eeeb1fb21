/**
 * One request and its answer, over any transport: everything that can be done to a client, well or badly.
 * 1. After the client or the lab has gone, every write and wait returns at once.
 * 2. What was written arrives before the break that comes after it.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

export interface Incoming {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The exact text, or undefined if it is larger than the limit. */
  readonly body: (maxBytes: number) => Promise<string | undefined>
}

export interface Exchange {
  /** The client no longer reads. */
  readonly gone: boolean
  /** The head was sent. */
  readonly begun: boolean
  /** The head, and nothing else yet. */
  begin(status: number, headers: OutgoingHttpHeaders): void
  write(bytes: Uint8Array): Promise<void>
  /** The polite end. True if the whole answer was handed over. */
  end(): Promise<boolean>
  /** A whole answer at once. */
  answer(status: number, headers: OutgoingHttpHeaders, body: string | Uint8Array): Promise<boolean>
  /** TCP RST. */
  reset(): Promise<void>
  /** TCP FIN, whatever the body still promises. */
  close(): Promise<void>
  /** Waits `ms`, or until the client has gone. Without `ms`, only the latter ends it. */
  wait(ms?: number): Promise<void>
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

/** Until the signal, or for `ms` by `sleep`. */
export async function waitFor(signal: AbortSignal, sleep: Sleep, ms?: number): Promise<void> {
  if (signal.aborted) return
  if (ms !== undefined) return sleep(ms, signal)
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
