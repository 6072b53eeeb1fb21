/** The body of a request as a JSON object; small, because no request needs more. */
import { LastgoodError } from '@lastgood/core'

const mostBytes = 16 * 1024

/** An empty one is an empty object. Errors: `BodyTooLarge`, `bad-option`. */
export async function bodyOf(request: Request): Promise<Readonly<Record<string, unknown>>> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw new BodyTooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new BodyTooLarge()
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (text === '') return {}
  const value = parsed(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new LastgoodError('bad-option', 'the body of the request is not a JSON object', {
    hint: 'send an object with content-type: application/json',
  })
}

export class BodyTooLarge extends Error {
  constructor() {
    super(`the body of a request has ${mostBytes} bytes at most`)
    this.name = 'BodyTooLarge'
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
