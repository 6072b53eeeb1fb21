/** Bodies of requests and responses. */
import { LastgoodError } from '@lastgood/core'
import { withoutConnection } from './connection.ts'

/** What `fetch` decodes, https://fetch.spec.whatwg.org/#handle-content-codings. */
const decoded: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br'])

/** A response with another body, or one that was decoded, so that what its headers say of its framing is not so any more. */
export function replaceBody(
  { status, statusText, headers }: Pick<Response, 'status' | 'statusText' | 'headers'>,
  body: string | ReadableStream<Uint8Array> | null,
): Response {
  const kept = withoutConnection(headers)
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',')
  // What nobody here can decode passes as it is.
  if (codings.every((coding) => decoded.has(coding.trim()))) kept.delete('content-encoding')
  const isEmpty = status === 204 || status === 304
  return new Response(isEmpty ? null : body, { status, statusText, headers: kept })
}

/** The body as it comes, for a request that passes; undefined for none. */
export function bodyStreamOf(
  request: Request,
  pieces: AsyncIterable<Uint8Array> | undefined,
): ReadableStream<Uint8Array> | undefined {
  const { method, headers } = request
  if (method === 'GET' || method === 'HEAD') return undefined
  if (!pieces) return request.body ?? undefined
  const isThere = headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0
  return isThere ? ReadableStream.from(pieces) : undefined
}

/** The whole body; undefined for none. Errors: `bad-option` for one that is too large; no more than that is ever held. */
export async function bodyOf(
  request: Request,
  pieces: AsyncIterable<Uint8Array> | undefined,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const given = pieces ?? (request.body as AsyncIterable<Uint8Array> | null)
  if (!given) return undefined
  const all: Uint8Array[] = []
  let length = 0
  for await (const piece of given) {
    length += piece.length
    if (length > maxBytes) throw tooLarge(maxBytes)
    all.push(piece)
  }
  return length === 0 ? undefined : Buffer.concat(all, length)
}

/** Of the gateway's own errors this one has the API's status and type for it. */
export class RequestTooLarge extends LastgoodError {}

function tooLarge(maxBytes: number): LastgoodError {
  return new RequestTooLarge('bad-option', `the request is larger than ${maxBytes} bytes`, {
    hint: 'compact the conversation, or raise maxBodyBytes',
  })
}
