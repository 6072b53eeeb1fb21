/** Deliberate faults, one each, between a gateway and its clients, to see that the simulation finds them. */
import type { GatewaySimulationOptions } from './simulate-gateway.ts'

type Data = Record<string, unknown> & { type: string; content_block?: Record<string, unknown>; usage?: object }

/** Streams whose events are written anew; undefined leaves one out. */
const rewriting =
  (change: (data: Data) => (Data | undefined)[]): NonNullable<GatewaySimulationOptions['answer']> =>
  (response) => {
    if (!response.body || !response.headers.get('content-type')?.includes('event-stream')) return response
    const [decoder, encoder] = [new TextDecoder(), new TextEncoder()]
    const rewritten = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        for (const part of decoder.decode(piece).split('\n\n')) {
          const said = /^data: (.*)$/m.exec(part)?.[1]
          for (const data of said === undefined ? [] : change(JSON.parse(said) as Data))
            if (data) controller.enqueue(encoder.encode(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`))
        }
      },
    })
    return new Response(response.body.pipeThrough(rewritten), response)
  }

const eachOf = (type: string, change: (data: Data) => (Data | undefined)[]) =>
  rewriting((data) => (data.type === type ? change(data) : [data]))

const sameCall = (data: Data): Data[] => [{ ...data, content_block: { ...data.content_block, id: 'toolu_same' } }]

export const gatewayMutations: readonly (readonly [string, string, GatewaySimulationOptions])[] = [
  ['an answer that begins twice', 'P4', { answer: eachOf('message_start', (data) => [data, data]) }],
  ['blocks that have all the same index', 'P4', { answer: rewriting((data) => [{ ...data, index: 0 }]) }],
  ['an answer whose end is missing', 'P1', { answer: eachOf('message_stop', () => []) }],
  ['an error that is left out', 'P1', { answer: eachOf('error', () => []) }],
  ['a text that nobody has recorded', 'P1', { answer: eachOf('content_block_delta', (data) => [data, data]) }],
  [
    'a call that has the id of an earlier one',
    'P2',
    {
      answer: eachOf('content_block_start', (data) =>
        data.content_block?.['type'] === 'tool_use' ? sameCall(data) : [data],
      ),
    },
  ],
  [
    'another cost than was billed',
    'P8',
    { answer: eachOf('message_delta', (data) => [{ ...data, usage: { output_tokens: 1 } }]) },
  ],
  ['a gateway that remembers no answer', 'P8', { gateway: { reattachMs: 0 } }],
  ['a gateway that never answers', 'P6', { answer: (response) => new Response(new ReadableStream(), response) }],
]
