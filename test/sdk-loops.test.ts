/** The SDK's own loops, tools and streams over a recoverable client. */
import type Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { defineAgent, recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { reply, story, text, thinking, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { countingStory, Effects, task } from './support/counting-story.ts'
import { entriesOf, openTestSession, startTestLab, typesOf } from './support/harness.ts'

const model = 'claude-opus-5-5'
const status = (n: number, code: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: code } })
const counter = (effects: Effects) =>
  betaZodTool({
    name: 'count',
    description: 'Counts one step.',
    inputSchema: z.object({ n: z.number() }),
    run: (input) => effects.count(input),
  })

describe('toolRunner, which sends only what is new on a message thread', () => {
  test.each([false, true])(
    'leaves the whole conversation in the journal, and survives (stream: %s)',
    async (stream) => {
      const outages: Outage[] = [
        status(2, 500),
        { when: { request: 4 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'end' } },
      ]
      const { client, lab } = await startTestLab({ model: countingStory, outages, threads: 'lost' })
      const store = memoryStore()
      const session = await openTestSession(store)
      const effects = new Effects()
      const runner = recoverable(client, session).beta.messages.toolRunner({
        model,
        max_tokens: 1024,
        tools: [counter(effects)],
        messages: [{ role: 'user', content: task }],
        stream,
      })
      for await (const step of runner) if (stream) await (step as { finalMessage(): Promise<unknown> }).finalMessage()
      expect(effects.runs).toEqual([1, 2, 3, 4])

      const messages = session.messages()
      expect(messages.map((message) => message.role)).toEqual([
        'user',
        'assistant',
        'user',
        'assistant',
        'user',
        'assistant',
        'user',
        'assistant',
      ])
      expect(messages.at(-1)?.content).toMatchObject([{ type: 'text', text: 'done' }])
      // Nobody had to remember a thread: each request had everything, with system and tools.
      for (const { body } of lab.requests) expect(body).toMatchObject({ tools: [{ name: 'count' }] })
      for (const { body } of lab.requests) expect(body).not.toHaveProperty('thread')
    },
  )
})

describe("the SDK's runnable tools in an agent", () => {
  test('betaZodTool: definition, parsing and error results are kept', async () => {
    const seen: string[] = []
    const { client, lab } = await startTestLab({
      model: story([
        reply([toolUse('count', { n: 'one' })]),
        ({ messages }) => (seen.push(JSON.stringify(messages.at(-1))), reply([toolUse('count', { n: 1 })])),
        ({ messages }) => (seen.push(JSON.stringify(messages.at(-1))), reply(text('done'))),
      ]),
    })
    const effects = new Effects()
    const session = await openTestSession()
    await session.run(defineAgent({ name: 'a', client, model, tools: [counter(effects)] }), task)
    expect(seen[0]).toMatch(/"is_error":true.*invalid input/)
    expect(seen[1]).toContain('counted 1')
    expect(effects.runs).toEqual([1])
    const { tools } = lab.requests[0]!.body as { tools: object[] }
    expect(Object.keys(tools[0]!).sort()).toEqual(['description', 'input_schema', 'name', 'type'])
  })

  const nodeMajor = Number(process.versions.node.split('.')[0])
  test.runIf(nodeMajor >= 22)(
    'the agent toolset (its module needs Node 22) reads a file of the work folder',
    async () => {
      const { betaAgentToolset20260401 } = await import('@anthropic-ai/sdk/tools/agent-toolset/node')
      const seen: string[] = []
      const { client } = await startTestLab({
        model: story([
          reply([toolUse('read', { file_path: 'package.json' })]),
          ({ messages }) => (seen.push(JSON.stringify(messages.at(-1))), reply(text('done'))),
        ]),
      })
      const tools = betaAgentToolset20260401({ workdir: process.cwd() })
      const session = await openTestSession()
      await session.run(defineAgent({ name: 'a', client, model, tools, inDoubt: { read: 'rerun' } }), task)
      expect(seen[0]).toContain('lastgood-workspace')
    },
  )
})

