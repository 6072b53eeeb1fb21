/**
 * The shape of a case of the fault table, and its parts: the bytes of an answer as they come from the socket, what can
 * go wrong with them, and what must follow.
 */
import type { Decision, ErrorCode, Fault, FaultKind, PolicyOptions } from '@lastgood/core'
import { event } from '../support/scripted-api.ts'

/** What happens to one request. A text is a whole HTTP answer that ends properly. */
export type Served =
  | string
  | { readonly bytes: string; readonly ends: BreakOff }
  | { readonly unreachable: string; readonly code: string }
  | { readonly silent: true }

/** How an answer breaks: reset by the peer, closed inside a chunk; then no byte more, or only comments or pings. */
export type BreakOff = 'reset' | 'close' | 'silence' | 'comments' | 'pings'

export interface FaultCase {
  /** Its row in `rows.ts`. */
  readonly row: number
  /** What is observed, in a few words of Markdown. */
  readonly signal: string
  /** What is proven; the name of the test. */
  readonly claim: string
  /** One for each request; every later request is answered with `All is well.`. */
  readonly served: readonly Served[]
  readonly given?: Given
  readonly expect: Expected
}

/** How it differs from a new session that is alone and asks for a stream. */
export interface Given {
  /** Other sessions on the same model: refused their login a moment ago, or answered with each of our attempts. */
  readonly others?: 'denied' | 'answered'
  /** There is no other session, and a request of two words is answered. */
  readonly pingIsAnswered?: true
  /** This session was answered a moment ago. */
  readonly answeredBefore?: true
  /** Models that may take over. */
  readonly ladder?: readonly string[]
  readonly policy?: PolicyOptions
  readonly freshCredentials?: true
  /** Not a stream. */
  readonly whole?: true
  /** Merged over the plain request. */
  readonly request?: Readonly<Record<string, unknown>>
  readonly betas?: readonly string[]
}

export interface Expected {
  /** Each fault in the journal with the decision on it, in order. */
  readonly faults: readonly Verdict[]
  /** What the caller's program gets from the SDK. */
  readonly caller: Outcome
  /** Parts of the last request. */
  readonly sent?: object
  /** Words that are not in the last request. */
  readonly unsent?: readonly string[]
  /** Parts of the answer in the journal. */
  readonly recorded?: object
  /** Words that are not in the recorded answers. */
  readonly unrecorded?: readonly string[]
  /** Further entries in the journal. */
  readonly entries?: readonly string[]
}

export type Outcome =
  | { readonly says: string; readonly stop?: string; readonly calls?: readonly object[] }
  | { readonly error: ErrorCode }
  /** The API's own error, as the SDK throws it. */
  | { readonly status: number }

export interface Verdict {
  readonly kind: FaultKind
  readonly does: Decision['kind']
  /** The wait, or the time until a next attempt makes sense: from, to, in ms. */
  readonly waitMs?: readonly [from: number, to: number]
  readonly reason?: RegExp
  readonly rule?: string
  readonly fault?: Partial<Fault>
}

export const well: Outcome = { says: 'All is well.' }

// -- Verdicts ---------------------------------------------------------------------------------------------------------

type More = Partial<Verdict>

/** Sent again after a wait. */
export const again = (kind: FaultKind, from: number, to: number, more: More = {}): Verdict => ({
  kind,
  does: 'retry',
  waitMs: [from, to],
  ...more,
})
export const resent = (kind: FaultKind, more: More = {}): Verdict => ({ kind, does: 'resend', ...more })
export const kept = (kind: FaultKind, more: More = {}): Verdict => ({ kind, does: 'keep-and-continue', ...more })
export const mended = (kind: FaultKind, rule: string, more: More = {}): Verdict => ({
  kind,
  does: 'repair',
  rule,
  ...more,
})
export const fellBack = (kind: FaultKind, more: More = {}): Verdict => ({ kind, does: 'fallback', ...more })
export const told = (kind: FaultKind, reason: RegExp, more: More = {}): Verdict => ({
  kind,
  does: 'fail',
  reason,
  ...more,
})
/** Suspended; a next attempt makes sense `probeMs` later. */
export const parked = (kind: FaultKind, reason: RegExp, probeMs?: number, more: More = {}): Verdict => ({
  kind,
  does: 'suspend',
  reason,
  ...(probeMs !== undefined && { waitMs: [probeMs, probeMs] as const }),
  ...more,
})

// -- Bytes ------------------------------------------------------------------------------------------------------------

type Headers = Readonly<Record<string, string>>

/** A whole answer as it comes from the socket. */
export function http(status: number, body = '', headers: Headers = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status}`, ...lines, '', body].join('\r\n')
}

/** An error as the API sends it. */
export function refusal(status: number, type: string, message: string, code = '', headers: Headers = {}): string {
  const details = code === '' ? {} : { details: { error_code: code } }
  const body = JSON.stringify({ type: 'error', error: { type, message, ...details }, request_id: 'req_1' })
  return http(status, body, { 'content-type': 'application/json', 'request-id': 'req_1', ...headers })
}

/** The plan's window is used up for two hours; the API says so beside answers too that are paid as extra usage. */
export const usedUp: Headers = {
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-reset': String(Date.parse('2026-01-01T02:00:00Z') / 1_000),
}

export const invalid = (message: string, code?: string) => refusal(400, 'invalid_request_error', message, code)

/** A page of a proxy. */
export const page = (status: number, title: string) =>
  http(status, `<!DOCTYPE html>\n<html><head><title>${title}</title></head></html>`, { 'content-type': 'text/html' })

/** A stream that ends politely after these events. */
export const stream = (...events: readonly string[]) =>
  http(200, events.join(''), { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_1' })

/** A stream that breaks after these events. */
export const broken = (ends: BreakOff, ...events: readonly string[]): Served => ({ bytes: stream(...events), ends })

/** An error inside a stream. */
export const inBand = (type: string, message: string, details?: object) =>
  event('error', { error: { type, message, ...(details && { details }) } })

export const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)
