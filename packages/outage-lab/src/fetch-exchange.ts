/**
 * An exchange without a socket: a request in, a Response out, and the errors that Node's fetch would have.
 * 1. Nothing here waits on a real timer, so a virtual clock drives all of it.
 * 2. Writing never waits for the reader; a break or the end takes effect after what was written before it.
 * 3. If the request is aborted, the client has gone: what it has not read is dropped, and it gets the signal's reason.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { waitFor, type Exchange, type Incoming, type Sleep } from './exchange.ts'

const BODYLESS = new Set([204, 205, 304])

type Item =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly error: unknown }

export interface FetchExchange {
  readonly exchange: Exchange
  readonly response: Promise<Response>
  /** As when the server's process dies. */
  readonly drop: () => void
}

export function fetchExchange(method: string, signal: AbortSignal | undefined, sleep: Sleep): FetchExchange {
  const leaving = new AbortController()
  const line: Item[] = []
  let begun = false
  let wake = (): void => undefined
  let resolve: (response: Response) => void
  let reject: (reason: unknown) => void
  const response = new Promise<Response>((onAnswer, onError) => {
    resolve = onAnswer
    reject = onError
  })
  let body: ReadableStreamDefaultController<Uint8Array> | undefined

  const push = (item: Item): void => {
    line.push(item)
    wake()
  }
  const leave = (): void => {
    leaving.abort()
    wake()
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        body = controller
      },
      async pull(controller) {
        while (line.length === 0 && !leaving.signal.aborted)
          await new Promise<void>((woken) => {
            wake = woken
          })
        const item = line.shift()
        if (item?.kind === 'bytes') controller.enqueue(item.bytes)
        if (item?.kind === 'error') controller.error(item.error)
        if (item?.kind === 'end') controller.close()
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )
  const begin = (status: number, headers: OutgoingHttpHeaders): void => {
    if (leaving.signal.aborted) return
    begun = true
    const none = method === 'HEAD' || BODYLESS.has(status)
    resolve(new Response(none ? null : stream, { status, headers: fetchHeaders(headers) }))
  }
  const fail = (cause: Error): void => {
    if (leaving.signal.aborted) return
    if (begun) push({ kind: 'error', error: new TypeError('terminated', { cause }) })
    else reject(new TypeError('fetch failed', { cause }))
    leave()
  }
  const end = (): boolean => {
    if (leaving.signal.aborted) return false
    push({ kind: 'end' })
    leave()
    return true
  }
  const write = (bytes: Uint8Array): void => {
    if (!leaving.signal.aborted && bytes.length > 0) push({ kind: 'bytes', bytes: Uint8Array.from(bytes) })
  }
  const abandon = (): void => {
    const over = leaving.signal.aborted && line.length === 0
    line.length = 0
    leave()
    if (!begun) reject(signal?.reason)
    else if (!over) body?.error(signal?.reason)
  }
  if (signal?.aborted) abandon()
  signal?.addEventListener('abort', abandon, { once: true })

  return {
    response,
    drop: () => fail(closed()),
    exchange: {
      get gone() {
        return leaving.signal.aborted
      },
      get begun() {
        return begun
      },
      begin,
      write: async (bytes) => write(bytes),
      end: async () => end(),
      async answer(status, headers, text) {
        const bytes = Buffer.from(text)
        begin(status, { ...headers, 'content-length': bytes.length })
        write(bytes)
        return end()
      },
      reset: async () => fail(coded('read ECONNRESET', 'ECONNRESET')),
      close: async () => fail(closed()),
      wait: (ms) => waitFor(leaving.signal, sleep, ms),
    },
  }
}

/** What a call of fetch asks for. */
export async function readFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Incoming> {
  const asked = input instanceof Request ? input : undefined
  const { pathname, search } = new URL(input instanceof Request ? input.url : input, 'http://lab')
  const text = typeof init.body === 'string' ? init.body : await textOf(asked, init)
  return {
    method: init.method ?? asked?.method ?? 'GET',
    path: pathname + search,
    headers: Object.fromEntries(new Headers(init.headers ?? asked?.headers)),
    body: async (maxBytes) => (Buffer.byteLength(text) > maxBytes ? undefined : text),
  }
}

function textOf(asked: Request | undefined, { body }: RequestInit): Promise<string> {
  if (body !== undefined && body !== null) return new Response(body).text()
  return asked ? asked.text() : Promise.resolve('')
}

function fetchHeaders(headers: OutgoingHttpHeaders): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) result.set(name, String(value))
  return result
}

function closed(): Error {
  return coded('other side closed', 'UND_ERR_SOCKET')
}

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code })
}
