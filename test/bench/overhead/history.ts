/** Histories of a given length, as a coding agent has them, and a provider that answers in this process. */
import type Anthropic from '@anthropic-ai/sdk'

/** A step: an answer with a tool call, and its result. */
export const bytesPerStep = 7500
/** Events of a streamed answer in words. */
export const streamEvents = 206
/** Of those, the ones with words. */
export const streamWords = streamEvents - 5

export const model = 'claude-opus-5-5'
export const system = 'You are a coder.'
export const toolName = 'read'
const sourceLine = 'export const answer = (question: string): number => question.length * 42 // "quoted"\n'
/** What the tool gives. */
export const sourceText = sourceLine.repeat(Math.ceil(bytesPerStep / sourceLine.length)).slice(0, bytesPerStep - 400)

/** An even number of messages, beginning with a task and ending with a tool result. */
export function historyOf(count: number): Anthropic.MessageParam[] {
  const steps = Array.from({ length: count / 2 - 1 }, (_, at) => stepOf(at)).flat()
  return [{ role: 'user', content: 'Make the tests green.' }, { role: 'assistant', content: 'I begin.' }, ...steps]
}

/** The message with the result of a tool call. */
export function resultOf(toolUseId: string): Anthropic.MessageParam {
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: toolUseId, content: sourceText }] }
}

function stepOf(at: number): Anthropic.MessageParam[] {
  const id = `toolu_${String(at).padStart(20, '0')}`
  const text = `I look at part ${at} of the code, to see what the failing test of it needs.`
  const call = { type: 'tool_use', id, name: toolName, input: { path: `src/part-${at}.ts` } } as const
  return [{ role: 'assistant', content: [{ type: 'text', text }, call] }, resultOf(id)]
}

/**
 * The API for one conversation: it takes the bytes of a request, as a socket would, and gives the next of `answers`, event
 * by event.
 */
export function provider(...answers: (() => Iterable<string>)[]): typeof fetch {
  const encoder = new TextEncoder()
  return async (_url, init) => {
    encoder.encode(init?.body as string)
    const events = answers.shift()?.()[Symbol.iterator]()
    if (!events) throw new Error('there was one request too many')
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const next = events.next()
      if (next.done) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    }
    const body = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
}

/** An answer in words that ends its turn. */
export function* words(id: string, count = streamWords): Generator<string> {
  yield begun(id)
  yield event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
  for (let at = 0; at < count; at++) {
    yield event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: `word ${at} ` } })
  }
  yield* ended('end_turn')
}

/** An answer with a tool call. */
export function* call(toolUseId: string): Generator<string> {
  yield begun(toolUseId)
  const block = { type: 'tool_use', id: toolUseId, name: toolName, input: {} }
  yield event('content_block_start', { index: 0, content_block: block })
  const delta = { type: 'input_json_delta', partial_json: '{"path":"src/next.ts"}' }
  yield event('content_block_delta', { index: 0, delta })
  yield* ended('tool_use')
}

const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

function begun(id: string): string {
  const usage = { input_tokens: 1000, output_tokens: 1 }
  const message = { id: `msg_${id}`, type: 'message', role: 'assistant', model, content: [], usage }
  return event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null } })
}

function* ended(reason: string): Generator<string> {
  yield event('content_block_stop', { index: 0 })
  const delta = { stop_reason: reason, stop_sequence: null }
  yield event('message_delta', { delta, usage: { output_tokens: 99 } })
  yield event('message_stop', {})
}
