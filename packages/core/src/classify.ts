/**
 * What was seen of one failed attempt, turned into a `Fault`.
 *
 * 1. Pure, and never throws, whatever it is given: causes and bodies come from other people's code.
 * 2. Status, error type and error code decide; texts only where the API has no code (`error-patterns.ts`).
 * 3. A 4xx that nothing is known about is `request-rejected`: what is not known to pass is not waited out (P6).
 * 4. A fault's text is at most 500 characters on one line, fit for a terminal: the words of the API or of the network,
 *    without credentials, and no body that may hold the conversation.
 */
import { kindByText } from './error-patterns.ts'
import type { Fault, FaultKind } from './fault.ts'

/** Everything that was seen of one failed attempt. */
export interface Wire {
  /** Nothing came / a non-2xx status / it broke after a 2xx began. */
  phase: 'connect' | 'status' | 'body'
  status?: number | undefined
  headers?: Headers | undefined
  contentType?: string | undefined
  /** The error body's text as far as it was read (<= 64 KB). */
  body?: string | undefined
  /** An SSE `event: error` after a 200. */
  inBandError?: { type?: string | undefined; message?: string | undefined; details?: unknown } | undefined
  /** What fetch or the body's reader threw. */
  cause?: unknown
  /** Our own watchdog that fired; the abort that it caused says nothing more. */
  timer?: 'first-event' | 'between-events' | undefined
  eventsSeen?: number | undefined
  stopReasonSeen?: boolean | undefined
  /** The body ended as HTTP wants it. */
  endedPolitely?: boolean | undefined
  /** Epoch ms, for dates in `retry-after`. */
  now: number
}

/** The API's error, from its body or its stream. */
interface ApiError {
  type?: string | undefined
  message?: string | undefined
  code?: string | undefined
  requestId?: string | undefined
}

interface CauseChain {
  codes: string[]
  message: string
}

const longestMessage = 500
const longestName = 100

export function classify(wire: Wire): Fault {
  const error = wire.inBandError ? fromInBand(wire.inBandError) : fromBody(wire.body)
  const chain = causeChain(wire.cause)
  const shouldRetry = header(wire, 'x-should-retry')
  const kind = kindOf(wire, error, chain, shouldRetry === 'true')
  const fault: { [K in keyof Fault]: Fault[K] | undefined } = {
    kind,
    status: Number.isFinite(wire.status) ? wire.status : undefined,
    errorType: cleaned(error.type, longestName),
    errorCode: cleaned(error.code, longestName),
    message: cleaned(
      error.message || pageText(wire) || (!wire.timer && chain.message) || ownWords(wire),
      longestMessage,
    ),
    requestId: cleaned(header(wire, 'request-id') ?? error.requestId, longestName),
    retryAfterMs: wire.headers && retryAfterMs(wire.headers, wire.now),
    shouldRetry: shouldRetry === 'true' || (shouldRetry === 'false' ? false : undefined),
    causes: chain.codes.length > 0 ? chain.codes : undefined,
  }
  return Object.fromEntries(Object.entries(fault).filter(([, value]) => value !== undefined)) as Fault
}

/**
 * What the server asks to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date, never negative.
 * Undefined without them, and for what cannot be meant: no number, no date, more than a year.
 */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const exact = numberOf(headers.get('retry-after-ms'))
  const seconds = numberOf(headers.get('retry-after'))
  const date = headers.get('retry-after') ?? ''
  // Date.parse takes nearly anything, "-5" too; a date has the name of a month.
  const until = /[a-z]{3}.*\d{4}/i.test(date) ? Date.parse(date) - now : undefined
  const waitMs = exact ?? (seconds === undefined ? until : seconds * 1_000)
  if (waitMs === undefined || !(waitMs < 366 * 86_400_000)) return undefined
  return Math.max(0, Math.round(waitMs))
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d*)?\s*$/.test(text) ? Number(text) : undefined
}

// -- The kind ---------------------------------------------------------------------------------------------------------

