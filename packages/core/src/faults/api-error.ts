/**
 * The API's error as it arrived: in a body, in a stream, or quoted by a gateway in an error of its own.
 *
 * 1. Gateways put the API's whole error into their message: LiteLLM behind the name of an exception, OpenRouter in
 *    `metadata.raw`, Google's and Amazon's as the text. The type and the text of the quoted error then count.
 * 2. Never throws, whatever it is given.
 */
import { isRecord, parsedJson } from '../json.ts'

export interface ApiError {
  type?: string | undefined
  message?: string | undefined
  /** `details.error_code`. */
  code?: string | undefined
  /** `details.paths`. */
  paths?: readonly string[] | undefined
  requestId?: string | undefined
  /** The status that the error's type stands for, or that the error names. */
  status?: number | undefined
  /** A gateway quoted the error: the status of the answer is the gateway's own. */
  isQuoted?: boolean | undefined
}

/** The status that an error would have had before the stream began. */
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
  // Amazon's: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
  ['validationException', 400],
  ['modelTimeoutException', 408],
  ['modelStreamErrorException', 424],
  ['throttlingException', 429],
  ['internalServerException', 500],
  ['serviceUnavailableException', 503],
])

/** The error in a body: in the API's own form, or in what proxies and other clouds make of it. */
export function errorInBody(body: string | undefined): ApiError {
  return errorIn(parsedJson(body ?? ''))
}

/** The error in the `error` field of an `error` event. */
export function errorInBand(error: unknown): ApiError {
  const said = errorIn({ error })
  return { ...said, status: said.status ?? statusIn(error) ?? 500 }
}

/** `{"error":{"type","message"}}`, `{"message"}`, `{"error":"text"}`, `{"detail"}`; Google's may be in a list. */
function errorIn(said: unknown, depth = 0): ApiError {
  const outer: unknown = Array.isArray(said) ? said[0] : said
  const inner = get(outer, 'error')
  const type = textIn(inner, 'type')
  const message =
    textIn(inner, 'message') ?? textIn(outer, 'message') ?? textIn(outer, 'error') ?? textIn(outer, 'detail')
  const requestId = textIn(outer, 'request_id')
  const quoted =
    depth < mostQuotes ? quotedIn(textIn(get(inner, 'metadata'), 'raw') ?? message ?? '', depth) : undefined
  if (quoted) return { ...quoted, requestId: quoted.requestId ?? requestId, isQuoted: true }
  const details = get(inner, 'details')
  return {
    type,
    // Amazon's prefix to what the model's own API said.
    message: message?.replace(/^The model returned the following errors: /, ''),
    code: textIn(details, 'error_code'),
    paths: textsIn(get(details, 'paths')),
    requestId,
    status: statusOfType.get(type ?? ''),
  }
}

const mostQuotes = 4
const mostStarts = 8
const longestQuote = 16_384

/** The first error among the JSON objects in a text. */
function quotedIn(text: string, depth: number): ApiError | undefined {
  const head = text.slice(0, longestQuote)
  let at = head.indexOf('{"')
  for (let starts = 0; at >= 0 && starts < mostStarts; starts++) {
    const said = parsedJson(objectAt(head, at) ?? '')
    if (isError(said)) return errorIn(said, depth + 1)
    at = head.indexOf('{"', at + 2)
  }
  return undefined
}

/** Whether the object is an error, not just any object with a message. */
function isError(said: unknown): boolean {
  if (!isRecord(said)) return false
  return isRecord(said['error']) || (typeof said['message'] === 'string' && Object.keys(said).length === 1)
}

/** The whole object that begins there; undefined if it does not end. An unfinished string is scanned only once. */
function objectAt(text: string, from: number): string | undefined {
  let depth = 0
  for (const { 0: token, index } of text.slice(from).matchAll(/"(?:[^"\\]|\\[^])*(?:"|\\?$)|[{}]/g)) {
    if (token === '{') depth += 1
    if (token === '}' && --depth === 0) return text.slice(from, from + index + 1)
  }
  return undefined
}

/** Servers that speak OpenAI's dialect give the status as `code`, a string or a number. */
function statusIn(error: unknown): number | undefined {
  const status = Number(get(error, 'code'))
  return status >= 400 && status < 600 ? status : undefined
}

/** A property of an unknown value; getters that throw and revoked proxies count as absent. */
export function get(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}

export function textIn(value: unknown, key: string): string | undefined {
  const text = get(value, key)
  return typeof text === 'string' ? text : undefined
}

function textsIn(list: unknown): string[] {
  try {
    return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string') : []
  } catch {
    return []
  }
}