describe('a stream over several attempts', () => {
  const answer = [thinking('Let me think about this for a while.'), text('The answer is a long text, sent in pieces.')]

  test('the accumulator of the caller sees one message_start, growing indices, and the answer at its end', async () => {
    const outages: Outage[] = [
      { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'thinking' }, how: 'reset' } },
      { when: { request: 2 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'end' } },
    ]
    const { client } = await startTestLab({ model: story([reply(answer)]), outages })
    const session = await openTestSession()
    const events: Anthropic.MessageStreamEvent[] = []
    const stream = recoverable(client, session).messages.stream({
      model,
      max_tokens: 500,
      messages: [{ role: 'user', content: task }],
    })
    stream.on('streamEvent', (event) => events.push(event))
    const message = await stream.finalMessage()

    expect(events.filter((event) => event.type === 'message_start')).toHaveLength(1)
    const starts = events.flatMap((event) => (event.type === 'content_block_start' ? [event.index] : []))
    const stops = events.flatMap((event) => (event.type === 'content_block_stop' ? [event.index] : []))
    expect(starts).toEqual(starts.map((_, i) => i))
    expect(stops).toEqual(starts)
    expect(message.content.slice(-2)).toMatchObject(answer.map(({ type }) => ({ type })))
    // The journal has the answer alone, as the API gave it.
    expect(session.messages().at(-1)?.content).toMatchObject([
      { type: 'thinking', signature: expect.stringMatching(/.+/) },
      { type: 'text' },
    ])
  })

  test('the caller may hand back what it saw: what is sent on is what the API gave', async () => {
    const outages: Outage[] = [
      { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
    ]
    const { client, lab } = await startTestLab({ model: story([reply(answer), reply(text('bye'))]), outages })
    const session = await openTestSession()
    const own = recoverable(client, session)
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: task }]
    const first = await own.messages.stream({ model, max_tokens: 500, messages }).finalMessage()
    expect(first.content).toHaveLength(4)
    messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: 'Thanks' })
    await own.messages.create({ model, max_tokens: 500, messages })
    expect(lab.requests.at(-1)?.body?.messages?.[1]?.content).toHaveLength(2)
    expect(lab.requests.at(-1)?.outcome.kind).toBe('ok')
  })

  test('complete tool calls of a cut answer are kept and run once; the rest of it is dropped', async () => {
    const outages: Outage[] = [
      { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'tool_use', index: 1 }, how: 'reset' } },
    ]
    const { client, lab } = await startTestLab({
      model: story([
        reply([text('Two.'), toolUse('count', { n: 1 }), toolUse('count', { n: 2 })]),
        reply(text('done')),
      ]),
      outages,
    })
    const store = memoryStore()
    const session = await openTestSession(store)
    const effects = new Effects()
    await session.run(defineAgent({ name: 'a', client, model, tools: [counter(effects)] }), task)
    expect(effects.runs).toEqual([1])
    expect(lab.requests).toHaveLength(2)
    const received = (await entriesOf(store)).find((entry) => entry.type === 'response-received')
    expect(received).toMatchObject({
      salvaged: true,
      message: { stop_reason: 'tool_use', content: [{ type: 'text' }, { type: 'tool_use' }] },
    })
  })

  test.each(['message_delta', 'message_stop'] as const)('an answer that lacks only %s', async (before) => {
    const outages: Outage[] = [{ when: { request: 1 }, fault: { kind: 'cut', after: { before }, how: 'end' } }]
    const { client, lab } = await startTestLab({ model: story([reply(answer)]), outages })
    const stream = recoverable(client, await openTestSession()).messages.stream({
      model,
      max_tokens: 500,
      messages: [{ role: 'user', content: task }],
    })
    expect((await stream.finalMessage()).stop_reason).toBe('end_turn')
    // With a stop reason the content is complete; without one nothing says that it is.
    expect(lab.requests).toHaveLength(before === 'message_stop' ? 1 : 2)
  })

  test('a caller that breaks off leaves the turn open, and can ask again', async () => {
    const { client } = await startTestLab({ model: story([reply(answer)]), chunkDelayMs: 1 })
    const store = memoryStore()
    const own = recoverable(client, await openTestSession(store))
    const request = { model, max_tokens: 500, messages: [{ role: 'user' as const, content: task }] }
    for await (const event of await own.messages.create({ ...request, stream: true }))
      if (event.type === 'content_block_delta') break
    expect(await typesOf(store)).not.toContain('response-received')
    const again = await own.messages.create(request)
    expect(again.stop_reason).toBe('end_turn')
    expect((await store.summary('ses'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 1 })
  })
})
