/**
 * Asks one status page, once. A failure is a reason in a few words: a challenge for browsers, HTML, a certificate, no
 * answer in time. A body that is no status page is never quoted.
 */
import type { Clock } from '../clock.ts'
import { formatDuration } from '../duration.ts'
import { inTime } from '../in-time.ts'
import { parsedJson } from '../json.ts'
import { orAborted } from '../or-aborted.ts'
import { writerVersion } from '../version.ts'
import { readStatusPage, type StatusPage } from './page.ts'

export type Asked = { page: StatusPage } | { failure: string }

export interface Asking {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

const largestBytes = 1024 * 1024

/** Never throws, and never takes longer than `timeoutMs`. */
export async function askPage(url: string, { fetch, clock, timeoutMs, signal }: Asking): Promise<Asked> {
  if (signal?.aborted) return { failure: 'given up' }
  const tooLate = new Error(`no answer within ${formatDuration(timeoutMs)}`)
  const over = new AbortController()
  const answer = () => readAnswer(fetch, url, over.signal)
  try {
    const wanted = async () => (signal ? orAborted(answer(), signal) : answer())
    return await inTime(clock, timeoutMs, wanted, () => tooLate)
  } catch (error) {
    if (signal?.aborted) return { failure: 'given up' }
    return { failure: error === tooLate ? tooLate.message : reasonOf(error) }
  } finally {
    over.abort()
  }
}

async function readAnswer(fetch: Asking['fetch'], url: string, signal: AbortSignal): Promise<Asked> {
  const headers = { accept: 'application/json', 'user-agent': `lastgood/${writerVersion}` }
  const response = await fetch(url, { headers, signal })
  if (!response.ok) {
    const what = response.status === 405 ? ' (most likely a browser check)' : ''
    return { failure: `HTTP ${response.status}${what}` }
  }
  const text = await textOf(response)
  if (text === undefined) return { failure: 'an answer of more than 1 MB' }
  if (/^\s*</.test(text)) return { failure: 'HTML instead of JSON' }
  const body = parsedJson(text)
  if (body === undefined) return { failure: 'not JSON' }
  const page = readStatusPage(body)
  return page ? { page } : { failure: 'JSON, but not a status page' }
}

/** The body, or undefined when it is too large. */
async function textOf(response: Response): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > largestBytes) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** `certificate (CERT_HAS_EXPIRED)`, `ECONNREFUSED`; the innermost code of a cause says most. */
function reasonOf(error: unknown): string {
  let code: string | undefined
  let cause = error
  for (let depth = 0; depth < 5 && cause instanceof Error; depth += 1, cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') code = cause.code.slice(0, 60)
  }
  if (code === undefined) return error instanceof Error ? error.name : 'failed'
  return /CERT|SIGNATURE|SELF_SIGNED|ISSUER/.test(code) ? `certificate (${code})` : code
}
