/** What OpenTelemetry sees of a session: the real SDKs of OpenTelemetry and Anthropic, in front of the lab. */
import Anthropic from '@anthropic-ai/sdk'
import { trace } from '@opentelemetry/api'
import { defineAgent, ladder, recoverable, tool } from '@lastgood/anthropic'
import { memoryStore, openSession, type SessionOptions } from '@lastgood/core'
import { otel } from '@lastgood/otel'
import { reply, startLab, story, text, toolUse, type LabOptions, type Outage } from '@lastgood/outage-lab'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openTestSession } from './support/harness.ts'
import { startTracing, wordsOf } from './support/traced.ts'

const traced = startTracing()
beforeEach(() => traced.reset())

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const
const key = 'sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz'
const prompt = 'the-words-of-the-prompt'
const said = 'the-words-of-the-answer'
const status = (n: number, code: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: code } })

async function stage(lab: LabOptions, options: SessionOptions = {}) {
  const started = await startLab(lab)
  onTestFinished(() => started.close())
  const client = new Anthropic({ baseURL: started.url, apiKey: key, logLevel: 'off' })
  const store = options.store ?? memoryStore()
  const open = (more: SessionOptions = {}) => openTestSession(store, { telemetry: otel(), ...options, ...more })
  return { lab: started, client, store, open, session: await open() }
}

const calling = story([
  reply([toolUse('look', { at: said })]),
  reply(text(said)),
  reply([toolUse('look', { at: said })]),
  reply(text(said)),
])
const look = tool({
  name: 'look',
  description: 'Looks.',
  input: z.object({ at: z.string() }),
  run: ({ at }) => {
    trace.getTracer('test').startSpan('inside the tool').end()
    return `looked at ${at}`
  },
})
const coder = (client: Anthropic, model: Parameters<typeof defineAgent>[0]['model'] = opus) =>
  defineAgent({ name: 'coder', client, model, system: 'You code.', tools: [look], maxTokens: 1_000 })

