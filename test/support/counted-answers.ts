/** Gateways in front of a hand-made API that says which request it answers: no network. */
import { memoryStore, replayed, type AssistantMessage } from '@lastgood/core'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { expect, onTestFinished } from 'vitest'
import { hello, post } from './gateway-stage.ts'
import { jumpingClock } from './harness.ts'

interface Seen {
  url: string
  headers: Headers
  body: { system?: string; thread?: object; max_tokens?: number; model: string }
  isAborted: boolean
}

/** An API that says which request it answers; `answer` may make it wait, or say something else. */
export function api(answer: (seen: Seen) => Promise<object | void> | object | void = () => {}) {
  const requests: Seen[] = []
  const fetch: NonNullable<GatewayOptions['fetch']> = async (url, { headers, body, signal }) => {
    const seen: Seen = {
      url,
      headers: new Headers(headers),
      body: body ? ((await new Response(body).json()) as Seen['body']) : { model: '' },
      isAborted: false,
    }
    const nth = requests.push(seen)
    const aborted = new Promise<never>((_resolve, reject) =>
      signal?.addEventListener('abort', () => {
        seen.isAborted = true
        reject(signal.reason as Error)
      }),
    )
    aborted.catch(() => {})
    const said = await Promise.race([answer(seen), aborted])
    return Response.json({ ...message(`answer ${nth}`), ...said })
  }
  return { requests, fetch }
}

export const message = (text: string) => ({
  id: `msg_${text.replaceAll(' ', '_')}`,
  type: 'message',
  role: 'assistant' as const,
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 1 },
})

export const streamed = (whole: AssistantMessage) =>
  new Response(ReadableStream.from([...replayed(whole)].map((event) => new TextEncoder().encode(event))), {
    headers: { 'content-type': 'text/event-stream' },
  })

export function gatewayOf(options: GatewayOptions) {
  const gateway = createGateway({ store: memoryStore(), clock: jumpingClock(), drainMs: 0, ...options })
  onTestFinished(() => gateway.close())
  return gateway
}

export const saidBy = async (response: Response) =>
  ((await response.json()) as { content: { text: string }[] }).content[0]?.text ?? ''

/** The next request of a client that sends no session id and was answered with `said`. */
export async function goOn(gateway: ReturnType<typeof gatewayOf>, said: string): Promise<void> {
  const next = [
    { role: 'assistant', content: said },
    { role: 'user', content: 'Go on' },
  ]
  const response = await post(gateway, { ...hello, messages: [...hello.messages, ...next] })
  expect(response.status).toBe(200)
}
