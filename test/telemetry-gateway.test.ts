/** What OpenTelemetry sees of a gateway, whose clients may be traced or not. */
import Anthropic from '@anthropic-ai/sdk'
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { otel } from '@lastgood/otel'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { beforeEach, expect, test } from 'vitest'
import { failing, hello, named, post, setUp } from './support/gateway-stage.ts'
import { startTracing, wordsOf } from './support/traced.ts'

const traced = startTracing()
beforeEach(() => traced.reset())

const outage = { lab: { model: () => reply(text('hi')), outages: [failing(529, 2)] }, gateway: { telemetry: otel() } }

const failingAt = (request: number) => ({ when: { request }, fault: { kind: 'status' as const, status: 500 } })

test('a traced client has the waits of its request in its own trace, in the turn', async () => {
  const { gateway } = await setUp(outage)
  const client = new Anthropic({
    baseURL: 'http://127.0.0.1:4141',
    apiKey: 'sk-ant-test',
    defaultHeaders: named,
    // As from another process: only the headers come across.
    fetch: (input, init) =>
      context.with(ROOT_CONTEXT, () => gateway.fetch(new Request(input as string, init as RequestInit))),
  })
  await client.messages.create(hello as never)
  expect(traced.tree()).toEqual([
    {
      name: 'anthropic.messages.create',
      children: [
        {
          name: 'lastgood.turn',
          children: [
            { name: 'lastgood.wait', children: [] },
            { name: 'lastgood.wait', children: [] },
          ],
        },
      ],
    },
  ])
  expect(traced.span('lastgood.turn').attributes).toMatchObject({
    'gen_ai.conversation.id': 'ses',
    'lastgood.turn.outcome': 'ok_after_retry',
    'lastgood.attempts': 3,
  })
})

test('a turn that goes on in requests of other traces is linked to each, once', async () => {
  const model = story([reply([toolUse('look', {})]), reply(text('done'))])
  const { gateway } = await setUp({ lab: { model, outages: [failing(529, 1), failingAt(3)] }, gateway: outage.gateway })
  const traceOf = (n: number) => ({ ...named, traceparent: `00-${String(n).repeat(32)}-${String(n).repeat(16)}-01` })
  const body = { ...hello, tools: [{ name: 'look', input_schema: { type: 'object' } }] }
  const first = (await (await post(gateway, body, { headers: traceOf(1) })).json()) as { content: { id: string }[] }
  const results = [{ type: 'tool_result', tool_use_id: first.content[0]?.id, content: 'seen' }]
  const goesOn = [
    { role: 'assistant', content: first.content },
    { role: 'user', content: results },
  ]
  await (await post(gateway, { ...body, messages: [...body.messages, ...goesOn] }, { headers: traceOf(2) })).text()
  const turn = traced.span('lastgood.turn')
  expect(turn.spanContext().traceId).toBe('1'.repeat(32))
  expect(turn.links.map(({ context: { spanId } }) => spanId)).toEqual(['2'.repeat(16)])
})

test('a client that is not traced has a trace of each turn', async () => {
  const { gateway } = await setUp(outage)
  await (await post(gateway, { ...hello, stream: true }, { headers: named })).text()
  expect(traced.tree()).toMatchObject([{ name: 'lastgood.turn', children: [{}, {}] }])
})

test('where the server itself is traced, its span has the waits and the events', async () => {
  const { gateway } = await setUp(outage)
  await trace.getTracer('test').startActiveSpan('POST /v1/messages', async (mine) => {
    await (await post(gateway, hello, { headers: named })).text()
    mine.end()
  })
  expect(traced.tree()).toMatchObject([
    { name: 'POST /v1/messages', children: [{ name: 'lastgood.wait' }, { name: 'lastgood.wait' }] },
  ])
  expect(traced.span('POST /v1/messages').events.map(({ name }) => name)).toEqual(['lastgood.checkpoint'])
})

test('no content and no credentials are in any span', async () => {
  const { gateway } = await setUp({ ...outage, lab: { ...outage.lab, model: () => reply(text('the-answer')) } })
  const messages = [{ role: 'user', content: 'the-prompt' }]
  await (await post(gateway, { ...hello, messages }, { headers: named })).text()
  const words = wordsOf(traced.spans())
  expect(words).toContain('lastgood.wait')
  for (const secret of ['the-prompt', 'the-answer', 'sk-ant-test']) expect(words).not.toContain(secret)
})
