/**
 * Errors of lastgood's own, in the form of the API's, so that a client treats them alike:
 * https://platform.claude.com/docs/en/api/errors
 *
 * 1. `x-should-retry` says whether asking again can help. What was waited out to the end is not retried on top (P8).
 */
import { classify, isLastgoodError, withoutSecrets } from '@lastgood/core'
import { BodyStalled, RequestTooLarge } from './bodies.ts'

export interface ApiError {
  status: number
  type: string
  message: string
  retry: boolean
}

/** The session is with another holder, or the store does not answer: the next try may succeed. */
const passing: ReadonlySet<string> = new Set(['store-unavailable', 'session-busy', 'session-closed', 'lease-lost'])

/** The API's own refusal, for a client that already has a 200. */
export class RefusedLate extends Error {
  readonly status: number
  readonly body: string

  constructor(status: number, body: string) {
    super(`the API answered ${status}`)
    this.status = status
    this.body = body
  }
}

/** `wayOn` turns the hint of an error into the one that a client is told. */
export function apiErrorOf(error: unknown, wayOn: (hint: string) => string): ApiError {
  const told = meantBy(error, wayOn)
  return { ...told, message: withoutSecrets(told.message) }
}

function meantBy(error: unknown, wayOn: (hint: string) => string): ApiError {
  if (error instanceof RefusedLate) return { ...toldBy(error), status: error.status, retry: false }
  // It may also be the cause of a request that did not leave.
  const stalled = [error, (error as Error | null)?.cause].find((one) => one instanceof BodyStalled)
  if (stalled) return { status: 408, type: 'timeout_error', message: `lastgood: ${stalled.message}`, retry: true }
  if (error instanceof RequestTooLarge) {
    return {
      status: 413,
      type: 'request_too_large',
      message: `lastgood: ${error.message}; ${error.hint}`,
      retry: false,
    }
  }
  if (!isLastgoodError(error)) {
    const message = `lastgood: the gateway failed: ${error instanceof Error ? error.message : String(error)}`
    // A request that is only passed on was not retried here. Asking again does not help against this machine's set-up.
    const { kind } = classify({ phase: 'connect', cause: error, now: 0 })
    return { status: 502, type: 'api_error', message, retry: kind !== 'config' }
  }
  const message = `lastgood: ${error.message}; ${wayOn(error.hint)}`
  if (passing.has(error.code)) return { status: 503, type: 'api_error', message, retry: true }
  const seen = Number(error.details['status'])
  if (error.code === 'session-suspended' || error.code === 'request-failed') {
    // To clients, a suspension that time may end is an overload; a failure without a status is a bad gateway.
    const status = seen >= 400 && seen < 600 ? seen : error.code === 'session-suspended' ? 529 : 502
    return { status, type: typeOf(status), message, retry: false }
  }
  if (error.code === 'bad-option') return { status: 400, type: 'invalid_request_error', message, retry: false }
  return { status: 500, type: 'api_error', message, retry: false }
}

export function errorResponse(error: ApiError, more: Readonly<Record<string, string>> = {}): Response {
  const headers = { ...more, 'content-type': 'application/json', 'x-should-retry': String(error.retry) }
  return new Response(JSON.stringify(errorBody(error)), { status: error.status, headers })
}

/**
 * What the API said about its limits; and for a session suspended until an instant, the seconds to it: a client that
 * retries all the same waits that long.
 */
export function limitsOf(error: unknown, now: number): Readonly<Record<string, string>> {
  if (!isLastgoodError(error)) return {}
  const { limits, retryAt } = error.details
  const isUntil = error.code === 'session-suspended' && typeof retryAt === 'number'
  return {
    ...(limits as Readonly<Record<string, string>> | undefined),
    ...(isUntil && { 'retry-after': String(Math.max(1, Math.ceil((retryAt - now) / 1000))) }),
  }
}

export const errorBody = ({ type, message }: ApiError) => ({ type: 'error', error: { type, message } })

function toldBy({ status, body, message }: RefusedLate): Pick<ApiError, 'type' | 'message'> {
  try {
    const { error } = JSON.parse(body) as { error: { type: unknown; message: unknown } }
    if (typeof error.type === 'string' && typeof error.message === 'string') {
      return { type: error.type, message: error.message }
    }
  } catch {
    // not in the API's form
  }
  return { type: typeOf(status), message }
}

function typeOf(status: number): string {
  return byStatus[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

const byStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}