function kindOf(wire: Wire, error: ApiError, chain: CauseChain, serverSaysRetry: boolean): FaultKind {
  if (wire.inBandError) return kindOfError(statusOfType.get(error.type ?? '') ?? 500, error, serverSaysRetry)
  if (wire.phase === 'status' && wire.status !== undefined) {
    return kindOfError(wire.status, isHtml(wire) ? {} : error, serverSaysRetry)
  }
  if (chain.codes.some((code) => setUpCodes.test(code))) return 'config'
  if (wire.phase === 'body') return kindOfBrokenBody(wire, error, serverSaysRetry)
  return kindByText(0, chain.message) ?? 'transport'
}

/** It broke after a 2xx. */
function kindOfBrokenBody(wire: Wire, error: ApiError, serverSaysRetry: boolean): FaultKind {
  if (wire.timer) return 'stream-stalled'
  if (isHtml(wire)) return 'bad-gateway'
  if (error.type !== undefined) {
    // A JSON error with a 200. Waiting mends a gateway's slip, but not, say, an empty balance.
    const kind = kindOfError(statusOfType.get(error.type) ?? 500, error, serverSaysRetry)
    return kind === 'server-transient' || kind === 'overloaded' ? 'bad-gateway' : kind
  }
  if (wire.cause !== undefined || wire.endedPolitely === false) return 'stream-cut'
  return (wire.eventsSeen ?? 0) > 0 ? 'stream-truncated' : 'bad-gateway'
}

function kindOfError(status: number, error: ApiError, serverSaysRetry: boolean): FaultKind {
  return (
    kindOfCode.get(error.code ?? '') ??
    kindByText(status, error.message ?? '') ??
    kindOfType.get(error.type ?? '') ??
    kindOfStatus.get(status) ??
    (status >= 500 || serverSaysRetry ? 'server-transient' : status < 400 ? 'bad-gateway' : 'request-rejected')
  )
}

/** `error.details.error_code`, where it says more than the status. https://platform.claude.com/docs/en/api/errors */
const kindOfCode: ReadonlyMap<string, FaultKind> = new Map<string, FaultKind>([
  ['enforced_spend_limit_reached', 'spend-blocked'],
  ['contract_spend_limit_reached', 'spend-blocked'],
  ['linked_organization_spend_limit_reached', 'spend-blocked'],
  ['linked_organization_billing_unavailable', 'spend-blocked'],
  ['ramp_limit_exceeded', 'rate-limited'],
  ['organization_on_hold', 'auth-blocked'],
  ['cmek_key_disabled', 'auth-blocked'],
  // The upload was too slow: the network's fault, not the request's.
  ['request_body_timeout', 'server-transient'],
  ['request_body_too_large_after_decoding', 'too-large'],
  ['image_dimensions_too_large', 'transcript-invalid'],
  ['tool_reference_unresolved', 'transcript-invalid'],
  ['compaction_block_ambiguous', 'transcript-invalid'],
  ['compaction_block_misplaced', 'transcript-invalid'],
  ['compaction_content_mismatch', 'transcript-invalid'],
  ['compaction_signature_invalid', 'transcript-invalid'],
])

/** Types that say more than the status they come with. */
const kindOfType: ReadonlyMap<string, FaultKind> = new Map<string, FaultKind>([
  ['overloaded_error', 'overloaded'],
  ['billing_error', 'spend-blocked'],
  ['rate_limit_error', 'rate-limited'],
  ['request_too_large', 'too-large'],
])

const kindOfStatus: ReadonlyMap<number, FaultKind> = new Map<number, FaultKind>([
  [400, 'request-rejected'],
  [401, 'auth-blocked'],
  [402, 'spend-blocked'],
  [403, 'auth-blocked'],
  [404, 'request-rejected'],
  [407, 'config'],
  // 408 and 409 are retried by Anthropic's own SDKs; 425 is by its definition to be sent again.
  [408, 'server-transient'],
  [409, 'server-transient'],
  [413, 'too-large'],
  [422, 'request-rejected'],
  [425, 'server-transient'],
  [429, 'rate-limited'],
  [529, 'overloaded'],
])

/** The status that an error would have had before the stream began. https://platform.claude.com/docs/en/api/errors */
const statusOfType: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['conflict_error', 409],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

