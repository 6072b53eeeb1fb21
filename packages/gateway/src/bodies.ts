/** Bodies of requests and responses. */
import { LastgoodError } from '@lastgood/core'

/** A response with another body, or one that was decoded, so that what its headers say of its framing is not so any more. */
export function replaceBody(
  { status, statusText, headers }: Pick<Response, 'status' | 'statusText' | 'headers'>,
  body: string | ReadableStream<Uint8Array> | null,
): Response {
  const kept = new Headers(headers)
  for (const name of ['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding']) {
    kept.delete(name)
  }
  const isEmpty = status === 204 || status === 304
  return new Response(isEmpty ? null : body, { status, statusText, headers: kept })
}

/** Undefined for none. Errors: `bad-option` for one that is too large; no more than that is ever held. */
export async function bodyOf(
  request: Request,
  pieces: AsyncIterable<Uint8Array> | undefined,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined
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
