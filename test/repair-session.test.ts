/** Conversations that the API refuses go on: mended on the way out, journaled once accepted, the record unchanged. */
import { recoverable } from '@lastgood/anthropic'
import { memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { reply, story, text, thinking, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { code, entriesOf, openTestSession, startTestLab } from './support/harness.ts'

const model = 'claude-opus-5-5'
const answers = story([
  reply([thinking('Think.'), text('one')]),
  reply([thinking('Again.'), text('two')]),
  reply(text('three')),
])
const refusedImage: Outage = {
  when: { request: 1 },
  fault: { kind: 'status', status: 400, type: 'invalid_request_error', message: 'Could not process image' },
}

async function conversation(outages: Outage[] = [], model_ = answers) {
  const { lab, client } = await startTestLab({ model: model_, outages })
  const store = memoryStore()
  const session = await openTestSession(store)
  return { lab, store, session, own: recoverable(client, session) }
}

const pixel = {
  type: 'image' as const,
  source: { type: 'base64' as const, media_type: 'image/png' as const, data: png(2, 2) },
}

/** The header of a PNG of this size, and nothing after it. */
function png(width: number, height: number): string {
  const bytes = Buffer.alloc(33)
  bytes.write('\x89PNG\r\n\x1a\n', 0, 'latin1')
  bytes.writeUInt32BE(13, 8)
  bytes.write('IHDR', 12, 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes.toString('base64')
}

describe('a request that the API refuses and a rule can mend', () => {
  test('is mended, sent once more, and journaled when it is accepted; the record keeps what was said', async () => {
    const { lab, store, session, own } = await conversation([refusedImage])
    const said = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Look' }, pixel] }]
    const answer = await own.messages.create({ model, max_tokens: 500, messages: said })
    expect(answer.content.at(-1)).toMatchObject({ text: 'one' })
    expect(lab.requests).toHaveLength(2)
    expect(JSON.stringify(lab.requests[0]?.body)).toContain('"image"')
    expect(JSON.stringify(lab.requests[1]?.body)).not.toContain('"image"')
    const entries = await entriesOf(store)
    expect(entries.find((entry) => entry.type === 'fault-observed')).toMatchObject({
      fault: { kind: 'image-rejected', status: 400 },
      decision: { kind: 'repair' },
    })
    expect(entries.find((entry) => entry.type === 'transcript-repaired')).toMatchObject({
      repairs: [{ rule: 'remove-images:messages.0.content.1', what: 'left out 1 image or document' }],
      edits: [{ from: 0, to: 1 }],
    })
    expect(session.messages()[0]).toEqual(said[0])
  })

  test('stays mended: the caller sends its own history on, and no further request is refused for it', async () => {
    const { lab, store, own } = await conversation([refusedImage])
    const said = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Look' }, pixel] }]
    const first = await own.messages.create({ model, max_tokens: 500, messages: said })
    const next = [
      ...said,
      { role: 'assistant' as const, content: first.content },
      { role: 'user' as const, content: 'Go on' },
    ]
    await own.messages.create({ model, max_tokens: 500, messages: next })
    expect(JSON.stringify(lab.requests[2]?.body)).not.toContain('"image"')
    const turns = (await entriesOf(store)).filter(({ type }) => type === 'turn-started' || type === 'rewound')
    expect(turns.map(({ type }) => type)).toEqual(['turn-started', 'turn-started'])
    // Also in another process.
    const again = await openTestSession(store, { takeover: true })
    expect(again.transcript.edits).toHaveLength(1)
    expect(again.messages()).toHaveLength(4)
  })

  test('and can be taken back by a person: what is recorded goes out again', async () => {
    const { lab, session, own } = await conversation([refusedImage])
    const said = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Look' }, pixel] }]
    const first = await own.messages.create({ model, max_tokens: 500, messages: said })
    await session.revertRepairs('the image was fine')
    const next = [
      ...said,
      { role: 'assistant' as const, content: first.content },
      { role: 'user' as const, content: 'Go on' },
    ]
    const answer = await own.messages.create({ model, max_tokens: 500, messages: next })
    expect(answer.content.at(-1)).toMatchObject({ text: 'two' })
    expect(JSON.stringify(lab.requests[2]?.body)).toContain('"image"')
  })

  test('a parameter that the model does not take is left out, now and from then on', async () => {
    const { lab, store, own } = await conversation()
    const messages = [{ role: 'user' as const, content: 'Go' }]
    await own.messages.create({ model: 'claude-sonnet-4-5', max_tokens: 70_000, messages })
    expect(lab.requests.at(-1)?.body).toMatchObject({ max_tokens: 64_000 })
    const refused = lab.requests.filter(({ outcome }) => outcome.kind !== 'ok')
    expect(refused.length).toBeLessThanOrEqual(1)
    expect((await entriesOf(store)).map(({ type }) => type)).toContain('transcript-repaired')
  })
})

describe('what no rule can mend', () => {
  test('is told at once in the words of the API, names what is safe, and other words take its place', async () => {
    const message = 'messages.0: something that nobody has seen before'
    const refusal: Outage = {
      when: { requests: [1, 20], contains: 'bad words' },
      fault: { kind: 'status', status: 400, type: 'invalid_request_error', message },
    }
    const { lab, client } = await startTestLab({ model: answers, outages: [refusal] })
    const session = await openTestSession()
    const own = recoverable(client, session)
    const ask = (content: string) =>
      own.messages.create({ model, max_tokens: 50, system: 'You code.', messages: [{ role: 'user', content }] })
    await expect(ask('bad words')).rejects.toMatchObject({ status: 400 })
    expect(lab.requests.length).toBeLessThanOrEqual(4)
    await expect(ask('good words')).resolves.toMatchObject({ stop_reason: 'end_turn' })
    expect(session.lastGoodTurn).toBe(1)
  })
})

test('a tool result that the API would refuse is mended before it is recorded', async () => {
  const { defineAgent, tool } = await import('@lastgood/anthropic')
  const { z } = await import('zod')
  const { lab, client } = await startTestLab({ model: story([reply(toolUse('look', {})), reply(text('seen'))]) })
  const session = await openTestSession()
  const look = tool({
    name: 'look',
    description: 'Looks.',
    input: z.object({}),
    run: () => `half a pair: \ud83d and ${'much '.repeat(100_000)}`,
  })
  const agent = defineAgent({ name: 'a', client, model, tools: [look] })
  await expect(session.run(agent, 'Look')).resolves.toMatchObject({ text: 'seen' })
  const result = JSON.stringify(lab.requests.at(-1)?.body?.['messages'])
  expect(result.isWellFormed()).toBe(true)
  expect(result.length).toBeLessThan(420_000)
  expect(session.transcript.edits).toEqual([])
})

test('P6: a request that fails with 500 for ever while others are answered is poisoned: it is mended or parked', async () => {
  const poison: Outage = {
    when: { requests: [1, Infinity], contains: 'cursed' },
    fault: { kind: 'status', status: 500 },
  }
  const { lab, own, store, session } = await conversation([poison])
  const messages = [{ role: 'user' as const, content: 'cursed' }]
  await expect(own.messages.create({ model, max_tokens: 50, messages })).rejects.toEqual(code('session-suspended'))
  const faults = (await entriesOf(store)).flatMap((entry) => (entry.type === 'fault-observed' ? [entry] : []))
  expect(faults.at(-1)).toMatchObject({ fault: { kind: 'poisoned' }, decision: { kind: 'suspend' } })
  expect(faults.length).toBeLessThan(40)
  expect(lab.requests.some(({ body }) => body?.['max_tokens'] === 1)).toBe(true)
  expect(session.context.reason).toContain('Go back')
})

test('P6: repairs of a poisoned request follow one another, each tried once', async () => {
  const poison: Outage = {
    when: { requests: [1, Infinity], contains: 'cursed' },
    fault: { kind: 'status', status: 500 },
  }
  const { own, store } = await conversation([poison])
  const messages = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'cursed' }, pixel] }]
  const asked = own.beta.messages.create({
    model,
    max_tokens: 50,
    messages,
    betas: ['some-beta-2026-01-01'],
    container: 'c_1',
  } as never)
  await expect(asked).rejects.toEqual(code('session-suspended'))
  const faults = (await entriesOf(store)).flatMap((entry) => (entry.type === 'fault-observed' ? [entry] : []))
  const rules = faults.flatMap(({ decision }) => (decision.kind === 'repair' ? [decision.rule.split(':')[0]] : []))
  expect(rules.length).toBeGreaterThan(1)
  expect(new Set(rules).size).toBe(rules.length)
  const first = faults.findIndex(({ fault }) => fault.kind === 'poisoned')
  expect(faults.slice(first).every(({ fault }) => fault.kind === 'poisoned')).toBe(true)
})

