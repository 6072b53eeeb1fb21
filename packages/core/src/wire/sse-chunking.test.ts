/** A stream means the same however the network cuts it into pieces, and never more than what came of it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Block, Entry } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { intercept } from './interceptor.ts'
import { eventsOf } from './sse.fixture.ts'
import { writeEvent } from './sse.ts'

type Json = Record<string, unknown>

// -- Streams ----------------------------------------------------------------------------------------------------------

const said = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text.trim() !== '')
const block = (start: object, ...deltas: object[]) => ({ start, deltas })
const textBlock = fc
  .array(said, { minLength: 1, maxLength: 3 })
  .map((texts) => block({ type: 'text', text: '' }, ...texts.map((text) => ({ type: 'text_delta', text }))))
const thinkingBlock = said.map((thinking) =>
  block(
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking },
    { type: 'signature_delta', signature: 'c2lnbmVk' },
  ),
)
const callBlock = fc.tuple(said, fc.nat(20)).map(([word, at]) => {
  const json = JSON.stringify({ word, n: 1 })
  const parts = [json.slice(0, at), json.slice(at)]
  return block(
    { type: 'tool_use', name: 'count', input: {} },
    ...parts.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  )
})
const answerBlocks = fc.tuple(
  fc.array(fc.oneof(thinkingBlock, textBlock), { minLength: 1, maxLength: 3 }),
  fc.array(callBlock, { maxLength: 2 }),
)
const noise = fc.constantFrom('', ': keep-alive\n\n', writeEvent('ping', { type: 'ping' }))

/** The text of a whole stream, with comments and pings between its events. */
const streams = fc
  .tuple(answerBlocks, noise, fc.constantFrom('\n', '\r\n', '\r'))
  .map(([[first, calls], between, eol]) => {
    const data: Json[] = [
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          stop_reason: null,
          usage: { input_tokens: 9 },
        },
      },
      ...[...first, ...calls].flatMap(({ start, deltas }, index): Json[] => [
        {
          type: 'content_block_start',
          index,
          content_block: { ...start, ...('input' in start && { id: `toolu_${index}` }) },
        },
        ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
        { type: 'content_block_stop', index },
      ]),
      {
        type: 'message_delta',
        delta: { stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn' },
        usage: { output_tokens: 5 },
      },
      { type: 'message_stop' },
    ]
    return data
      .map((one) => writeEvent(String(one['type']), one))
      .join(between)
      .replaceAll('\n', eol)
  })

const cuts = fc.array(fc.nat(5_000), { maxLength: 12 })

/** The bytes in pieces; empty ones too. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.slice(at[i], end))
}

// -- What the interceptor makes of them -------------------------------------------------------------------------------

const request = {
  url: 'http://api.test/v1/messages',
  method: 'POST',
  headers: new Headers(),
  body: JSON.stringify({ model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'Hi.' }] }),
}
const retried = [
  {
    type: 'message_start',
    message: { id: 'msg_2', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: {} },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Again.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
  { type: 'message_stop' },
]
const retriedText = retried.map((one) => writeEvent(one.type, one)).join('')

/** Serves these pieces, then an answer that is well; gives what the caller read and what was recorded. */
async function relayed(first: readonly Uint8Array[], breaks = false): Promise<{ seen: Json[]; entries: Entry[] }> {
  const store = memoryStore()
  const session = await openSession('ses', { store, clock: new ManualClock({ autoAdvance: true }) })
  const answers = [first, [new TextEncoder().encode(retriedText)]]
  const response = await intercept(session)(request, () => {
    const [left = [], isFirst] = [answers.shift()?.slice(), answers.length === 1]
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const next = left.shift()
        if (next) controller.enqueue(next)
        else if (breaks && isFirst) controller.error(new TypeError('terminated'))
        else controller.close()
      },
    })
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  })
  const seen: Json[] = []
  for await (const events of eventsOf(response.body))
    for (const { data, event } of events) if (event !== 'ping') seen.push(JSON.parse(data) as Json)
  await session.close()
  const entries: Entry[] = []
  for await (const entry of store.read('ses')) entries.push(entry)
  return { seen, entries }
}

