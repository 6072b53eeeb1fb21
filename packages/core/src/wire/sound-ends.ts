/**
 * The beginning and the end of a streamed answer as the SDK can read them: its message throws where either has no usage,
 * as some proxies send them, after the answer was paid for. What is sound passes as it is. Pure.
 */
import { isRecord } from '../json.ts'
import type { Assembler } from './assembler.ts'
import { writeEvent, type ServerSentEvent } from './sse.ts'

type Json = Readonly<Record<string, unknown>>

export function soundStart(event: ServerSentEvent, data: Json): ServerSentEvent {
  const message = data['message'] as Json
  const { content, usage } = message
  if (isRecord(usage) && Array.isArray(content) && content.length === 0) return event
  const counts = isRecord(usage) ? usage : { input_tokens: 0, output_tokens: 0 }
  return written(event, { ...data, message: { ...message, content: [], usage: counts } })
}

/** For a `message_delta` that `answer` has taken. */
export function soundDelta(event: ServerSentEvent, data: Json, answer: Assembler): ServerSentEvent {
  const { delta, usage } = data
  const said = isRecord(delta) ? delta : {}
  const reason = said['stop_reason'] ?? answer.stopReason
  if (isRecord(usage) && said === delta && reason === (said['stop_reason'] ?? null)) return event
  const counts = isRecord(usage) ? usage : { output_tokens: answer.usage?.['output_tokens'] ?? 0 }
  return written(event, { ...data, delta: { stop_sequence: null, ...said, stop_reason: reason }, usage: counts })
}

const written = ({ event }: ServerSentEvent, data: Json): ServerSentEvent => ({
  event,
  data: JSON.stringify(data),
  raw: writeEvent(event, data),
})