describe('a turn that lastgood runs', () => {
  test('that meets 500 and 529 is one tree: the agent, the turn, and in it the calls, the waits and the tool', async () => {
    const { client, session } = await stage({ model: calling, outages: [status(1, 500), status(2, 529)] })
    await session.run(coder(client), prompt)
    expect(traced.tree()).toEqual([
      {
        name: 'invoke_agent coder',
        children: [
          {
            name: 'lastgood.turn',
            children: expect.toSatisfy((children: { name: string }[]) => {
              const names = children.map(({ name }) => name).sort()
              return (
                names.join() ===
                'anthropic.messages.create,anthropic.messages.create,execute_tool look,lastgood.wait,lastgood.wait'
              )
            }) as never,
          },
        ],
      },
    ])
    expect(traced.span('lastgood.turn').attributes).toMatchObject({
      'gen_ai.conversation.id': 'ses',
      'lastgood.turn.index': 1,
      'lastgood.turn.outcome': 'ok_after_retry',
      'lastgood.attempts': 4,
      'lastgood.model.requested': opus,
      'lastgood.model.served': opus,
    })
    expect(traced.span('invoke_agent coder').attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'coder',
    })
    expect(traced.span('inside the tool').parentSpanContext?.spanId).toBe(
      traced.span('execute_tool look').spanContext().spanId,
    )
    expect(traced.span('execute_tool look').attributes).toMatchObject({
      'gen_ai.tool.name': 'look',
      'lastgood.tool.source': 'executed',
    })
    expect(traced.span('lastgood.turn').events.map(({ name }) => name)).toEqual(['lastgood.checkpoint'])
  })

  test("has the SDK's span for its child, under the session's name, and no other span of a model call", async () => {
    const { client, session } = await stage({ model: calling, outages: [status(1, 529)] })
    await session.run(coder(client), prompt)
    const turn = traced.span('lastgood.turn').spanContext()
    const calls = traced.spans().filter(({ attributes }) => attributes['gen_ai.operation.name'] === 'chat')
    expect(calls.map(({ name }) => name)).toEqual(['anthropic.messages.create', 'anthropic.messages.create'])
    for (const call of calls) {
      expect(call.parentSpanContext).toMatchObject({ spanId: turn.spanId, traceId: turn.traceId })
      expect(call.attributes['gen_ai.conversation.id']).toBe('ses')
    }
  })

  test('waits in spans from the fault to the next attempt, which say why and for how long', async () => {
    const limited: Outage = {
      when: { request: 2 },
      fault: { kind: 'status', status: 429, headers: { 'retry-after': '20' } },
    }
    const { client, session } = await stage({ model: calling, outages: [status(1, 529), limited] })
    await session.run(coder(client), prompt)
    const waits = traced.spans().filter(({ name }) => name === 'lastgood.wait')
    expect(waits.map(({ attributes }) => attributes)).toMatchObject([
      { 'lastgood.wait.reason': 'backoff', 'lastgood.attempt': 1, 'http.response.status_code': 529 },
      { 'lastgood.wait.reason': 'retry_after', 'lastgood.attempt': 2, 'http.response.status_code': 429 },
    ])
    expect(waits[0]?.attributes['error.type']).toBe('overloaded_error')
    for (const { attributes, duration } of waits) {
      expect(duration[0] + duration[1] / 1e9).toBeCloseTo(Number(attributes['lastgood.wait.planned_s']), 2)
    }
  })

  test('and that another model takes over says so', async () => {
    const down: Outage = { when: { requests: [1, 2], model: opus }, fault: { kind: 'status', status: 529 } }
    const { client, session } = await stage({ model: calling, outages: [down] })
    await session.run(coder(client, ladder(opus, sonnet)), prompt)
    const { attributes, events } = traced.span('lastgood.turn')
    expect(attributes).toMatchObject({
      'lastgood.turn.outcome': 'ok_after_fallback',
      'lastgood.model.requested': opus,
      'lastgood.model.served': sonnet,
    })
    expect(events.find(({ name }) => name === 'lastgood.fallback')?.attributes).toEqual({
      'lastgood.fallback.from': opus,
      'lastgood.fallback.to': sonnet,
      'lastgood.fallback.rung': 1,
      'lastgood.fallback.reason': 'overloaded',
    })
  })

  test('that was suspended is linked from the turn that goes on with it, in another session object', async () => {
    const { client, session, open } = await stage(
      { model: calling, outages: [status(1, 529)] },
      { policy: { maxAttempts: 1 } },
    )
    await expect(session.run(coder(client), prompt)).rejects.toMatchObject({ code: 'session-suspended' })
    const before = traced.span('lastgood.turn')
    expect(before.attributes).toMatchObject({ 'lastgood.turn.outcome': 'suspended', 'error.type': 'overloaded' })
    expect(before.events.map(({ name }) => name)).toEqual(['lastgood.suspended'])
    expect(traced.span('invoke_agent coder').attributes['error.type']).toBe('session-suspended')
    await session.close()
    traced.reset()
    const again = await open()
    await again.run(coder(client))
    const after = traced.span('lastgood.turn')
    expect(after.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId }))).toEqual([
      { traceId: before.spanContext().traceId, spanId: before.spanContext().spanId },
    ])
    expect(after.events.map(({ name }) => name)).toEqual(['lastgood.resumed', 'lastgood.checkpoint'])
    expect(after.events[0]?.attributes).toMatchObject({ 'lastgood.resumed.turn': 1 })
    // What has ended is not linked to any more.
    traced.reset()
    await again.run(coder(client), 'more')
    expect(traced.span('lastgood.turn').links).toEqual([])
  })
})