const contentOf = (entries: readonly Entry[]): readonly Block[] =>
  entries.findLast((entry) => entry.type === 'response-received')?.message.content ?? []

/** What a program that puts the stream together has in the end; throws where the SDK would. */
function heardFrom(seen: readonly Json[]): Block[] {
  const blocks: Block[] = []
  let [isOpen, hasEnded] = [false, false]
  for (const [at, { type, index, content_block, delta }] of seen.entries()) {
    expect(hasEnded).toBe(false)
    expect(type === 'message_start').toBe(at === 0)
    if (type === 'content_block_start') {
      expect([isOpen, index]).toEqual([false, blocks.length])
      blocks.push({ ...(content_block as Block), json: '' })
      isOpen = true
    }
    if (type === 'content_block_delta') {
      expect([isOpen, index]).toEqual([true, blocks.length - 1])
      const open = blocks.at(-1)!
      const { type: _type, partial_json, ...fields } = delta as Json
      if (typeof partial_json === 'string') open['json'] += partial_json
      for (const [field, value] of Object.entries(fields)) open[field] = String(open[field]) + String(value)
    }
    if (type === 'content_block_stop') isOpen = false
    if (type === 'message_stop') hasEnded = true
  }
  expect([isOpen, hasEnded]).toEqual([false, true])
  return blocks.map(({ json, ...one }) => (json === '' ? one : { ...one, input: JSON.parse(String(json)) as unknown }))
}

// -- The properties ---------------------------------------------------------------------------------------------------

const runs = { numRuns: 100 }

test('any cut into pieces, also inside a character or a line break, gives the same events and the same journal', async () => {
  await fc.assert(
    fc.asyncProperty(streams, cuts, async (text, cuts) => {
      const bytes = new TextEncoder().encode(text)
      const whole = await relayed([bytes])
      const cut = await relayed(pieces(bytes, cuts))
      expect(cut).toEqual(whole)
      expect(heardFrom(cut.seen)).toEqual(contentOf(cut.entries))
    }),
    runs,
  )
})

test('one byte at a time likewise', async () => {
  await fc.assert(
    fc.asyncProperty(streams, async (text) => {
      const bytes = new TextEncoder().encode(text)
      const single = Array.from(bytes, (_, at) => bytes.slice(at, at + 1))
      expect(await relayed(single)).toEqual(await relayed([bytes]))
    }),
    { numRuns: 10 },
  )
})

test('a stream that ends at any byte, politely or not, leaves whole blocks in the journal and one message at the caller', async () => {
  await fc.assert(
    fc.asyncProperty(streams, fc.nat(5_000), cuts, fc.boolean(), async (text, end, cuts, breaks) => {
      const bytes = new TextEncoder().encode(text)
      const whole = contentOf((await relayed([bytes])).entries)
      const { seen, entries } = await relayed(pieces(bytes.slice(0, end % bytes.length), cuts), breaks)
      const recorded = contentOf(entries)
      const heard = heardFrom(seen)
      // Either the answer that was sent for again, or a part of the first that is made of its blocks as they were.
      const isAgain = JSON.stringify(recorded) === '[{"type":"text","text":"Again."}]'
      if (!isAgain) expect(recorded).toEqual(whole.slice(0, recorded.length))
      expect(heard.slice(-recorded.length)).toEqual(recorded)
      // What broken attempts left before it may be half, but is no call.
      const left = heard.slice(0, -recorded.length)
      expect(left.filter(({ type }) => type === 'tool_use')).toEqual([])
      if (!isAgain) expect(left).toEqual([])
      const started = entries.flatMap((entry) => (entry.type === 'tool-started' ? [entry.toolUseId] : []))
      expect(started).toEqual(recorded.filter(({ type }) => type === 'tool_use').map(({ id }) => id))
    }),
    runs,
  )
})
