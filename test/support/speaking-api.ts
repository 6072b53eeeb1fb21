/** An API whose answers take time, on the clock of the test, and a client that accumulates what it gets. */
import Anthropic from '@anthropic-ai/sdk'
import type { Clock } from '@lastgood/core'
import type { Fetch } from '@lastgood/gateway'

/** What it does next: sends this, is silent for `silentMs`, or breaks the connection. */
export type Act = string | { silentMs: number } | 'break'

/** The n-th request gets the n-th answer; those after the last get the last one. */
export function speakingApi(clock: Clock, answers: readonly (readonly Act[])[]): Fetch & { requests: number } {
  const api = Object.assign(
    async (_url: string, { signal }: RequestInit) => {
      const acts = [...(answers[Math.min(api.requests, answers.length - 1)] ?? [])]
      api.requests += 1
      const sleep = (ms: number) => clock.sleepUntil(clock.now() + ms, signal ? { signal } : {})
      for (; typeof acts[0] === 'object'; acts.shift()) await sleep(acts[0].silentMs)
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            try {
              for (let act = acts.shift(); act !== undefined; act = acts.shift()) {
                if (act === 'break') throw new TypeError('terminated')
                if (typeof act === 'string') return controller.enqueue(new TextEncoder().encode(act))
                await sleep(act.silentMs)
              }
              controller.close()
            } catch (error) {
              controller.error(error)
            }
          },
        },
        { highWaterMark: 0 },
      )
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
    { requests: 0 },
  )
  return api
}

/** The events of a stream, without its pings. */
export const eventsIn = (stream: string): Record<string, unknown>[] =>
  [...stream.matchAll(/^data: (.*)$/gm)]
    .map(([, data = '']) => JSON.parse(data) as Record<string, unknown>)
    .filter(({ type }) => type !== 'ping')

/** What the SDK makes of a stream. Rejects if events come in an impossible order. */
export function accumulated(stream: string): Promise<Anthropic.Message> {
  const client = new Anthropic({
    apiKey: 'test',
    maxRetries: 0,
    logLevel: 'off',
    fetch: async () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }),
  })
  return client.messages.stream({ model: 'm', max_tokens: 1, messages: [] }).finalMessage()
}
