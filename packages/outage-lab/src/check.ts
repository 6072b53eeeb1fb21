/**
 * Judges one request as the real API would, without a server.
 * 1. Pure, and it never throws, whatever the body is.
 */
import { invalid, modelMissing, usualError, type ApiError } from './api-error.ts'
import type { JsonObject } from './json.ts'
import { findModel, MODELS, type ModelCard } from './models.ts'
import { parseBody } from './request-body.ts'
import { firstViolation } from './rules/rules.ts'
import { readTranscript, type Transcript, type TranscriptContext } from './transcript.ts'

export const MAX_BODY_BYTES = 32 * 1024 * 1024

export interface CheckOptions {
  /** The header `anthropic-version`. Default 2023-06-01. */
  readonly version?: string
  /** The header `anthropic-beta`. Default: none. */
  readonly betas?: readonly string[]
  /** Default: the current models. */
  readonly models?: readonly ModelCard[]
  /** Default 32 MB. */
  readonly maxBodyBytes?: number
}

export interface Judgement {
  readonly transcript: Transcript
  readonly violation: ApiError | undefined
}

/** What is wrong with a body for POST /v1/messages: rule, row and text; undefined if the API would answer it. */
export function checkRequest(body: unknown, options: CheckOptions = {}): ApiError | undefined {
  const { version = '2023-06-01', betas = [], models = MODELS, maxBodyBytes = MAX_BODY_BYTES } = options
  const raw = JSON.stringify(body) ?? ''
  if (Buffer.byteLength(raw) > maxBodyBytes) return tooLarge()
  const parsed = parseBody(raw)
  if ('error' in parsed) return parsed.error
  const judged = judge(parsed.body, { version, betas, models })
  return 'status' in judged ? judged : judged.violation
}

export function judge(
  body: JsonObject,
  context: Omit<TranscriptContext, 'card'> & { readonly models: readonly ModelCard[] },
  isMessage = true,
): Judgement | ApiError {
  const refuse = (message: string): ApiError => invalid(message, { rule: 'settings', row: 11 })
  if (context.version === '') return refuse('anthropic-version: header is required')
  if (isMessage && typeof body['max_tokens'] !== 'number') return refuse('max_tokens: Field required')
  if (typeof body['model'] !== 'string') return refuse('model: Field required')
  const card = findModel(context.models, body['model'])
  if (!card || card.lifecycle === 'retired') return modelMissing(body['model'])
  const transcript = readTranscript(body, { ...context, card })
  return { transcript, violation: firstViolation(transcript) }
}

export function tooLarge(): ApiError {
  return { status: 413, ...usualError(413), row: 36, rule: 'body-size' }
}
