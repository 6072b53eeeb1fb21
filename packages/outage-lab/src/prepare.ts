/**
 * From a parsed body to a transcript that the model function can be asked about, or the error that the API has for it.
 * 1. Threads are expanded first, so that every later check sees the whole transcript.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { invalid, type ApiError } from './api-error.ts'
import { isThinking, type Conversation } from './conversation.ts'
import type { JsonObject } from './json.ts'
import { findModel } from './models.ts'
import { firstViolation } from './rules.ts'
import type { LabState } from './state.ts'
import { readTranscript, type Transcript } from './transcript.ts'

export interface Prepared {
  readonly transcript: Transcript
  readonly violation: ApiError | undefined
}

export function prepare(
  state: LabState,
  body: JsonObject,
  headers: IncomingHttpHeaders,
  isMessage: boolean,
): Prepared | ApiError {
  const { options } = state
  const version = headerOf(headers['anthropic-version'])
  if (version === '') return invalid('anthropic-version: header is required')
  if (isMessage && typeof body['max_tokens'] !== 'number') return invalid('max_tokens: Field required')
  if (typeof body['model'] !== 'string') return invalid('model: Field required')
  const card = findModel(options.models, body['model'])
  if (!card || card.lifecycle === 'retired')
    return { status: 404, type: 'not_found_error', message: `model: ${body['model']}` }
  const betas = headerOf(headers['anthropic-beta'])
    .split(',')
    .map((beta) => beta.trim())
  const expanded = state.threads.expand(body, betas)
  if ('error' in expanded) return expanded.error
  const transcript = readTranscript(expanded.request, {
    card,
    version,
    betas,
    servedPaused: (content) => state.wasPaused(content.map(({ block }) => block)),
  })
  const violation = options.strict ? firstViolation(transcript) : undefined
  return { transcript: { ...transcript, conversation: { ...withoutDropped(transcript), request: body } }, violation }
}

/** Thinking that the API drops does not reach the model and is not billed. */
function withoutDropped({ conversation, findings, turns }: Transcript): Conversation {
  if (findings.length === 0) return conversation
  const dropped = new Set(findings.map(({ placed }) => placed.block))
  const messages = turns.map((turn) => ({
    role: turn.role,
    content: turn.blocks.map(({ block }) => block).filter((block) => !isThinking(block) || !dropped.has(block)),
  }))
  return { ...conversation, messages }
}

function headerOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(',') ?? '')
}