test('other words take the place of a turn that the content filter stopped each time', async () => {
  const { defineAgent } = await import('@lastgood/anthropic')
  const filtered = {
    kind: 'status',
    status: 400,
    type: 'invalid_request_error',
    message: 'Output blocked by content filtering policy',
  } as const
  const { lab, client } = await startTestLab({
    model: () => reply(text('ok')),
    outages: [{ when: { requests: [1, Infinity], contains: 'bad words' }, fault: filtered }],
  })
  const store = memoryStore()
  const agent = defineAgent({ name: 'a', client, model })
  const first = await openTestSession(store)
  await expect(first.run(agent, 'bad words')).rejects.toMatchObject({
    code: 'session-suspended',
    hint: expect.stringContaining('resume ses "…"'),
  })
  await first.close()
  expect(lab.requests).toHaveLength(3)
  const again = await openTestSession(store)
  await expect(again.run(agent, 'good words')).resolves.toMatchObject({ text: 'ok' })
  expect(lab.requests).toHaveLength(4)
})

test('a 401 while the session works is sent once more at once, with fresh credentials', async () => {
  const expired: Outage = { when: { request: 2 }, fault: { kind: 'status', status: 401 } }
  const { lab, client } = await startTestLab({ model: answers, outages: [expired] })
  const store = memoryStore()
  const session = await openTestSession(store)
  const own = recoverable(client, session, { credentials: () => Promise.resolve({ authorization: 'Bearer fresh' }) })
  const said = [{ role: 'user' as const, content: 'Go' }]
  const first = await own.messages.create({ model, max_tokens: 500, messages: said })
  await own.messages.create({
    model,
    max_tokens: 500,
    messages: [...said, { role: 'assistant', content: first.content }, { role: 'user', content: 'Go on' }],
  })
  expect(lab.requests).toHaveLength(3)
  expect(JSON.stringify(lab.requests[2]?.headers)).toContain('Bearer fresh')
  const [fault] = (await entriesOf(store)).filter((entry) => entry.type === 'fault-observed')
  expect(fault).toMatchObject({ fault: { kind: 'auth-outage' }, decision: { kind: 'resend' } })
})

