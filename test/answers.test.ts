/** Faulty answers: cut, refused, empty, broken. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { reply, story, text, thinking, toolUse, type ModelFunction } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countingAgent, countTool, Effects, task } from './support/counting-story.ts'
import { code, entriesOf, openTestSession, startTestLab, typesOf } from './support/harness.ts'
import { answeringClient, whole } from './support/answering-api.ts'
import { callBlock, ended, said, scriptedClient, started, textBlock } from './support/scripted-api.ts'

const request = {
  model: 'claude-opus-5-5',
  max_tokens: 500,
  tools: [countTool],
  messages: [{ role: 'user' as const, content: task }],
}

/** A session on a lab, and effects to count. */
async function sessionWith(model: ModelFunction) {
  const { client, lab } = await startTestLab({ model })
  const store = memoryStore()
  const session = await openTestSession(store)
  return { client, lab, store, session, effects: new Effects() }
}

describe('a tool call that the end of its answer cuts off never runs (P2)', () => {
  const cuts = (['max_tokens', 'model_context_window_exceeded'] as const).flatMap((stopReason) =>
    [true, false].map((stream) => ({ stopReason, stream })),
  )

  test.each(cuts)(
    'with the empty input it began with [$stopReason, stream: $stream]',
    async ({ stopReason, stream }) => {
      const cut = reply([text('I count.'), toolUse('count', {})], { stopReason })
      const { client, store, session, effects } = await sessionWith(story([cut, reply(text('ok'))]))
      const agent = countingAgent(effects, client, { stream })
      await expect(session.run(agent, task)).resolves.toMatchObject({ turn: 1, text: 'I count.', stopReason })
      expect(effects.runs).toEqual([])
      expect(await typesOf(store)).not.toContain('tool-started')
      await expect(session.run(agent, 'Go on')).resolves.toMatchObject({ turn: 2, text: 'ok', stopReason: 'end_turn' })
    },
  )

  test.each(cuts)(
    "and a loop of one's own does not get it [$stopReason, stream: $stream]",
    async ({ stopReason, stream }) => {
      const cut = reply([text('I count.'), toolUse('count', { n: 1 })], { stopReason })
      const { client, store, session } = await sessionWith(story([cut]))
      const own = recoverable(client, session)
      const message = stream ? await own.messages.stream(request).finalMessage() : await own.messages.create(request)
      expect(message.stop_reason).toBe(stopReason)
      // The text of the first attempt stays where it was streamed to.
      expect(new Set(message.content.map(({ type }) => type))).toEqual(new Set(['text']))
      expect(session.messages().at(-1)).toMatchObject({ content: [{ type: 'text', text: 'I count.' }] })
      expect(await typesOf(store)).not.toContain('tool-started')
      expect(session.lastGoodTurn).toBe(1)
    },
  )

  test('with half its input', async () => {
    const cut = started() + textBlock(0, 'I count.') + callBlock(1, '{"n": 1, "wh') + ended('max_tokens')
    const { client, calls } = scriptedClient(() => cut)
    const session = await openTestSession()
    const effects = new Effects()
    const answer = await session.run(countingAgent(effects, client), task)
    expect(answer).toMatchObject({ text: 'I count.', stopReason: 'max_tokens' })
    expect(effects.runs).toEqual([])
    expect(calls.map(({ body }) => body['max_tokens'])).toEqual([1024, 128_000])
  })

  test('while the whole calls before it do', async () => {
    const cut = reply([toolUse('count', { n: 1 }), toolUse('count', { n: 2 })], { stopReason: 'max_tokens' })
    const { client, session, effects } = await sessionWith(story([cut, reply(text('done'))]))
    await expect(session.run(countingAgent(effects, client), task)).resolves.toMatchObject({ text: 'done' })
    expect(effects.runs).toEqual([1])
  })

  test('and when it was all of the answer, the session goes on', async () => {
    const model: ModelFunction = ({ messages }) =>
      JSON.stringify(messages).includes('Go on')
        ? reply(text('ok'))
        : reply([toolUse('count', { n: 1 })], { stopReason: 'max_tokens' })
    const { client, session, effects } = await sessionWith(model)
    const agent = countingAgent(effects, client)
    await expect(session.run(agent, task)).resolves.toMatchObject({ text: '', stopReason: 'max_tokens' })
    await expect(session.run(agent, 'Go on')).resolves.toMatchObject({ turn: 2, text: 'ok' })
    expect(effects.runs).toEqual([])
  })
})

