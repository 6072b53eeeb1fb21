/** Bodies of requests and responses. */
import { LastgoodError, type Clock } from '@lastgood/core'
import { withoutConnection } from './connection.ts'
import { settled, Silence } from './silence.ts'

/** The codings that `fetch` decodes: https://fetch.spec.whatwg.org/#handle-content-codings */
const decoded: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br'])

/** A response with a new or a decoded body, without the headers about framing, which are no longer true. */
export function replaceBody(
  { status, statusText, headers }: Pick<Response, 'status' | 'statusText' | 'headers'>,
  body: string | ReadableStream<Uint8Array> | null,
): Response {
  const kept = withoutConnection(headers)
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',')
  // A body that cannot be decoded here passes as it is.
  if (codings.every((coding) => decoded.has(coding.trim()))) kept.delete('content-encoding')
  const isEmpty = status === 204 || status === 304
  return new Response(isEmpty ? null : body, { status, statusText, headers: kept })
}

/** The body as it comes, for a request that is passed on; undefined if there is none. It breaks with `BodyStalled`. */
export function bodyStreamOf(
  request: Request,
  pieces: AsyncIterable<Uint8Array> | undefined,
  clock: Clock,
): ReadableStream<Uint8Array> | undefined {
  const { method, headers } = request
  if (method === 'GET' || method === 'HEAD') return undefined
  const isThere = !pieces || headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0
  const given = isThere && (pieces ?? request.body)
  return given ? ReadableStream.from(withoutSilence(given, clock)) : undefined
}

/**
 * The whole body; undefined if there is none. Errors: `bad-option` for one that is too large, of which no more than
 * `maxBodyBytes` is ever held, and `BodyStalled`.
 */
export async function bodyOf(
  request: Request,
  pieces: AsyncIterable<Uint8Array> | undefined,
  { maxBodyBytes, clock }: { maxBodyBytes: number; clock: Clock },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
  const given = pieces ?? request.body
  if (!given) return undefined
  const all: Uint8Array[] = []
  let length = 0
  for await (const piece of withoutSilence(given, clock)) {
    length += piece.length
    if (length > maxBodyBytes) throw tooLarge(maxBodyBytes)
    all.push(piece)
  }
  return length === 0 ? undefined : Buffer.concat(all, length)
}

/** Nothing more came of a body, whose request occupies a place that others wait for. */
export class BodyStalled extends Error {}

/** Even on the slowest line a piece comes within seconds: only a client that hangs or has gone is silent this long. */
const longestSilenceMs = 60_000

async function* withoutSilence(pieces: AsyncIterable<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  const silence = new Silence(clock, longestSilenceMs)
  const all = pieces[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await silence.orBefore(settled(all.next()))
      if (!next) throw new BodyStalled(`no more of the request arrived within ${longestSilenceMs / 1000} s`)
      if ('error' in next) throw next.error
      if (next.value.done) return
      yield next.value.value
    }
  } finally {
    silence.stop()
    // Not awaited: that would wait for the piece that does not come.
    all.return?.().catch(() => {})
  }
}

/** The one error of the gateway's own for which the API has a status and a type. */
export class RequestTooLarge extends LastgoodError {}

function tooLarge(maxBytes: number): LastgoodError {
  return new RequestTooLarge('bad-option', `the request is larger than ${maxBytes} bytes`, {
    hint: 'compact the conversation, or raise maxBodyBytes',
  })
}
