/**
 * A client that waits long gets events without content, so that it does not leave. They belong to the delivery, not to
 * the answer: what the client has in the end, and what is recorded, is the same without them.
 */
import { memoryStore, replayed, type AssistantMessage, type Entry } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { reply, text } from '@lastgood/outage-lab'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { failing, hello, impatient, named, post, setUp } from './support/gateway-stage.ts'
import { entriesOf, Gate, jumpingClock } from './support/harness.ts'
import { accumulated, eventsIn, speakingApi, type Act } from './support/speaking-api.ts'

const minute = 60_000
const patient = { firstEventMs: 1e12, betweenEventsMs: 1e12 }
const never = 1e12
const ask = (more: object = {}) => ({ ...hello, stream: true, ...more })

const message: AssistantMessage = {
  id: 'msg_api',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'text', text: 'Now one.' },
    { type: 'tool_use', id: 'toolu_1', name: 'count', input: { n: 1 } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 500, cache_read_input_tokens: 7000, output_tokens: 40 },
}
/** As the API says it: what it cost to read stands in `message_start` alone. */
function eventsOf(whole: AssistantMessage): string[] {
  return [...replayed(whole)].map((event) =>
    event.startsWith('event: message_delta')
      ? event.replace(/"usage":.*}\n/, `"usage":{"output_tokens":${String(whole.usage?.['output_tokens'])}}}\n`)
      : event,
  )
}
const silentAfter = (count: number, silentMs: number, events = eventsOf(message)): Act[] => [
  ...events.slice(0, count),
  { silentMs },
  ...events.slice(count),
]

async function told(answers: readonly (readonly Act[])[], options: GatewayOptions = {}, body: object = ask()) {
  const clock = jumpingClock()
  const store = memoryStore()
  const api = speakingApi(clock, answers)
  const gateway = createGateway({ clock, store, fetch: api, limits: patient, ...options })
  try {
    const stream = await (await post(gateway, body, { headers: named })).text()
    const recorded = (await entriesOf(store)).filter((entry) => entry.type === 'response-received')
    return { stream, events: eventsIn(stream), recorded: recorded.map(messageIn), requests: api.requests }
  } finally {
    await gateway.close()
  }
}
const messageIn = (entry: Entry & { type: 'response-received' }) => entry.message
const typesIn = (events: readonly Record<string, unknown>[]) => events.map(({ type }) => type)
const isNeutral = (event: Record<string, unknown>) =>
  event['type'] === 'message_delta' && (event['delta'] as { stop_reason: unknown }).stop_reason === null

describe('while an answer is silent, its client gets an event that says nothing every four minutes', () => {
  const places: [string, number, number][] = [
    ['before its first event', 0, 4],
    ['before its first block', 1, 4],
    ['in thinking', 3, 4],
    ['between two blocks', 5, 4],
    ['in text', 7, 4],
    ['in a call that is held back', 10, 4],
    ['before its end', 11, 4],
  ]

  test.each(places)('%s', async (_where, count, expected) => {
    const { events, stream, recorded } = await told([silentAfter(count, 17 * minute)])
    const isMadeUp = count === 0
    expect(events.filter(isNeutral)).toHaveLength(isMadeUp ? expected - 1 : expected)
    expect(typesIn(events).filter((type) => type === 'message_start')).toHaveLength(1)
    expect(await accumulated(stream)).toMatchObject({
      ...message,
      ...(isMadeUp && { id: expect.stringMatching(/^msg_id-/) as string }),
    })
    expect(recorded).toEqual([message])
  })

  test('and pings between', async () => {
    const { stream } = await told([silentAfter(0, 9 * minute)])
    expect(stream.match(/event: ping\n/g)?.length).toBeGreaterThan(40)
  })

  test('also where the API sends pings all the time', async () => {
    const pinging = Array.from({ length: 180 }, (): Act[] => [
      { silentMs: 3_000 },
      'event: ping\ndata: {"type": "ping"}\n\n',
    ])
    const events = eventsOf(message)
    const { events: got } = await told([[...pinging.flat(), ...events]])
    expect(typesIn(got).slice(0, 3)).toEqual(['message_start', 'message_delta', 'content_block_start'])
  })

  test('in an outage of hours, over as many attempts as it takes', async () => {
    const { client, lab, store } = await setUp({
      lab: { model: () => reply(text('hi')), outages: [failing(529, 40)] },
      headers: named,
    })
    const stream = client.messages.stream(hello as never)
    const starts: unknown[] = []
    stream.on('streamEvent', ({ type }) => type === 'message_start' && starts.push(type))
    const answer = await stream.finalMessage()
    expect([answer.content, answer.usage.input_tokens > 0, starts.length]).toEqual([
      [expect.objectContaining({ text: 'hi' })],
      true,
      1,
    ])
    expect(lab.requests.length).toBe(41)
    const [recorded] = (await entriesOf(store)).filter((entry) => entry.type === 'response-received')
    expect(recorded?.message['id']).not.toBe(answer.id)
  })
})

