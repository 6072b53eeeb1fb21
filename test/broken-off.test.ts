/** Answers that their caller abandons (unread, broken off, aborted), and what the conversation's next request gets. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { assistantCount, reply, text, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { task } from './support/counting-story.ts'
import { Gate, openTestSession, slowStore, startTestLab, typesOf } from './support/harness.ts'
import { callBlock, ended, hangAfter, said, scriptedClient, started, textBlock } from './support/scripted-api.ts'

const request = { model: 'claude-opus-5-5', max_tokens: 500, messages: [{ role: 'user' as const, content: task }] }

/** A client whose first answer hangs after a whole call, and whose second one is `new answer`. */
function hangingClient() {
  const hanging = hangAfter(started('msg_old') + textBlock(0, 'I pay.') + callBlock(1, '{"n":1}', 'toolu_old'))
  const { client } = scriptedClient((call, n) => (n === 1 ? hanging.stream(call) : said('new answer', `msg_${n}`)))
  return { client, reached: hanging.reached }
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of stream) continue
}

describe('an answer that its caller leaves', () => {
  test('unread, is given up when the next request of the conversation comes', async () => {
    const { client, lab } = await startTestLab({
      model: (conversation) => reply(text(`answer ${assistantCount(conversation)}`)),
    })
    const store = memoryStore()
    const session = await openTestSession(store)
    const own = recoverable(client, session)
    await own.messages.create({ ...request, stream: true })
    const answer = await own.messages.stream(request).finalMessage()
    expect(answer.content).toMatchObject([{ text: 'answer 0' }])
    expect(session.messages()).toHaveLength(2)
    expect((await typesOf(store)).filter((type) => type === 'response-received')).toHaveLength(1)
    expect(lab.requests).toHaveLength(2)
  })

  test('unread, is left alone by helpers, and can be read after them', async () => {
    const { client } = await startTestLab({
      model: (conversation) => reply(text(`answer ${assistantCount(conversation)}`)),
    })
    const session = await openTestSession()
    const own = recoverable(client, session)
    const unread = await own.messages.create({ ...request, stream: true })
    await recoverable(client, session, { record: false }).messages.create(request)
    await readAll(unread)
    expect(session.messages()).toHaveLength(2)
  })

  test.each([true, false])('and that nobody begins to read, does not stay open [record: %s]', async (record) => {
    const { client, calls } = scriptedClient((call) => hangAfter(started()).stream(call))
    const clock = new ManualClock()
    const session = await openTestSession(undefined, { clock })
    const own = recoverable(client, session, { record })
    const unread = await own.messages.create({ ...request, stream: true })
    await clock.advance(599_999)
    expect(calls[0]?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(calls[0]?.signal.aborted).toBe(true)
    await expect(readAll(unread)).rejects.toMatchObject({
      code: 'request-failed',
      message: 'the answer was given up unread: nobody began to read it within 10 min',
      hint: expect.stringContaining('send the same request again'),
    })
  })

  test('and that is read slowly, stays open', async () => {
    const { client, calls } = scriptedClient((call) => hangAfter(started()).stream(call))
    const clock = new ManualClock()
    const own = recoverable(client, await openTestSession(undefined, { clock }), { record: false })
    const stream = await own.messages.create({ ...request, stream: true })
    // Held to the end: the SDK ends an answer whose reader is gone, once that is collected.
    const reader = stream[Symbol.asyncIterator]()
    await reader.next()
    await clock.advance(3_600_000)
    expect(calls[0]?.signal.aborted).toBe(false)
    await reader.return?.()
  })

  test.each(['break', 'abort'] as const)('by %s inside a call, is neither salvaged nor recorded (P2)', async (how) => {
    const { client, reached } = hangingClient()
    const store = memoryStore()
    const session = await openTestSession(store)
    const own = recoverable(client, session)
    const stop = new AbortController()
    const stream = await own.messages.create({ ...request, stream: true }, { signal: stop.signal })
    if (how === 'break') for await (const event of stream) if (event.type === 'content_block_stop') break
    if (how === 'abort') {
      void reached.then(() => stop.abort())
      await readAll(stream)
    }
    const answer = await own.messages.stream(request).finalMessage()
    expect(answer.content).toMatchObject([{ text: 'new answer' }])
    expect(JSON.stringify(session.messages())).not.toContain('toolu_old')
    expect(await typesOf(store)).not.toContain('tool-started')
  })

  test('while it becomes durable in a slow store, is followed by the next request at once', async () => {
    const { client } = await startTestLab({
      model: (conversation) => reply(text(`answer ${assistantCount(conversation)}`)),
    })
    const gate = new Gate()
    const session = await openTestSession(slowStore(gate, 'response-received'))
    const own = recoverable(client, session)
    const stop = new AbortController()
    const reading = own.messages.create({ ...request, stream: true }, { signal: stop.signal }).then(readAll)
    await gate.reached
    stop.abort()
    const again = own.messages.stream(request).finalMessage()
    gate.open()
    await reading
    expect((await again).content).toMatchObject([{ text: 'answer 0' }])
    expect([session.turn, session.lastGoodTurn, session.messages()]).toMatchObject([1, 1, { length: 2 }])
  })

  test('between its record and its end, is followed by the next request, which is recorded (P1)', async () => {
    const called = started('msg_old') + callBlock(0, '{"n":1}', 'toolu_old') + ended('tool_use')
    const { client } = scriptedClient((_call, n) => (n === 1 ? called : said('new answer', `msg_${n}`)))
    const session = await openTestSession()
    const own = recoverable(client, session)
    for await (const event of await own.messages.create({ ...request, stream: true }))
      if (event.type === 'content_block_start') break
    expect(session.transcript.unanswered).toHaveLength(1)
    await own.messages.create({ ...request, stream: true }).then(readAll)
    expect(session.messages().at(-1)?.content).toMatchObject([{ text: 'new answer' }])
  })

  test('during a wait between attempts, is followed by the next request', async () => {
    const outages: Outage[] = [{ when: { request: 1 }, fault: { kind: 'status', status: 529 } }]
    const { client } = await startTestLab({ model: () => reply(text('ok')), outages })
    const stop = new AbortController()
    const session = await openTestSession()
    session.subscribe((event) => {
      if (event.type === 'entry' && event.entry.type === 'fault-observed') stop.abort()
    })
    const own = recoverable(client, session)
    await expect(own.messages.create(request, { signal: stop.signal })).rejects.toThrow(/abort/i)
    await expect(own.messages.create(request)).resolves.toMatchObject({ content: [{ text: 'ok' }] })
    expect(session.messages()).toHaveLength(2)
  })
})

test('the next request may leave as soon as the end of an answer is seen', async () => {
  const { client } = await startTestLab({
    model: (conversation) => reply(text(`answer ${assistantCount(conversation)}`)),
  })
  const session = await openTestSession()
  const own = recoverable(client, session)
  const next = () =>
    own.messages.stream({
      ...request,
      messages: [...request.messages, { role: 'assistant', content: 'answer 0' }, { role: 'user', content: 'and?' }],
    })
  let second: ReturnType<typeof next> | undefined
  for await (const event of await own.messages.create({ ...request, stream: true }))
    if (event.type === 'message_stop') second = next()
  await second?.finalMessage()
  expect([session.turn, session.messages()]).toMatchObject([2, { length: 4 }])
})