describe('a refusal', () => {
  const refusing: ModelFunction = ({ messages }) =>
    JSON.stringify(messages).includes('otherwise')
      ? reply(text('ok'))
      : reply([text('I star'), toolUse('count', { n: 1 })], { stopReason: 'refusal' })

  test.each([true, false])(
    'is no good turn: its calls do not run, and the caller is told [stream: %s]',
    async (stream) => {
      const { client, lab, store, session, effects } = await sessionWith(refusing)
      await expect(session.run(countingAgent(effects, client, { stream }), task)).rejects.toEqual(
        code('request-failed'),
      )
      expect(effects.runs).toEqual([])
      expect(lab.requests).toHaveLength(1)
      expect((await store.summary('ses'))?.head).toMatchObject({ status: 'suspended', turn: 1, lastGoodTurn: 0 })
      expect(session.messages()).toEqual([{ role: 'user', content: task }])
    },
  )

  test('a later message of a loop of its own goes on, without the refused words', async () => {
    const { client, lab, session } = await sessionWith(refusing)
    const own = recoverable(client, session)
    await expect(own.messages.create(request)).resolves.toMatchObject({ stop_reason: 'refusal' })
    const otherwise = { role: 'user' as const, content: 'Put otherwise: count' }
    const answer = await own.messages.create({ ...request, messages: [...request.messages, otherwise] })
    expect(answer.content).toMatchObject([{ text: 'ok' }])
    expect([session.turn, session.lastGoodTurn]).toEqual([1, 1])
    expect(lab.requests.at(-1)?.raw).not.toContain('I star')
    expect(session.messages().map(({ role }) => role)).toEqual(['user', 'user', 'assistant'])
  })

  test.each(['the same', 'a new'])('a later input of a run takes its place, in %s process', async (process) => {
    const { client, lab, store, session, effects } = await sessionWith(refusing)
    const agent = countingAgent(effects, client)
    await expect(session.run(agent, task)).rejects.toEqual(code('request-failed'))
    const later = process === 'a new' ? await openTestSession(store, { takeover: true }) : session
    await expect(later.run(agent, 'Put otherwise: count')).resolves.toMatchObject({ turn: 1, text: 'ok' })
    expect(lab.requests).toHaveLength(2)
    expect(lab.requests.at(-1)?.raw).not.toContain('I star')
    expect(effects.runs).toEqual([])
  })
})

describe('an answer without content', () => {
  const silent: ModelFunction = ({ messages }) => reply(JSON.stringify(messages).includes('two') ? text('fine') : [])

  test.each([true, false])('ends its turn, and the next one is as good as any [stream: %s]', async (stream) => {
    const { client, session, effects } = await sessionWith(silent)
    const agent = countingAgent(effects, client, { stream })
    await expect(session.run(agent, 'one')).resolves.toMatchObject({ turn: 1, text: '', content: [] })
    await expect(session.run(agent, 'two')).resolves.toMatchObject({ turn: 2, text: 'fine' })
  })

  test('may be handed back: it is not sent on', async () => {
    const { client, lab, session } = await sessionWith(silent)
    const own = recoverable(client, session)
    const first = await own.messages.create(request)
    const messages = [
      ...request.messages,
      { role: 'assistant' as const, content: first.content },
      { role: 'user' as const, content: 'two' },
    ]
    await expect(own.messages.create({ ...request, messages })).resolves.toMatchObject({ content: [{ text: 'fine' }] })
    expect(lab.requests.at(-1)?.body?.messages?.map(({ role }) => role)).toEqual(['user', 'user'])
    expect([session.turn, session.lastGoodTurn]).toEqual([2, 2])
  })
})

