/**
 * Turns what was seen of one failed attempt into a `Fault`.
 *
 * 1. Pure, and never throws, whatever it is given: causes and bodies come from other people's code.
 * 2. Code, type and status decide (`error-codes.ts`); texts only where the API has no code (`error-patterns.ts`).
 * 3. An unknown 4xx is `request-rejected`: a fault that is not known to pass is not waited out (P6).
 * 4. A fault's text is at most 500 characters on one line, fit for a terminal: the words of the API or of the network,
 *    without credentials, and no body that may hold the conversation.
 * 5. What happened to other requests and sessions (`Elsewhere`) only ever turns a fault of the server into `poisoned`,
 *    and a refused login into `auth-outage`: a wrong guess from it affects no other kind.
 */
import type { Shortfall } from '../journal/answer.ts'
import { type ApiError, errorInBand, errorInBody, get, textIn } from './api-error.ts'
import { type Meaning, meaningOfCode, meaningOfStatus, meaningOfType } from './error-codes.ts'
import { meaningOfText } from './error-patterns.ts'
import type { Fault } from './fault.ts'
import type { RuleName } from '../repair/refused/refusal-rules.ts'
import { withoutSecrets } from '../secrets.ts'

/** Everything that was seen of one failed attempt. */
export interface Wire {
  /** Nothing came / a non-2xx status / the body broke after a 2xx. */
  phase: 'connect' | 'status' | 'body'
  status?: number | undefined
  headers?: Headers | undefined
  contentType?: string | undefined
  /** The text of the error body as far as it was read (<= 64 KB). */
  body?: string | undefined
  /** An SSE `event: error` after a 200. */
  inBandError?: { type?: string | undefined; message?: string | undefined; details?: unknown } | undefined
  /** What fetch or the body's reader threw. */
  cause?: unknown
  /** The watchdog of ours that fired; the abort that it caused adds nothing. */
  timer?: 'first-event' | 'between-events' | undefined
  eventsSeen?: number | undefined
  stopReasonSeen?: boolean | undefined
  /** The body ended as HTTP requires. */
  endedPolitely?: boolean | undefined
  /** What is complete in the broken answer: tool calls, or text only. */
  complete?: 'calls' | 'text' | undefined
  /** What the attempt cost, in full-price input tokens. */
  tokens?: number | undefined
  /**
   * What is wrong with a complete answer: `max_tokens` cut its only call, a call cannot be read, it says nothing, it
   * says that it cost nothing (so no model made it), or a call has another one's id. Nothing else is then looked at.
   */
  answer?: Shortfall | undefined
  elsewhere?: Elsewhere | undefined
  /** How long the machine slept at least while the attempt was under way. */
  sleptMs?: number | undefined
  /** Epoch ms, for dates in `retry-after`. */
  now: number
}

/** What is known beyond this one attempt. */
export interface Elsewhere {
  /** How often in a row this very request has failed with 5xx, this time included. */
  failures: number
  /** Time since the first of these failures. */
  failingForMs: number
  /** Another request to the same model was answered meanwhile. */
  othersSucceed: boolean
  /** How many other sessions were refused their login lately. */
  othersDenied: number
  /** A request with the same credentials was answered within the last hour. */
  workedBefore: boolean
}

interface CauseChain {
  codes: string[]
  message: string
}

const longestMessage = 500
const longestName = 100

/** The fault that one failed attempt is, by everything that was seen of it; pure. */
export function classify(wire: Wire): Fault {
  if (wire.answer) {
    const { answer, complete, tokens } = wire
    return withoutUndefined({ ...meaningOfAnswer[answer], status: 200, complete, tokens })
  }
  const error = wire.inBandError ? errorInBand(wire.inBandError) : errorInBody(wire.body)
  const chain = causeChain(wire.cause)
  const shouldRetry = header(wire, 'x-should-retry')
  const { kind, repairs } = inTheLightOf(wire.elsewhere, verdictOn(wire, error, chain), error)
  return withoutUndefined({
    kind,
    status: Number.isFinite(wire.status) ? wire.status : undefined,
    errorType: cleaned(error.type, longestName),
    errorCode: cleaned(error.code, longestName),
    message: cleaned(
      error.message || movedTo(wire) || pageText(wire) || (!wire.timer && chain.message) || ownWords(wire),
      longestMessage,
    ),
    requestId: cleaned(header(wire, 'request-id') ?? error.requestId, longestName),
    retryAfterMs: wire.headers && retryAfterMs(wire.headers, wire.now, wire.status),
    shouldRetry: shouldRetry === 'true' || (shouldRetry === 'false' ? false : undefined),
    causes: chain.codes.length > 0 ? chain.codes : undefined,
    complete: wire.complete,
    tokens: wire.tokens,
    repairs: repairs && [...repairs],
    paths: placesIn(error),
  })
}

