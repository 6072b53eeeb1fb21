/** Answers that the lab would not give: hand-made bytes, and a stream that hangs at a known place. */
import Anthropic from '@anthropic-ai/sdk'

export interface ScriptedCall {
  body: { messages: { role: string; content: unknown }[] } & Record<string, unknown>
  signal: AbortSignal
}

type Script = (call: ScriptedCall, n: number) => string | ReadableStream<Uint8Array>

/** A client whose n-th request is answered by `script`; no network. */
export function scriptedClient(script: Script): { client: Anthropic; calls: ScriptedCall[] } {
  const calls: ScriptedCall[] = []
  const fetch = async (_url: unknown, init: RequestInit = {}) => {
    const call = { body: JSON.parse(init.body as string) as ScriptedCall['body'], signal: init.signal as AbortSignal }
    calls.push(call)
    return new Response(script(call, calls.length), { headers: { 'content-type': 'text/event-stream' } })
  }
  return { client: new Anthropic({ apiKey: 'test', baseURL: 'http://scripted.test', logLevel: 'off', fetch }), calls }
}

/** Sends `text` and then nothing more; `reached` resolves when all of it was read and the reader asks for more. */
export function hangAfter(text: string) {
  let reach: () => void = () => {}
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const stream = ({ signal }: ScriptedCall) => {
    let sent = false
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
        pull(controller) {
          if (sent) reach()
          else controller.enqueue(new TextEncoder().encode(text))
          sent = true
        },
      },
      { highWaterMark: 0 },
    )
  }
  return { reached, stream }
}

export const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

const block = (index: number, content_block: object, delta: object) =>
  event('content_block_start', { index, content_block }) +
  event('content_block_delta', { index, delta }) +
  event('content_block_stop', { index })

export const started = (id = 'msg_1') =>
  event('message_start', {
    message: { id, type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: {} },
  })

export const textBlock = (index: number, text: string) =>
  block(index, { type: 'text', text: '' }, { type: 'text_delta', text })

/** A call of `count` with this text for input. */
export const callBlock = (index: number, json: string, id = `toolu_${index}`) =>
  block(index, { type: 'tool_use', id, name: 'count', input: {} }, { type: 'input_json_delta', partial_json: json })

export const ended = (stop_reason: string | null, output_tokens = 5) =>
  event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens } }) +
  event('message_stop', {})

/** A whole answer of text. */
export const said = (text: string, id?: string) => started(id) + textBlock(0, text) + ended('end_turn')