/** Codes of Node and OpenSSL that no wait mends. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const setUpCodes =
  /CERT|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$|^ERR_(SSL_WRONG_VERSION_NUMBER|INVALID_(URL|CHAR|ARG_\w+))$/

// -- What was said ----------------------------------------------------------------------------------------------------

function fromInBand({ type, message, details }: NonNullable<Wire['inBandError']>): ApiError {
  return {
    type: textIn({ type }, 'type'),
    message: textIn({ message }, 'message'),
    code: textIn(details, 'error_code'),
  }
}

/** The API's envelope, or what proxies and other clouds make of it: `{"message"}`, `{"error":"text"}`, `{"detail"}`. */
function fromBody(body: string | undefined): ApiError {
  let parsed: unknown
  try {
    parsed = JSON.parse(body ?? '')
  } catch {
    return {}
  }
  const inner = get(parsed, 'error')
  return {
    type: textIn(inner, 'type'),
    message:
      textIn(inner, 'message') ?? textIn(parsed, 'message') ?? textIn(parsed, 'error') ?? textIn(parsed, 'detail'),
    code: textIn(get(inner, 'details'), 'error_code'),
    requestId: textIn(parsed, 'request_id'),
  }
}

function isHtml(wire: Wire): boolean {
  const contentType = wire.contentType ?? header(wire, 'content-type') ?? ''
  return /\bhtml\b/i.test(contentType) || /^\s*<(!doctype|html|head|body)\b/i.test(wire.body ?? '')
}

/**
 * A body that is not the API's: a page's title, never the page; a refusal's plain text. An answer, and JSON that is no
 * error of the API, may hold content of the conversation: they are not quoted.
 */
function pageText(wire: Wire): string {
  const body = wire.body ?? ''
  if (!isHtml(wire)) return wire.phase === 'body' || /^\s*[{["]/.test(body) ? '' : body
  return /<title[^>]*>([^<]*)/i.exec(body)?.[1]?.trim() || `${wire.status ?? 'The answer'} with an HTML page`
}

function ownWords({ phase, timer, eventsSeen = 0, stopReasonSeen = false }: Wire): string {
  if (timer === 'first-event') return 'no event came in the time allowed'
  if (timer === 'between-events') return `no further event came in the time allowed, after ${eventsSeen}`
  if (phase !== 'body') return ''
  if (eventsSeen === 0) return 'the answer held no event'
  return `the stream ended after ${eventsSeen} events without ${stopReasonSeen ? '' : 'a stop reason or '}message_stop`
}

/** `fetch failed` says nothing; what it wraps does. Cycles and long chains end after eight links. */
function causeChain(cause: unknown): CauseChain {
  const codes = new Set<string>()
  const messages = new Set<string>()
  let link = cause
  for (let depth = 0; depth < 8 && link != null; depth++) {
    const code = cleaned(textIn(link, 'code'), longestName)
    const message = typeof link === 'string' ? link : textIn(link, 'message')
    if (code) codes.add(code)
    if (message) messages.add(message)
    // An AggregateError holds one error for each address that was tried.
    link = get(link, 'cause') ?? get(get(link, 'errors'), '0')
  }
  return { codes: [...codes], message: [...messages].join(': ') }
}

function header({ headers }: Wire, name: string): string | undefined {
  return headers?.get(name) ?? undefined
}

/** A property of an unknown value; getters that throw and revoked proxies count as absent. */
function get(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}

function textIn(value: unknown, key: string): string | undefined {
  const text = get(value, key)
  return typeof text === 'string' ? text : undefined
}

/** Keys, tokens, and passwords in URLs. It runs over single spaces only: a `\s*` here would be quadratic. */
const secrets =
  /\bsk-[\w-]{8,}|\b(bearer|basic) [\w.~+/=-]{16,}|(?<=:\/\/)[^/\s@]+(?=@)|(?<=\bapi[-_]key["']? ?[:=] ?["']?)[\w-]{8,}/gi

/** One line without credentials, control characters and half surrogate pairs; undefined when nothing is left. */
function cleaned(text: string | undefined, longest: number): string | undefined {
  if (text === undefined) return undefined
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').replaceAll(secrets, '[redacted]')
  const short = line.slice(0, longest).replaceAll(/\p{Surrogate}/gu, '')
  return short.trim() || undefined
}