describe('a tool whose outcome is unknown', () => {
  test.each([
    ['rerun', 'reasked', undefined],
    ['report', 'journal', 'reported'],
  ] as const)('and that a person lets %s has a span that says %s', async (answer, source, did) => {
    const { client, session, open } = await stage({ model: calling })
    let hang: (() => void) | undefined
    const hangs = new Promise<void>((resolve) => (hang = resolve))
    const slow = tool({
      name: 'look',
      description: 'Looks.',
      input: z.object({ at: z.string() }),
      inDoubt: 'ask',
      async run() {
        if (!hang) return 'looked'
        hang()
        return new Promise<string>(() => {})
      },
    })
    const agent = defineAgent({ name: 'coder', client, model: opus, tools: [slow] })
    const run = session.run(agent, prompt)
    await Promise.race([hangs, run])
    hang = undefined
    await session.close()
    await expect(run).rejects.toMatchObject({ code: 'session-closed' })
    expect(traced.span('lastgood.turn').attributes['lastgood.turn.outcome']).toBe('interrupted')
    expect(traced.span('execute_tool look').attributes['error.type']).toBe('interrupted')
    traced.reset()
    await (await open()).run(agent, undefined, { onInDoubt: async () => answer })
    const { attributes, parentSpanContext } = traced.span('execute_tool look')
    expect(attributes).toMatchObject({ 'lastgood.tool.source': source, ...(did && { 'lastgood.tool.in_doubt': did }) })
    expect(parentSpanContext?.spanId).toBe(traced.span('lastgood.turn').spanContext().spanId)
    expect((await traced.metric('lastgood.tools.replayed')).map(({ attributes }) => attributes)).toContainEqual({
      'lastgood.reason': did ?? 'rerun',
    })
  })
})

describe('a loop of your own', () => {
  const ask = (client: Anthropic, stream: boolean) =>
    client.messages.create({ model: opus, max_tokens: 100, stream, messages: [{ role: 'user', content: prompt }] })

  test.each([false, true])("has the waits inside the SDK's span, and no turn of ours (stream: %s)", async (stream) => {
    const outages = [status(1, 500), status(2, 529)]
    const { client, session } = await stage({ model: () => reply(text(said)), outages })
    await trace.getTracer('test').startActiveSpan('my loop', async (mine) => {
      const answer = await ask(recoverable(client, session), stream)
      if (stream) for await (const _event of answer as AsyncIterable<unknown>) continue
      mine.end()
    })
    expect(traced.tree()).toEqual([
      {
        name: 'my loop',
        children: [
          {
            name: 'anthropic.messages.create',
            children: [
              { name: 'lastgood.wait', children: [] },
              { name: 'lastgood.wait', children: [] },
            ],
          },
        ],
      },
    ])
    expect(traced.span('anthropic.messages.create').events.map(({ name }) => name)).toContain('lastgood.checkpoint')
  })

  test('that was suspended is linked from the call that goes on', async () => {
    const { client, session, open } = await stage(
      { model: () => reply(text(said)), outages: [status(1, 529)] },
      { policy: { maxAttempts: 1 } },
    )
    await expect(ask(recoverable(client, session), false)).rejects.toThrow('529')
    const before = traced.span('anthropic.messages.create')
    expect(before.events.map(({ name }) => name)).toContain('lastgood.suspended')
    await session.close()
    traced.reset()
    await ask(recoverable(client, await open()), false)
    const after = traced.span('anthropic.messages.create')
    expect(after.links.map(({ context: { spanId } }) => spanId)).toEqual([before.spanContext().spanId])
    expect(after.events.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['lastgood.resumed', 'lastgood.checkpoint']),
    )
  })
})