describe('a call whose input is no JSON', () => {
  test('is not handed out: the attempt is sent again', async () => {
    const { client, calls } = scriptedClient((_call, n) => {
      if (n === 1)
        return started() + textBlock(0, 'I count.') + callBlock(1, '{"n": 1,,', 'toolu_bad') + ended('tool_use')
      return n === 2 ? started('msg_2') + callBlock(0, '{"n":1}') + ended('tool_use') : said('done', 'msg_3')
    })
    const store = memoryStore()
    const session = await openTestSession(store)
    const effects = new Effects()
    await expect(session.run(countingAgent(effects, client), task)).resolves.toMatchObject({ text: 'done' })
    expect(effects.runs).toEqual([1])
    expect(calls).toHaveLength(3)
    expect((await typesOf(store)).filter((type) => type === 'fault-observed')).toHaveLength(1)
    expect(JSON.stringify(session.messages())).not.toContain('toolu_bad')
  })
})

test.each([
  ['text', { text: 'half' }],
  ['a call', { id: 'toolu_1', name: 'count', input: {} }],
  ['nothing', null],
])('a streamed block of %s without a type breaks its answer: the attempt is sent again', async (_what, block) => {
  const begun = `event: content_block_start\ndata: ${JSON.stringify({
    type: 'content_block_start',
    index: 0,
    content_block: block,
  })}\n\n`
  const { client, calls } = scriptedClient((_call, n) =>
    n === 1 ? started() + begun + ended('end_turn') : said('whole', 'msg_2'),
  )
  const session = await openTestSession()
  const answer = await recoverable(client, session).messages.stream(request).finalMessage()
  expect(answer.content).toMatchObject([{ text: 'whole' }])
  expect(calls).toHaveLength(2)
  expect(session.lastGoodTurn).toBe(1)
})

describe("a decision of one's own that is none", () => {
  test.each([
    ['at no instant', { kind: 'retry', at: Number.NaN }, 'at: invalid_type'],
    ['with a field too many', { kind: 'retry', at: 1, soon: true }, 'unrecognized_keys'],
    ['of no known kind', { kind: 'shrug' }, 'kind: invalid_union'],
    ['promised', Promise.resolve({ kind: 'resend' }), 'kind: invalid_union'],
    ['undefined', undefined, 'invalid_type'],
  ])('%s is told by name, and the turn can go on', async (_what, decision, cause) => {
    const store = memoryStore()
    const session = await openTestSession(store, { decide: () => decision as never })
    for (const record of [true, false]) {
      const own = recoverable(scriptedClient(() => started()).client, session, { record })
      const error = { code: 'bad-option', message: expect.stringMatching(`^decide returned .*${cause}`) }
      await expect(own.messages.stream(request).finalMessage()).rejects.toMatchObject(error)
    }
    await session.close()
    const later = await openTestSession(store)
    await recoverable(scriptedClient(() => said('done')).client, later)
      .messages.stream(request)
      .finalMessage()
    expect(later.lastGoodTurn).toBe(1)
  })
})

test.each(['pause_turn', 'compaction'] as const)(
  'an answer without content that says %s is asked for again within the budget, not without end (P6)',
  async (stopReason) => {
    const { client, lab } = await startTestLab({
      model: () => {
        if (lab.requests.length > 9) throw new Error('it is asked without end')
        return reply([], { stopReason })
      },
    })
    const session = await openTestSession(memoryStore(), { policy: { maxAttempts: 4 } })
    await expect(session.run(countingAgent(new Effects(), client), task)).rejects.toMatchObject(
      code('session-suspended'),
    )
    expect(lab.requests).toHaveLength(4)
    expect(session.messages()).toHaveLength(1)
  },
)