function withoutUndefined(fault: {
  [K in keyof Fault]: Fault[K] | readonly string[] | undefined
}): Fault {
  return Object.fromEntries(Object.entries(fault).filter(([, value]) => value !== undefined)) as Fault
}

/**
 * How long the server asks to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date, else until the
 * end of the plan's used-up window; never negative. Instants are by the server's clock, whose time is in `date`: ours
 * may be hours off. Undefined without these headers, and for an implausible value: no number, no date, over a year.
 *
 * Only a 429 is about the window: an answer that extra usage pays for says `rejected` too, and its failure passes
 * sooner. https://github.com/manaflow-ai/subrouter/pull/26
 */
export function retryAfterMs(headers: Headers, now: number, status?: number): number | undefined {
  const exact = numberOf(headers.get('retry-after-ms'))
  const seconds = numberOf(headers.get('retry-after'))
  const serverNow = dateOf(headers.get('date')) ?? now
  const until = dateOf(headers.get('retry-after')) ?? (status === 429 ? windowEnd(headers) : undefined)
  const waitMs = exact ?? (seconds === undefined ? until && until - serverNow : seconds * 1_000)
  if (waitMs === undefined || !(waitMs < 366 * 86_400_000)) return undefined
  return Math.max(0, Math.round(waitMs))
}

/** Some gateways drop `retry-after` but keep these headers: https://github.com/lidge-jun/opencodex/pull/3809 */
function windowEnd(headers: Headers): number | undefined {
  if (headers.get('anthropic-ratelimit-unified-status') !== 'rejected') return undefined
  const reset = numberOf(headers.get('anthropic-ratelimit-unified-reset'))
  return reset === undefined ? undefined : reset * 1_000
}

/** Date.parse accepts nearly anything, even "-5"; an HTTP date has the name of a month. */
function dateOf(text: string | null): number | undefined {
  const at = text !== null && /[a-z]{3}.*\d{4}/i.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at) ? undefined : at
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d*)?\s*$/.test(text) ? Number(text) : undefined
}

// -- The kind ---------------------------------------------------------------------------------------------------------

/** A meaning and the status that it was found under; `named` if a code or a text gave it. */
interface Verdict extends Meaning {
  readonly status?: number
  readonly named?: boolean
}

const meaningOfAnswer = {
  'output-cut': { kind: 'output-cut', repairs: ['raise-max-tokens'] },
  'broken-call': { kind: 'broken-call', message: 'an answer with a tool call whose input is not JSON' },
  empty: { kind: 'empty-answer', repairs: ['nudge'] },
  'empty-pause': { kind: 'server-transient', message: 'a paused answer that says nothing' },
  unbilled: { kind: 'bad-gateway', message: 'an answer without any tokens: no model was asked' },
  'twin-calls': { kind: 'broken-call', message: 'an answer with two tool calls of the same id' },
} as const satisfies Record<Shortfall, Meaning & { message?: string }>

/** What users have had to leave out of a request that alone is answered with 5xx to get it through, likeliest first. */
const poisonRepairs: readonly RuleName[] = [
  'drop-container',
  'drop-thread',
  'drop-newest-beta',
  'drop-block',
  'placeholder-last-results',
]

function inTheLightOf(elsewhere: Elsewhere | undefined, verdict: Verdict, { code }: ApiError): Meaning {
  if (!elsewhere) return verdict
  const { failures, failingForMs, othersSucceed, othersDenied, workedBefore } = elsewhere
  if (verdict.kind === 'server-transient' && (verdict.status ?? 0) >= 500 && code === undefined) {
    const isAlone = failures >= 5 && failingForMs >= 300_000 && othersSucceed
    return isAlone ? { kind: 'poisoned', repairs: poisonRepairs } : verdict
  }
  // A code or a text says what a person has to change, so it is no outage.
  const isOutage = verdict.kind === 'auth-blocked' && !verdict.named && (othersDenied >= 2 || workedBefore)
  return isOutage ? { kind: 'auth-outage' } : verdict
}

function verdictOn(wire: Wire, error: ApiError, chain: CauseChain): Verdict {
  if (wire.inBandError) return verdictOnError(error.status ?? 500, error, wire)
  if (wire.phase === 'status' && wire.status !== undefined) {
    const status = (error.isQuoted && error.status) || wire.status
    return verdictOnError(status, error, wire)
  }
  if (chain.codes.some((code) => setUpCodes.test(code))) return { kind: 'config' }
  if (wire.phase === 'body') return verdictOnBrokenBody(wire, error)
  return meaningOfText(0, chain.message) ?? { kind: 'transport' }
}

