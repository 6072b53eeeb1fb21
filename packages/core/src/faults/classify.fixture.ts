/** Failed attempts as seen on the wire, for the tests of `classify`. */
import type { Elsewhere, Wire } from './classify.ts'

export const now = Date.parse('2026-11-20T12:00:00Z')

export const aborted = new DOMException('This operation was aborted', 'AbortError')

/** What fetch throws: the telling error is the innermost. */
export function wrapped(code: string, message: string, outer = 'fetch failed'): Error {
  return new TypeError(outer, { cause: Object.assign(new Error(message), { code }) })
}

export function apiBody(type: string, message: string, errorCode?: string): string {
  const details = errorCode === undefined ? {} : { details: { error_code: errorCode } }
  return JSON.stringify({ type: 'error', error: { type, message, ...details }, request_id: 'req_011CZLrUfBVk' })
}

/** A non-2xx answer as the API sends it. */
export function refused(status: number, type: string, message: string, code?: string): Wire {
  const headers = new Headers({ 'content-type': 'application/json', 'request-id': 'req_011CZLrUfBVk' })
  return { phase: 'status', status, headers, body: apiBody(type, message, code), now }
}

/** A page of a proxy in front of the API. */
export function page(status: number, title: string, phase: Wire['phase'] = 'status'): Wire {
  const body = `<!DOCTYPE html>\n<html lang="en">\n<head>\n<title>\n${title}</title></head><body>${'<p>ray</p>'.repeat(2_000)}</body></html>`
  return { phase, status, headers: new Headers({ 'content-type': 'text/html; charset=UTF-8' }), body, now }
}

/** A stream that began with a 200. */
export function broken(more: Partial<Wire>): Wire {
  return { phase: 'body', status: 200, contentType: 'text/event-stream; charset=utf-8', eventsSeen: 7, now, ...more }
}

export function inBand(type: string, message: string, details?: unknown): Wire {
  return broken({ inBandError: { type, message, details } })
}

export const setUp = (message: string) => new TypeError('fetch failed', { cause: new Error(message) })

/** A connection that never got an answer. */
export function unreachable(code: string, message: string, outer?: string): Wire {
  return { phase: 'connect', cause: wrapped(code, message, outer), now }
}

/** A proxy that refuses to pass the connection on, as undici reports it. */
export const tunnel = (status: number): Wire =>
  unreachable('UND_ERR_ABORTED', `Proxy response (${status}) !== 200 when HTTP Tunneling`)

/** What a gateway says about an error that it received. */
export function quoting(status: number, quoted: string): Wire {
  const message = `litellm.BadRequestError: AnthropicException - ${quoted}. Received`
  return plain(status, JSON.stringify({ error: { message, type: null, param: null, code: String(status) } }))
}

/** A 200 that is no stream. */
export function jsonWith200(body: string): Wire {
  return broken({ contentType: 'application/json', eventsSeen: 0, endedPolitely: true, body })
}

export const plain = (status: number, body = '', headers: Record<string, string> = {}): Wire => {
  return { phase: 'status', status, body, headers: new Headers(headers), now }
}

export const invalid = (message: string, code?: string) => refused(400, 'invalid_request_error', message, code)
export const linked = (code: string) => refused(402, 'billing_error', 'No billing', code)
export const limited = (message: string, code?: string) => refused(429, 'rate_limit_error', message, code)
export const alone: Elsewhere = {
  failures: 1,
  failingForMs: 0,
  othersSucceed: false,
  othersDenied: 0,
  workedBefore: false,
}
export const poisoned: Elsewhere = { ...alone, failures: 5, failingForMs: 300_000, othersSucceed: true }
export const answered = (answer: Wire['answer']): Wire => ({ phase: 'body', status: 200, answer, now })
