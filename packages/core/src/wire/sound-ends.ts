/**
 * The events with which a streamed answer and its blocks begin and end, as the SDK can read them. Where one has no usage,
 * as some proxies send them, its message throws after the answer was paid for; where a thought has no text, it begins
 * with the word "undefined". What is sound passes as it is. Pure.
 */
import { isRecord } from '../json.ts'
import type { Block } from '../journal/journal.ts'
import { withText, type Assembler } from './assembler.ts'
import { writeEvent, type ServerSentEvent } from './sse.ts'

type Json = Readonly<Record<string, unknown>>

export function soundStart(event: ServerSentEvent, data: Json): ServerSentEvent {
  const message = data['message'] as Json
  const { content, usage } = message
  if (isRecord(usage) && Array.isArray(content) && content.length === 0) return event
  const counts = isRecord(usage) ? usage : { input_tokens: 0, output_tokens: 0 }
  return written(event, { ...data, message: { ...message, content: [], usage: counts } })
}

export function soundBlock(event: ServerSentEvent, data: Json): ServerSentEvent {
  const block = data['content_block'] as Block
  const sound = withText(block)
  return sound === block ? event : written(event, { ...data, content_block: sound })
}

/** For a `message_delta` that `answer` has taken. */
export function soundDelta(event: ServerSentEvent, data: Json, answer: Assembler): ServerSentEvent {
  const { delta, usage } = data
  const said = isRecord(delta) ? delta : {}
  const reason = answer.stopReason
  if (isRecord(usage) && said === delta && reason === (said['stop_reason'] ?? null)) return event
  const counts = isRecord(usage) ? usage : { output_tokens: answer.usage?.['output_tokens'] ?? 0 }
  return written(event, { ...data, delta: { stop_sequence: null, ...said, stop_reason: reason }, usage: counts })
}

const written = ({ event }: ServerSentEvent, data: Json): ServerSentEvent => ({
  event,
  data: JSON.stringify(data),
  raw: writeEvent(event, data),
})
