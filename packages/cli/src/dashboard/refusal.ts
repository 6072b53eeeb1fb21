/** A refusal in the form that the page knows: a code, a message, and what to do. No stack, no cause. */
import type { ActionRefusal } from '@lastgood/dashboard'
import { isLastgoodError, type ErrorCode } from '@lastgood/core'
import { failureOf } from '../failure.ts'
import { withFlags } from '../same-place.ts'
import { safeCommand, safeJson, safeLine } from '../text.ts'

export interface Refusal {
  readonly status: number
  readonly body: ActionRefusal
}

const statuses: Partial<Record<ErrorCode, number>> = {
  'bad-option': 400,
  'session-not-found': 404,
  'session-busy': 409,
  'journal-conflict': 409,
  'lease-lost': 409,
  'session-suspended': 409,
  'needs-input': 409,
  'store-unavailable': 503,
}

export function refusal(status: number, code: string, message: string, hint: string | null = null): Refusal {
  return {
    status,
    body: { error: { code, message: safeLine(message), hint: hint === null ? null : safeCommand(hint) } },
  }
}

/** Thrown where only this server knows why something is refused. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string | null

  constructor(status: number, code: string, message: string, hint: string | null = null) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
  }
}

/** The refusal for an error. `flags`: those that lead a command to the same store. */
export function refusalOf(error: unknown, flags: readonly string[]): Refusal {
  if (error instanceof Refused) return refusal(error.status, error.code, error.message, error.hint)
  const { code, message, hint } = failureOf(error)
  const status = isLastgoodError(error) ? (statuses[error.code] ?? 500) : code === 'bad-config' ? 409 : 500
  return refusal(status, code, message, hint && withFlags(hint, flags))
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(safeJson(value), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}

export const refused = ({ status, body }: Refusal, headers: Record<string, string> = {}): Response =>
  json(body, status, headers)