describe('no such event comes', () => {
  test('in a silence that clients bear', async () => {
    const { stream } = await told([silentAfter(0, 3 * minute)])
    expect(eventsIn(stream)).toEqual(eventsIn(eventsOf(message).join('')))
  })

  test('before message_start to a client that names its last answer by its id', async () => {
    const thread = { type: 'create' }
    const { events } = await told([silentAfter(0, 17 * minute)], {}, ask({ thread }))
    expect(events).toEqual(eventsIn(eventsOf(message).join('')))
  })

  test('to a client that asks again for the same answer', async () => {
    const clock = new ManualClock()
    const gate = new Gate()
    const gateway = createGateway({
      clock,
      limits: patient,
      fetch: async () => {
        await gate.pass()
        return new Response(eventsOf(message).join(''), { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    onTestFinished(() => gateway.close())
    const asked = post(gateway, ask(), { headers: named })
    await gate.reached
    await clock.advance(20_000)
    const reader = (await asked).body?.pipeThrough(new TextDecoderStream()).getReader()
    let first = ''
    while (!first.includes('message_start')) {
      const piece = reader?.read()
      await clock.advance(10_000)
      first += (await piece)?.value ?? ''
    }
    await reader?.cancel()
    const again = post(gateway, ask(), { headers: named })
    gate.open()
    expect(eventsIn(await (await again).text())).toEqual(eventsIn(eventsOf(message).join('')))
  })
})

test('an outage that is given up ends with an error event, also after a message_start that was made up', async () => {
  const { gateway } = await setUp({
    lab: { outages: [failing(529)] },
    gateway: { ...impatient, policy: { horizonMs: 30 * minute } },
  })
  const events = eventsIn(await (await post(gateway, ask(), { headers: named })).text())
  expect(events[0]).toMatchObject({ type: 'message_start', message: { model: hello.model, content: [] } })
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
  expect(typesIn(events)).not.toContain('message_stop')
})

const block = fc.oneof(
  fc.record({ type: fc.constant('text'), text: fc.string({ minLength: 1 }) }),
  fc.record({ type: fc.constant('thinking'), thinking: fc.string({ minLength: 1 }), signature: fc.base64String() }),
  fc.record({
    type: fc.constant('tool_use'),
    id: fc.uuid(),
    name: fc.constant('count'),
    input: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
  }),
)
const world = fc.record({
  content: fc.array(block, { minLength: 1, maxLength: 4 }),
  input_tokens: fc.integer({ min: 1, max: 1e5 }),
  silences: fc.array(fc.constantFrom(0, 0, 5_000, 100_000, 241_000, 1_000_000), { minLength: 1, maxLength: 8 }),
  breaks: fc.array(fc.nat(12), { maxLength: 2 }),
})

test('whatever is said, wherever it is silent and breaks: what a client accumulates, and the journal, is as without', async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ content, input_tokens, silences, breaks }) => {
      const stop_reason = content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
      const usage = { input_tokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 9, output_tokens: 20 }
      const events = eventsOf({ ...message, content: content as AssistantMessage['content'], stop_reason, usage })
      const slow = events.flatMap((event, at): Act[] => [{ silentMs: silences[at % silences.length] ?? 0 }, event])
      const answers = [...breaks.map((at): Act[] => [...slow.slice(0, 2 * at + 1), 'break']), slow]
      const [plain, kept] = [await told(answers, { progressMs: never }), await told(answers)]
      const same = { id: expect.any(String) as string, _request_id: expect.anything() as unknown }
      expect({ ...(await accumulated(kept.stream)), ...same }).toEqual({
        ...(await accumulated(plain.stream)),
        ...same,
      })
      const heard = kept.events.filter((event) => !isNeutral(event))
      expect(typesIn(heard)).toEqual(typesIn(plain.events))
      expect(kept.recorded).toEqual(plain.recorded)
      expect(kept.requests).toBe(plain.requests)
    }),
    { numRuns: 60 },
  )
})
