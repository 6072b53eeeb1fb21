/** Where kept text and repairs meet refusals, further cuts and unexpected streams. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore, openSession } from '@lastgood/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { entriesOf, jumpingClock, openTestSession, typesOf } from './support/harness.ts'
import {
  answeringClient,
  assistant,
  brokenBlock,
  model,
  openedBlock,
  pixel,
  refused,
  thinkingBlock,
  user,
  whole,
} from './support/answering-api.ts'
import { ended, said, started, textBlock } from './support/scripted-api.ts'

const keep = { policy: { cutText: 'keep' as const } }
const hi = user('hi')
const request = { model, max_tokens: 9 }
/** Whole text and then half of a block. */
const cut = (n: number) => started(`msg_${n}`) + textBlock(0, 'A whole.') + brokenBlock(1, 'B half')

async function keeping(script: Parameters<typeof answeringClient>[0]) {
  const api = answeringClient(script)
  const store = memoryStore()
  const session = await openTestSession(store, keep)
  return { ...api, store, session, own: recoverable(api.client, session) }
}

describe('kept text that a refusal of the model follows', () => {
  const refusal = started('msg_2') + textBlock(0, 'I cannot.') + ended('refusal')
  const script = (_call: unknown, n: number) => (n === 1 ? cut(n) : n === 2 ? refusal : said(`ANSWER ${n}`, `msg_${n}`))

  test('leaves no edit: the other words of the caller go out', async () => {
    const { own, session, lastSent } = await keeping(script)
    await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
    expect(session.transcript.edits).toEqual([])
    await own.messages.stream({ ...request, messages: [hi, user('OTHER WORDS')] }).finalMessage()
    expect(lastSent()).toContain('OTHER WORDS')
    expect(lastSent()).not.toContain('A whole.')
  })

  test('leaves no edit over the answer that comes when the same is asked again', async () => {
    const { own, lastSent } = await keeping(script)
    await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
    const answer = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
    await own.messages.stream({ ...request, messages: [hi, assistant(answer), user('go')] }).finalMessage()
    expect(lastSent()).toContain('ANSWER 3')
    expect(lastSent()).toContain('"go"')
  })
})

describe("the caller's own history is recognised", () => {
  const cuts: [claim: string, streams: string[]][] = [
    ['after a second cut that was dropped', [cut(1), started('msg_2') + brokenBlock(0, 'only half of')]],
    ['after a cut in a block that had begun and said nothing', [started() + textBlock(0, 'A whole.') + openedBlock(1)]],
    ['after a cut in a block of white space', [started() + textBlock(0, 'A whole.') + brokenBlock(1, '\n\n')]],
  ]
  test.each(cuts)('%s', async (_claim, streams) => {
    const { own, store, session, lastSent } = await keeping(
      (_call, n) => streams[n - 1] ?? said(`the end ${n}.`, `msg_${n}`),
    )
    const answer = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
    const edits = [...session.transcript.edits]
    expect(edits).toHaveLength(1)
    await own.messages.stream({ ...request, messages: [hi, assistant(answer), user('go')] }).finalMessage()
    expect(await typesOf(store)).not.toContain('rewound')
    expect(session.transcript.edits).toEqual(edits)
    expect(lastSent()).toContain('A whole.')
    expect(lastSent()).not.toContain('only half of')
    expect(lastSent()).not.toContain('"text":""')
  })
})

test.each([
  ['nothing', ''],
  ['only what it thought', thinkingBlock(0, 'sig')],
])("the caller's own history is recognised where the end, after a dropped cut, said %s", async (_what, last) => {
  const streams = [
    cut(1),
    started('msg_2') + brokenBlock(0, 'only half of'),
    started('msg_3') + last + ended('max_tokens'),
  ]
  const { own, store, lastSent } = await keeping((_call, n) => streams[n - 1] ?? said(`the end ${n}.`, `msg_${n}`))
  const answer = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
  expect(answer).toMatchObject({ stop_reason: 'max_tokens' })
  await own.messages.stream({ ...request, messages: [hi, assistant(answer), user('go')] }).finalMessage()
  expect(await typesOf(store)).not.toContain('rewound')
  expect(lastSent()).toContain('A whole.')
  expect(lastSent()).not.toContain('only half of')
})