describe('credentials that never come', () => {
  const asking = async () => {
    const expired: Outage = { when: { request: 1 }, fault: { kind: 'status', status: 401 } }
    const { lab, client } = await startTestLab({ model: answers, outages: [expired] })
    const clock = new ManualClock({ autoAdvance: true })
    const session = await openTestSession(undefined, { clock })
    let asked = (): void => {}
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const never = () => {
      asked()
      return new Promise<never>(() => {})
    }
    const own = recoverable(client, session, { credentials: never })
    const stop = new AbortController()
    const request = { model, max_tokens: 500, messages: [{ role: 'user' as const, content: 'Go' }] }
    const answer = own.messages.create(request, { signal: stop.signal })
    answer.catch(() => {})
    await isAsked
    return { lab, clock, session, stop, answer }
  }

  test('are not waited for longer than 30 s: the same go again', async () => {
    const { lab, clock, answer } = await asking()
    await clock.advance(30_000)
    expect((await answer).content).toMatchObject([{}, { text: 'one' }])
    expect(lab.requests).toHaveLength(2)
  })

  test('keep neither the caller nor a session that closes', async () => {
    const left = await asking()
    left.stop.abort()
    await expect(left.answer).rejects.toThrow('aborted')
    const closed = await asking()
    await closed.session.close()
    await expect(closed.answer).rejects.toEqual(code('session-closed'))
  })
})

test('an agent is given fresh credentials too', async () => {
  const expired: Outage = { when: { request: 1 }, fault: { kind: 'status', status: 401 } }
  const { lab, client } = await startTestLab({ model: answers, outages: [expired] })
  const credentials = () => Promise.resolve({ authorization: 'Bearer fresh' })
  const { defineAgent } = await import('@lastgood/anthropic')
  const agent = defineAgent({ name: 'a', client, model, credentials })
  await expect((await openTestSession()).run(agent, 'Go')).resolves.toMatchObject({ text: 'one' })
  expect(JSON.stringify(lab.requests[1]?.headers)).toContain('Bearer fresh')
})
