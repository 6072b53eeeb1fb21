/**
 * How the gateway's requests leave: without the time limits of `fetch`, which would end a long answer, since the watchdog
 * has those; by the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`); and without the copies that `fetch`
 * makes of a body, since a conversation is sent whole with every request.
 */
import type { Fetch } from '@lastgood/gateway'
import { EnvHttpProxyAgent, interceptors, request } from 'undici'
import type { Env } from '../context.ts'

export interface UpstreamFetch {
  fetch: Fetch
  close(): Promise<void>
}

/** Long enough for the pauses between two turns; the API closes an idle connection when it likes. */
const keepAliveMs = 60_000

/** Statuses whose responses have no body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

export function upstreamFetch(env: Env): UpstreamFetch {
  const of = (name: string) => env[name.toLowerCase()] ?? env[name] ?? ''
  const agent = new EnvHttpProxyAgent({
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    httpProxy: of('HTTP_PROXY'),
    httpsProxy: of('HTTPS_PROXY'),
    noProxy: of('NO_PROXY'),
  })
  const dispatcher = agent.compose(interceptors.decompress())
  return {
    async fetch(url, { method = 'GET', headers, body, signal }) {
      const {
        statusCode,
        statusText,
        headers: received,
        body: stream,
      } = await request(url, {
        dispatcher,
        method: method as 'GET',
        // Asked for nothing else, it seldom compresses; what it compresses all the same is read.
        headers: { 'accept-encoding': 'identity', ...Object.fromEntries(new Headers(headers)) },
        body: (body ?? null) as Uint8Array | null,
        signal: signal ?? null,
      })
      const isEmpty = bodiless.has(statusCode) || method === 'HEAD'
      if (isEmpty) await stream.dump()
      return new Response(isEmpty ? null : piecesOf(stream), {
        status: statusCode,
        statusText,
        headers: webHeaders(received),
      })
    },
    close: () => agent.destroy(),
  }
}

/** As they come, and no sooner than they are asked for. */
function piecesOf(stream: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown }): ReadableStream<Uint8Array> {
  const pieces = stream[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel(reason) {
        stream.destroy(reason instanceof Error ? reason : undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

function webHeaders(received: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received)) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  return headers
}
