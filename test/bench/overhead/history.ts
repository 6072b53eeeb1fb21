/** Histories of a given length, as a coding agent has them, and a provider that answers in this process. */
import type { WireRequest } from '@lastgood/core'

interface Message {
  readonly role: 'user' | 'assistant'
  readonly content: string | readonly Record<string, unknown>[]
}

/** A step: an answer with a tool call, and its result. */
export const bytesPerStep = 7500
/** Events of a streamed answer. */
export const streamEvents = 206

const model = 'claude-opus-5-5'
const tools = [{ name: 'read', description: 'Reads a file.', input_schema: { type: 'object' } }]
const sourceLine = 'export const answer = (question: string): number => question.length * 42 // "quoted"\n'

/** `count` messages, beginning with a task and ending with a tool result. */
export function historyOf(count: number): Message[] {
  const steps = Array.from({ length: count / 2 - 1 }, (_, at) => stepOf(at)).flat()
  return [
    { role: 'user', content: 'Make the tests green.' },
    { role: 'assistant', content: 'I begin.' },
    ...steps,
  ].slice(0, count) as Message[]
}

/** The message with the result of a tool call. */
export function resultOf(toolUseId: string): Message {
  const text = sourceLine.repeat(Math.ceil(bytesPerStep / sourceLine.length)).slice(0, bytesPerStep - 400)
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: toolUseId, content: text }] }
}

function stepOf(at: number): Message[] {
  const id = `toolu_${String(at).padStart(20, '0')}`
  const say = { type: 'text', text: `I look at part ${at} of the code, to see what the failing test of it needs.` }
  const call = { type: 'tool_use', id, name: 'read', input: { path: `src/part-${at}.ts` } }
  return [{ role: 'assistant', content: [say, call] }, resultOf(id)]
}

export function requestOf(messages: readonly Message[]): WireRequest {
  const body = JSON.stringify({ model, max_tokens: 8000, stream: true, system: 'You are a coder.', tools, messages })
  const headers = new Headers({ 'content-type': 'application/json', 'anthropic-version': '2023-06-01' })
  return { url: 'https://api.anthropic.com/v1/messages', method: 'POST', headers, body }
}

/** The answer to every request: words, then a tool call, event by event. */
export function answerWith(toolUseId: string): Response {
  const events = answerEvents(toolUseId)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = events.next()
        if (next.done) controller.close()
        else controller.enqueue(encoder.encode(next.value))
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

function* answerEvents(toolUseId: string): Generator<string> {
  const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
  const usage = { input_tokens: 1000, output_tokens: 1 }
  const message = { id: `msg_${toolUseId}`, type: 'message', role: 'assistant', model, content: [], usage }
  yield event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null } })
  yield event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
  for (let at = 0; at < streamEvents - 8; at++) {
    yield event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: `word ${at} ` } })
  }
  yield event('content_block_stop', { index: 0 })
  const call = { type: 'tool_use', id: toolUseId, name: 'read', input: {} }
  yield event('content_block_start', { index: 1, content_block: call })
  const delta = { type: 'input_json_delta', partial_json: '{"path":"src/next.ts"}' }
  yield event('content_block_delta', { index: 1, delta })
  yield event('content_block_stop', { index: 1 })
  yield event('message_delta', {
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 99 },
  })
  yield event('message_stop', {})
}
