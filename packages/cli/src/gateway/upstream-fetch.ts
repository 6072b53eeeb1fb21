/**
 * How the gateway's requests leave: without the time limits of `fetch`, which would end a long answer (the watchdog has
 * its own); through the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`); and without the copies that
 * `fetch` makes of a body, since every request carries the whole conversation.
 */
import { finished, pipeline, type Readable, type Transform } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { streamOf } from '@lastgood/core'
import type { Fetch } from '@lastgood/gateway'
import { EnvHttpProxyAgent, request } from 'undici'
import type { Env } from '../context.ts'
import { connectToRead } from './read-on.ts'

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
  const dispatcher = new EnvHttpProxyAgent({
    connect: connectToRead,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    httpProxy: of('HTTP_PROXY'),
    httpsProxy: of('HTTPS_PROXY'),
    noProxy: of('NO_PROXY'),
  })
  return {
    async fetch(url, { method = 'GET', headers, body, signal }) {
      const {
        statusCode,
        headers: received,
        body: stream,
      } = await request(url, {
        dispatcher,
        method: method as 'GET',
        // Asked for `identity`, the API seldom compresses; if it does all the same, the body is decoded.
        headers: {
          'accept-encoding': 'identity',
          ...Object.fromEntries(headers instanceof Headers ? headers : new Headers(headers)),
        },
        body: (body ?? null) as Uint8Array | null,
        signal: signal ?? null,
      })
      const isEmpty = bodiless.has(statusCode) || method === 'HEAD'
      if (isEmpty) await stream.dump()
      const responseHeaders = webHeaders(received)
      const decoded = decodedBody(stream, responseHeaders)
      // Without the words beside the status, which nobody reads: in UTF-8, they are none that a `Response` takes.
      return new Response(isEmpty ? null : webStream(decoded), {
        status: statusCode,
        headers: responseHeaders,
      })
    },
    close: () => dispatcher.destroy(),
  }
}

/** Each flushes at once: an event does not wait for the next one. */
const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  'x-gzip': () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createInflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
}

/** The decompressed body, without the headers of the compression; unchanged if one of its codings is unknown. */
function decodedBody(stream: Readable, headers: Headers): Readable {
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',')
  const known = codings.map((coding) => decoders[coding.trim()])
  if (!known.every((make) => make !== undefined)) return stream
  headers.delete('content-encoding')
  headers.delete('content-length')
  // The last coding was applied last. An error in one of the streams breaks the others, and reaches the reader.
  return known.reduceRight<Readable>((body, make) => pipeline(body, make(), () => {}), stream)
}

/** Its pieces as they come, and no sooner than they are asked for. */
function webStream(stream: Readable): ReadableStream<Uint8Array> {
  let asked: { give(piece: Uint8Array | undefined): void; fail(error: Error): void } | undefined
  let end: { error: Error | undefined } | undefined
  // Not by its iterator, which takes some more ticks for each piece.
  const give = () => {
    const piece = asked ? (stream.read() as Uint8Array | null) : null
    if (!asked || (!piece && !end)) return
    if (!piece && end?.error) asked.fail(end.error)
    else asked.give(piece ?? undefined)
    asked = undefined
  }
  stream.on('readable', give)
  finished(stream, (error) => {
    end = { error: error ?? undefined }
    give()
  })
  return streamOf({
    next: () =>
      new Promise((resolve, reject) => {
        asked = { give: resolve, fail: reject }
        give()
      }),
    async cancel(reason) {
      stream.destroy(reason instanceof Error ? reason : undefined)
    },
  })
}

function webHeaders(received: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received)) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  return headers
}
