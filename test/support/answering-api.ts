/** Hand-made answers of every kind: streams, whole messages, refusals, and none at all; no network. */
import Anthropic from '@anthropic-ai/sdk'

export const model = 'claude-opus-5-5'

export interface Call {
  /** Undefined for a request without one: the Models API is asked by GET. */
  body:
    | ({ model: string; max_tokens: number; messages: { role: string; content: unknown }[] } & Record<string, unknown>)
    | undefined
  signal: AbortSignal
}

/** A text is an event stream. */
type Answer = string | Response | Promise<Response>

/** A client whose n-th request is answered by `script`. */
export function answeringClient(
  script: (call: Call, n: number) => Answer,
  baseURL = 'http://scripted.test',
  Client = Anthropic,
) {
  const calls: Call[] = []
  const fetch = async (_url: unknown, init: RequestInit = {}) => {
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Call['body']) : undefined
    const call = { body, signal: init.signal as AbortSignal }
    calls.push(call)
    const answer = await script(call, calls.length)
    return typeof answer === 'string'
      ? new Response(answer, { headers: { 'content-type': 'text/event-stream' } })
      : answer
  }
  const client = new Client({ apiKey: 'test', baseURL, logLevel: 'off', fetch })
  return {
    client,
    calls,
    /** The messages of the last request, as text. */
    lastSent: () => JSON.stringify(calls.at(-1)?.body?.messages),
    /** The models that were asked to answer. */
    models: () => calls.flatMap(({ body }) => body?.model ?? []),
  }
}

export const whole = (text: string, fields: object = {}) =>
  Response.json({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 5 },
    ...fields,
  })

/** A tool, an answer that calls it, and what it returned. */
export const look = { name: 'look', input_schema: { type: 'object' as const } }
export const call = (model: string, id: string) =>
  whole('', {
    id: `msg_${id}`,
    model,
    content: [{ type: 'tool_use', id, name: look.name, input: {} }],
    stop_reason: 'tool_use',
  })
export const result = (id: string) => user([{ type: 'tool_result' as const, tool_use_id: id, content: 'seen' }])

export const failed = (status: number, type = 'api_error', message = 'no') =>
  Response.json({ type: 'error', error: { type, message } }, { status })

export const refused = (message: string) => failed(400, 'invalid_request_error', message)

/** Is never answered; ends when its caller aborts. */
export const unanswered = ({ signal }: Call) =>
  new Promise<Response>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

export const user = <T>(content: T) => ({ role: 'user' as const, content })
export const assistant = <T>({ content }: { content: T }) => ({ role: 'assistant' as const, content })

/** An image of two by two pixels: the header of a PNG, and nothing after it. */
export function pixel() {
  const bytes = Buffer.alloc(33)
  bytes.write('\x89PNG\r\n\x1a\n', 0, 'latin1')
  bytes.writeUInt32BE(13, 8)
  bytes.write('IHDR', 12, 'latin1')
  bytes.writeUInt32BE(2, 16)
  bytes.writeUInt32BE(2, 20)
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: bytes.toString('base64') }
  return { type: 'image' as const, source }
}

export const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

/** A text block that begins and says nothing. */
export const openedBlock = (index: number) =>
  event('content_block_start', { index, content_block: { type: 'text', text: '' } })

/** A text block that breaks off. */
export const brokenBlock = (index: number, text: string) =>
  openedBlock(index) + event('content_block_delta', { index, delta: { type: 'text_delta', text } })

export const thinkingBlock = (index: number, signature: string) =>
  event('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } }) +
  event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: 'Hm.' } }) +
  event('content_block_delta', { index, delta: { type: 'signature_delta', signature } }) +
  event('content_block_stop', { index })