/** For a body that broke after a 2xx. */
function verdictOnBrokenBody(wire: Wire, error: ApiError): Verdict {
  if (wire.timer) return { kind: 'stream-stalled' }
  if (isHtml(wire)) return { kind: 'bad-gateway' }
  if (error.type !== undefined) {
    // A JSON error with a 200. Waiting helps against a gateway's slip, but not against, say, an empty balance.
    const verdict = verdictOnError(error.status ?? 500, error, wire)
    return verdict.kind === 'server-transient' || verdict.kind === 'overloaded' ? { kind: 'bad-gateway' } : verdict
  }
  if (wire.cause !== undefined || wire.endedPolitely === false) return { kind: 'stream-cut' }
  return { kind: (wire.eventsSeen ?? 0) > 0 ? 'stream-truncated' : 'bad-gateway' }
}

function verdictOnError(status: number, error: ApiError, wire: Wire): Verdict {
  const named = meaningOfCode.get(error.code ?? '') ?? meaningOfText(status, error.message ?? '')
  if (named) return { kind: named.kind, ...(named.repairs && { repairs: named.repairs }), status, named: true }
  const known = meaningOfType.get(error.type ?? '') ?? meaningOfStatus.get(status)
  if (known) return { ...known, status }
  if (status >= 500 || header(wire, 'x-should-retry') === 'true') return { kind: 'server-transient', status }
  return { kind: status < 400 ? 'bad-gateway' : 'request-rejected', status }
}

/** Codes of Node, OpenSSL and ours that no wait helps: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const setUpCodes =
  /CERT|^bad-option$|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$|^ERR_(SSL_WRONG_VERSION_NUMBER|INVALID_(URL|CHAR|ARG_\w+))$/

// -- What was said ----------------------------------------------------------------------------------------------------

const mostPaths = 50
/** Names of fields and positions, with no character that could end the place or separate a list of places. */
const wholePlace = /^[^\s\p{C}.,;'"`()[\]{}]+(?:\.[^\s\p{C}.,;'"`()[\]{}]+)*$/u

/**
 * The places in the request that an error names, in its details or its text: `messages.3.content.0`, `temperature`. A
 * place that cannot be read whole is left out: its beginning alone would be another place.
 */
function placesIn({ message = '', paths = [] }: ApiError): string[] | undefined {
  const words = message.slice(0, 4_000).match(/\b(?:messages|tools|system)\.\S+/g) ?? []
  const inText = words.map((word) => word.replace(/[:.,;'"`)\]}]+$/, ''))
  const field = /^(\S{1,200}): (?:extra inputs|field required|input (?:should|tag)|string should|list should)/i.exec(
    message,
  )
  const places = [...paths.slice(0, mostPaths), ...(field?.[1] ? [field[1]] : []), ...inText]
  const clean = places.filter((place) => wholePlace.test(place) && place.length <= 200)
  return clean.length > 0 ? [...new Set(clean)].slice(0, mostPaths) : undefined
}

function isHtml(wire: Wire): boolean {
  const contentType = wire.contentType ?? header(wire, 'content-type') ?? ''
  return /\bhtml\b/i.test(contentType) || /^\s*<(!doctype|html|head|body)\b/i.test(wire.body ?? '')
}

/**
 * The text of a body that is not the API's: the title of a page, never the page itself, or the plain text of a refusal.
 * An answer, and JSON that is no error of the API, may hold content of the conversation, so they are not quoted.
 */
function pageText(wire: Wire): string {
  const body = wire.body ?? ''
  if (!isHtml(wire)) return wire.phase === 'body' || /^\s*[{["]/.test(body) ? '' : body
  return /<title[^>]*>([^<]*)/i.exec(body)?.[1]?.trim() || `${wire.status ?? 'The answer'} with an HTML page`
}

/** The redirect target without its query, which may be the visitor's own. */
function movedTo(wire: Wire): string {
  const place = /^[^?#]+/.exec(header(wire, 'location') ?? '')?.[0]
  return wire.phase === 'status' && place !== undefined ? `redirected to ${place}` : ''
}

function ownWords({ phase, timer, eventsSeen = 0, stopReasonSeen = false }: Wire): string {
  if (timer === 'first-event') return 'no event arrived in the time allowed'
  if (timer === 'between-events') return `no further event arrived in the time allowed, after ${eventsSeen}`
  if (phase !== 'body') return ''
  if (eventsSeen === 0) return 'the answer contained no events'
  return `the stream ended after ${eventsSeen} events without ${stopReasonSeen ? '' : 'a stop reason or '}message_stop`
}

/** `fetch failed` says nothing, but the errors that it wraps do. Cycles and long chains end after eight links. */
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

/** One line without credentials, control characters and lone surrogates; undefined if nothing is left. */
function cleaned(text: string | undefined, longest: number): string | undefined {
  if (text === undefined) return undefined
  const line = withoutSecrets(text).replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
  const short = line.slice(0, longest).replaceAll(/\p{Surrogate}/gu, '')
  return short.trim() || undefined
}