describe('a model that breaks off after whole text every time', () => {
  test('is asked to go on twice; then its row goes on with its waits, and the budget ends it', async () => {
    const clock = jumpingClock()
    const start = clock.now()
    const stop = new AbortController()
    const api = answeringClient((_call, n) => {
      if (n > 50) stop.abort()
      return cut(n)
    })
    const store = memoryStore()
    const session = await openSession('ses', { store, clock, policy: { cutText: 'keep', maxAttempts: 5 } })
    onTestFinished(() => session.close())
    const asked = recoverable(api.client, session).messages.stream(
      { ...request, messages: [hi] },
      { signal: stop.signal },
    )
    await expect(asked.finalMessage()).rejects.toThrow()
    expect(api.calls).toHaveLength(5)
    expect(api.calls.map(({ body }) => body?.messages.length)).toEqual([1, 3, 5, 5, 5])
    const decisions = (await entriesOf(store)).flatMap((entry) =>
      entry.type === 'fault-observed' ? [entry.decision.kind] : [],
    )
    expect(decisions).toEqual(['keep-and-continue', 'keep-and-continue', 'retry', 'retry', 'suspend'])
    expect(clock.now()).toBeGreaterThan(start)
  })

  test('is asked by a helper for the same again, after a wait: what it said is dropped', async () => {
    const clock = jumpingClock()
    const start = clock.now()
    const api = answeringClient((_call, n) => (n <= 2 ? cut(n) : said('fine', 'msg_3')))
    const session = await openTestSession(memoryStore(), { ...keep, clock })
    const own = recoverable(api.client, session, { record: false })
    const answer = await own.messages.stream({ ...request, messages: [hi] }).finalMessage()
    expect(api.calls.map(({ body }) => body?.messages)).toEqual([[hi], [hi], [hi]])
    expect(answer.content.at(-1)).toMatchObject({ text: 'fine' })
    expect(clock.now()).toBeGreaterThan(start)
  })

  test('ends a helper within its budget too', async () => {
    const stop = new AbortController()
    const api = answeringClient((_call, n) => {
      if (n > 50) stop.abort()
      return cut(n)
    })
    const session = await openTestSession(memoryStore(), { policy: { cutText: 'keep', maxAttempts: 5 } })
    const own = recoverable(api.client, session, { record: false })
    const asked = own.messages.stream({ ...request, messages: [hi] }, { signal: stop.signal }).finalMessage()
    await expect(asked).rejects.toThrow()
    expect(api.calls).toHaveLength(5)
  })
})

describe('edits', () => {
  const question = user([{ type: 'text' as const, text: 'Look' }, pixel()])

  test('that touch double no message', async () => {
    const { own, lastSent } = await keeping((_call, n) =>
      n === 1
        ? whole('', { content: [] })
        : n === 3
          ? refused('messages.0.content.1: Could not process image')
          : whole(`answer ${n}`, { id: `msg_${n}` }),
    )
    const first = await own.messages.create({ ...request, messages: [question] })
    const history = [question, assistant(first), user('go')]
    const second = await own.messages.create({ ...request, messages: history })
    await own.messages.create({ ...request, messages: [...history, assistant(second), user('on')] })
    expect(lastSent().split('Please continue.')).toHaveLength(2)
    expect(lastSent().split('Look')).toHaveLength(2)
    expect(lastSent()).not.toContain('"image"')
  })

  test('that are made while a broken answer is gone on from leave out what it thought', async () => {
    const { own, calls, session } = await keeping((_call, n) =>
      n === 1
        ? started('msg_1') + thinkingBlock(0, 'sig') + textBlock(1, 'A whole.') + brokenBlock(2, 'B half')
        : n === 2
          ? refused('messages.0.content.1: Could not process image')
          : said('the end.', 'msg_3'),
    )
    await own.messages.stream({ ...request, messages: [question] }).finalMessage()
    const [, kept, repaired] = calls.map(({ body }) => JSON.stringify(body?.messages))
    expect(kept).toContain('"signature":"sig"')
    expect(repaired).toContain('A whole.')
    expect(repaired).not.toContain('"image"')
    expect(repaired).not.toContain('"thinking"')
    expect(JSON.stringify(session.messages())).not.toContain('"thinking"')
  })

  test('that a person took back are journaled with their note when they are made again', async () => {
    const { own, session, store } = await keeping((_call, n) =>
      n === 1 || n === 3
        ? refused('messages.0.content.1: Could not process image')
        : whole(`answer ${n}`, { id: `msg_${n}` }),
    )
    const first = await own.messages.create({ ...request, messages: [question] })
    await session.revertRepairs('the image was fine')
    await own.messages.create({ ...request, messages: [question, assistant(first), user('go')] })
    const repaired = (await entriesOf(store)).filter((entry) => entry.type === 'transcript-repaired')
    const note = [{ rule: 'remove-images:messages.0.content.1', what: 'left out 1 image or document' }]
    expect(repaired.map(({ repairs }) => repairs)).toEqual([note, note])
  })
})

describe('a stream that nobody expects', () => {
  test('with an event without data passes', async () => {
    const stop = new AbortController()
    const { own, calls, session } = await keeping((_call, n) => {
      if (n > 5) stop.abort()
      return started() + 'event: keepalive\n\n' + textBlock(0, 'fine') + ended('end_turn')
    })
    const answer = await own.messages.stream({ ...request, messages: [hi] }, { signal: stop.signal }).finalMessage()
    expect(answer.content).toMatchObject([{ text: 'fine' }])
    expect(calls).toHaveLength(1)
    expect(session.messages()).toHaveLength(2)
  })

  test('with a gap in its block indices is no TypeError', async () => {
    const { own, session } = await keeping((_call, n) =>
      n > 3 ? said('whole', `msg_${n}`) : started() + textBlock(0, 'one') + textBlock(2, 'two') + ended('end_turn'),
    )
    const stream = await own.messages.create({ ...request, stream: true, messages: [hi] })
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    expect(types.at(-1)).toBe('message_stop')
    expect(session.messages()).toHaveLength(2)
  })
})
