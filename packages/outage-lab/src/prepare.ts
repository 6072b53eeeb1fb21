/**
 * From a parsed body to a transcript for the model function, or the error that the API answers with.
 * 1. Threads are expanded first, so that every later check sees the whole transcript.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { ApiError } from './api-error.ts'
import { judge, type Judgement } from './check.ts'
import { isThinking, type Block, type Conversation } from './conversation.ts'
import type { JsonObject } from './json.ts'
import type { LabState } from './state.ts'
import type { Transcript } from './transcript.ts'

export function prepare(
  state: LabState,
  body: JsonObject,
  headers: IncomingHttpHeaders,
  isMessage: boolean,
): Judgement | ApiError {
  const { options } = state
  const betas = headerOf(headers['anthropic-beta'])
    .split(',')
    .map((beta) => beta.trim())
  const expanded = state.threads.expand(body, betas)
  if ('error' in expanded) return expanded.error
  const version = headerOf(headers['anthropic-version'])
  const context = {
    version,
    betas,
    models: options.models,
    pauseOf: (content: readonly Block[]) => state.pauseOf(content),
  }
  const judged = judge(expanded.request, context, isMessage)
  if ('status' in judged) return judged
  const { transcript } = judged
  return {
    transcript: { ...transcript, conversation: { ...withoutDropped(transcript), request: body } },
    violation: (options.strict ? judged.violation : undefined) ?? state.objects.missing(expanded.request),
  }
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
