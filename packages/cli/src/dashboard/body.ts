/** The body of a request as a JSON object; small, because no request needs more. */
import { LastgoodError } from '@lastgood/core'
import { Refused } from './refusal.ts'

const mostBytes = 16 * 1024

/** An empty one is an empty object. Errors: `Refused` if it is too large, `bad-option`. */
export async function bodyOf(request: Request): Promise<Readonly<Record<string, unknown>>> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > mostBytes) throw tooLarge()
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

const tooLarge = (): Refused => new Refused(413, 'too-large', `the body of a request has ${mostBytes} bytes at most`)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