test('an answer goes on from a paused one that ends in text: both keep their thinking (P4)', async () => {
  const { client, lab, session, effects } = await sessionWith(({ messages }) => {
    const blocks = messages.flatMap(({ role, content }) => (role === 'assistant' ? content : []))
    if (blocks.length === 0) return reply([thinking('I wonder'), text('Let me see.')], { stopReason: 'pause_turn' })
    if (!blocks.some(({ type }) => type === 'tool_use')) return reply([thinking('I see'), toolUse('count', { n: 1 })])
    return reply(text('done'))
  })
  const agent = countingAgent(effects, client, { params: { thinking: { type: 'adaptive' } } })
  await expect(session.run(agent, task)).resolves.toMatchObject({ text: 'done' })
  expect(lab.requests.map(({ violation }) => violation)).toEqual([undefined, undefined, undefined])
})

test('an answer that cost nothing, where answers did before, was made by nobody: it is asked for again', async () => {
  const made = (usage: object) =>
    `event: message_start\ndata: ${JSON.stringify({
      type: 'message_start',
      message: { id: 'msg', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage },
    })}\n\n`
  const nothing = { input_tokens: 0, output_tokens: 0 }
  const { client, calls } = scriptedClient((_call, n) =>
    n === 2
      ? made(nothing) + textBlock(0, 'No response requested.') + ended('end_turn', 0)
      : made({ input_tokens: 9, output_tokens: 3 }) + textBlock(0, `answer ${n}`) + ended('end_turn'),
  )
  const session = await openTestSession()
  const agent = countingAgent(new Effects(), client)
  await expect(session.run(agent, task)).resolves.toMatchObject({ text: 'answer 1' })
  await expect(session.run(agent, 'Go on')).resolves.toMatchObject({ text: 'answer 3' })
  expect(calls).toHaveLength(3)
})

test('an answer counts, and was paid once, whatever is in the place of what it cost', async () => {
  for (const usage of [null, 'much', [1]]) {
    const begun = started().replace('"usage":{}', `"usage":${JSON.stringify(usage)}`)
    const stop = ended('end_turn').slice(ended('end_turn').indexOf('event: message_stop'))
    const bodies = {
      'whole answer': () => whole('hello', { usage }),
      stream: () => begun + textBlock(0, 'hello') + ended('end_turn'),
      'stream without a last delta': () => begun + textBlock(0, 'hello') + stop,
      'stream that is cut after a call': () => begun + callBlock(0, '{"n":1}'),
    }
    for (const [shape, body] of Object.entries(bodies)) {
      const { client, calls } = answeringClient(body)
      const session = await openTestSession()
      const own = recoverable(client, session)
      const asked = { ...request, stream: shape !== 'whole answer' }
      const read = async () => {
        const answer = await own.messages.create(asked)
        if (Symbol.asyncIterator in answer) for await (const _event of answer) continue
      }
      await expect(read()).resolves.toBeUndefined()
      expect([shape, calls.length, session.messages().length]).toEqual([shape, 1, shape.endsWith('call') ? 3 : 2])
      await session.close()
    }
  }
})

test.each([
  [204, true],
  [204, false],
  [205, true],
])('a %i has no body, so it is no answer, and the request is sent again (stream: %s)', async (status, stream) => {
  const { client } = answeringClient((_call, n) => {
    if (n === 1) return new Response(null, { status })
    return stream ? said('hi', 'msg_1') : whole('hi')
  })
  const store = memoryStore()
  const { messages } = recoverable(client, await openTestSession(store))
  const message = await (stream ? messages.stream(request).finalMessage() : messages.create(request))
  expect(message.content).toMatchObject([{ text: 'hi' }])
  const faults = (await entriesOf(store)).flatMap((entry) => (entry.type === 'fault-observed' ? [entry.fault] : []))
  expect(faults).toMatchObject([{ kind: 'bad-gateway' }])
})