test("a step of one's own that is in doubt is counted, is no tool, and its key is told nowhere", async () => {
  const lines: unknown[] = []
  const take = (fields: object) => void lines.push(fields)
  const logger = { debug: take, info: take, warn: take, error: take }
  const { session, open } = await stage({ model: calling }, { logger })
  await session.startTurn([{ role: 'user', content: prompt }])
  const options = { key: 'order 4711 of jane@example.com' }
  await new Promise<void>((begun) => {
    session.step('charge', {}, () => (begun(), new Promise(() => {})), options).catch(() => {})
  })
  await session.close()
  const again = (await open()).step('charge', {}, () => 1, options)
  await expect(again).rejects.toMatchObject({ code: 'step-in-doubt' })
  expect(lines).toContainEqual({
    sessionId: 'ses',
    event: 'step-in-doubt',
    step: 'charge',
    stepId: expect.stringMatching(/^key:[0-9a-f]{16}$/) as string,
    did: 'reported',
  })
  const words = wordsOf(traced.spans())
  expect(words).not.toContain('execute_tool')
  expect(`${words} ${JSON.stringify(lines)}`).not.toMatch(/4711|jane/)
  expect((await traced.metric('lastgood.tools.replayed')).map(({ attributes }) => attributes)).toContainEqual({
    'lastgood.reason': 'reported',
  })
})

test('nothing of the conversation and no key is in any span or metric', async () => {
  const outages = [status(1, 500), { when: { request: 3 }, fault: { kind: 'status', status: 400 } } as Outage]
  const { client, session } = await stage({ model: calling, outages })
  await session.run(coder(client), prompt).catch(() => {})
  const words = wordsOf(traced.spans())
  expect(words).toContain('lastgood.turn')
  const points = await Promise.all((await traced.metricNames()).map((name) => traced.metric(name)))
  for (const secret of [prompt, said, 'You code.', key, key.slice(10)]) {
    expect(words).not.toContain(secret)
    expect(JSON.stringify(points)).not.toContain(secret)
  }
})

describe('the metrics', () => {
  test('count the open sessions of a process, each with telemetry of its own', async () => {
    const idle = async () =>
      (await traced.metric('lastgood.sessions')).filter((one) => one.attributes['lastgood.session.state'] === 'idle')
    const store = memoryStore()
    const sessions = []
    for (const id of ['a', 'b', 'c']) sessions.push(await openSession(id, { store, telemetry: otel() }))
    expect(await idle()).toMatchObject([{ value: 3 }])
    await sessions[2]?.close()
    expect(await idle()).toMatchObject([{ value: 2 }])
    for (const session of sessions) await session.close()
    expect(await idle()).toMatchObject([{ value: 0 }])
  })

  const attributesOf = async (name: string) => (await traced.metric(name)).map(({ attributes }) => attributes)

  test('count what happened, with labels of few values', async () => {
    const down: Outage = { when: { requests: [1, 2], model: opus }, fault: { kind: 'status', status: 529 } }
    const { client, session, open } = await stage({ model: calling, outages: [down, status(4, 500)] })
    await session.run(coder(client, ladder(opus, sonnet)), prompt)
    await session.rewind(0, 'another try')
    await session.close()
    const again = await open()
    await again.run(coder(client), 'more')
    expect(await attributesOf('lastgood.attempts')).toContainEqual({
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': opus,
      'lastgood.outcome': 'failed',
      'error.type': 'overloaded',
    })
    expect(await attributesOf('lastgood.recoveries')).toContainEqual({
      'gen_ai.provider.name': 'anthropic',
      'lastgood.recovery.mode': 'fallback',
    })
    const [duration] = await traced.metric('lastgood.recovery.duration')
    expect(duration?.value).toMatchObject({ buckets: { boundaries: [1, 5, 30, 60, 300, 900, 3_600, 21_600] } })
    expect(await traced.metric('lastgood.turns.lost')).toMatchObject([
      { attributes: { 'lastgood.reason': 'rewound' }, value: 1 },
    ])
    expect((await traced.metric('lastgood.resume.input_tokens'))[0]?.value).toBeGreaterThan(0)
    expect(await traced.metric('lastgood.sessions')).toContainEqual({
      attributes: { 'lastgood.session.state': 'idle' },
      value: 1,
    })
    await again.close()
    expect(await traced.metric('lastgood.sessions')).toContainEqual({
      attributes: { 'lastgood.session.state': 'idle' },
      value: 0,
    })
    for (const name of await traced.metricNames()) {
      for (const attributes of await attributesOf(name)) expect(Object.values(attributes)).not.toContain('ses')
    }
  })
})
