import type { JsonObject } from './json.ts'

/** An answer of the API that is an error, as data. `rule` and `row` name the transcript rule that was broken. */
export interface ApiError {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly details?: JsonObject
  readonly rule?: string
  readonly row?: number
}

/** The error type of each status, and a text for when nothing better is known. */
const USUAL: { readonly [status: number]: readonly [type: string, message: string] } = {
  400: ['invalid_request_error', 'Invalid request'],
  401: ['authentication_error', 'invalid x-api-key'],
  402: ['billing_error', 'There is an issue with your billing or payment information.'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'Not found'],
  409: ['conflict_error', 'The request conflicts with the current state of the resource.'],
  413: ['request_too_large', 'Request exceeds the maximum size'],
  429: ['rate_limit_error', 'This request would exceed the rate limit of your organization. Please try again later.'],
  500: ['api_error', 'Internal server error'],
  504: ['timeout_error', 'The request timed out while processing. Please try again or use streaming.'],
  529: ['overloaded_error', 'Overloaded'],
}

/** The message beside an error code, in this lab's words: clients go by the code. */
const CODED: { readonly [code: string]: string } = {
  organization_on_hold: 'This organization is on hold.',
  spend_limit_reached: 'The spend limit of this workspace has been reached.',
  linked_organization_billing_unavailable: 'The billing of the linked organization is not available.',
  api_key_scope_missing: 'This API key does not have the scope that the request needs.',
  request_body_too_large_after_decoding: 'The request body is too large after decoding.',
  enforced_spend_limit_reached: 'You have reached your specified API usage limits.',
  contract_spend_limit_reached: 'The spend limit of your contract has been reached.',
  ramp_limit_exceeded: 'Your usage has grown too fast. Please ramp up more slowly.',
  compaction_unavailable: 'Compaction is temporarily unavailable. Please try again.',
}

export function usualError(status: number, code = ''): { readonly type: string; readonly message: string } {
  const [type, message] = USUAL[status] ??
    (status < 500 ? USUAL[400] : USUAL[500]) ?? ['api_error', 'Internal server error']
  return { type, message: CODED[code] ?? message }
}

/** The status of an error type: for in-band errors that have to become a JSON answer. */
export function statusOfType(type: string): number {
  const found = Object.entries(USUAL).find(([, [usual]]) => usual === type)
  return found ? Number(found[0]) : 500
}

export function errorBody(error: Pick<ApiError, 'type' | 'message' | 'details'>, requestId: string | null): JsonObject {
  const { type, message, details } = error
  return { type: 'error', error: { type, message, ...(details && { details }) }, request_id: requestId }
}

export function invalid(message: string, extra: Partial<ApiError> = {}): ApiError {
  return { status: 400, type: 'invalid_request_error', message, ...extra }
}

export function modelMissing(model: string): ApiError {
  return { status: 404, type: 'not_found_error', message: `model: ${model}`, rule: 'model' }
}
