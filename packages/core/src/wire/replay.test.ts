import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { Assembler } from './assembler.ts'
import { replayed } from './replay.ts'
import { eventsOf } from './sse.fixture.ts'
import { eventsIn } from './sse.ts'

const text = fc.record({
  type: fc.constant('text'),
  text: fc.string(),
  citations: fc.option(fc.oneof(fc.constant(null), fc.array(fc.record({ cited_text: fc.string() }))), {
    nil: undefined,
  }),
})
const thinking = fc.record(
  { type: fc.constant('thinking'), thinking: fc.string(), signature: fc.base64String() },
  { requiredKeys: ['type', 'thinking'] },
)
const call = fc.record({
  type: fc.constantFrom('tool_use', 'server_tool_use', 'mcp_tool_use'),
  id: fc.uuid(),
  name: fc.string(),
  input: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true }),
})
const other = fc.record({ type: fc.constantFrom('redacted_thinking', 'fallback', 'new_kind'), data: fc.string() })

const json = <Value>(value: Value) => JSON.parse(JSON.stringify(value)) as Value

const answer: fc.Arbitrary<AssistantMessage> = fc
  .record({
    content: fc.array(fc.oneof(text, thinking, call, other), { maxLength: 6 }),
    stop_reason: fc.constantFrom('end_turn', 'tool_use', 'max_tokens', 'refusal', 'a_new_reason'),
    stop_sequence: fc.constantFrom(null, 'STOP'),
    container: fc.constantFrom({ id: 'c' }, null),
    usage: fc.record({ input_tokens: fc.nat(), output_tokens: fc.nat() }),
  })
  .map((fields) =>
    json({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      ...fields,
      content: fields.content as Block[],
    }),
  )

test('a replayed answer is assembled to the same answer, whatever its blocks', async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (message) => {
      const assembler = new Assembler()
      const bytes = ReadableStream.from([...replayed(message)].map((piece) => new TextEncoder().encode(piece)))
      for await (const events of eventsOf(bytes))
        for (const { data } of events) assembler.take(JSON.parse(data) as Record<string, unknown>)
      expect(assembler.isComplete).toBe(true)
      expect(assembler.message()).toEqual(message)
    }),
  )
})

test('a replayed answer begins and ends as the API lets one: with nothing in its blocks, and what is known at the end there', () => {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant' as const,
    model: 'm',
    container: { id: 'c' },
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
      { type: 'thinking', thinking: 'Hm' },
      { type: 'text', text: 'One', citations: [{ cited_text: 'a' }, { cited_text: 'b' }] },
      { type: 'text', text: 'Two', citations: null },
      { type: 'text', text: 'Three', citations: [] },
      { type: 'text', text: 'Four' },
      { type: 'server_tool_use', id: 's', name: 't', input: { n: 1 } },
      { type: 'mcp_tool_use', id: 'm', name: 't' },
      { type: 'new_kind', input: { n: 1 } },
    ] as Block[],
    stop_reason: 'stop_sequence',
    stop_sequence: 'STOP',
    usage: { input_tokens: 1, output_tokens: 2 },
  }
  const events = [...replayed(message)].flatMap(eventsIn).map(({ event, data }) => ({ event, data: JSON.parse(data) }))
  for (const { event, data } of events) expect(data.type).toBe(event)
  const { content: _content, ...start } = message
  expect(events[0]?.data.message).toEqual({ ...start, content: [], stop_reason: null, stop_sequence: null })
  const end = { container: { id: 'c' }, stop_reason: 'stop_sequence', stop_sequence: 'STOP' }
  expect(events.slice(-2).map(({ data }) => data)).toEqual([
    { type: 'message_delta', delta: end, usage: message.usage },
    { type: 'message_stop' },
  ])
  const of = (index: number, type: string) => events.filter(({ event, data }) => event === type && data.index === index)
  const begun = message.content.map((_, at) => of(at, 'content_block_start').map(({ data }) => data.content_block))
  expect(begun.flat()).toEqual([
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking', thinking: '' },
    { type: 'text', text: '', citations: [] },
    { type: 'text', text: '', citations: null },
    { type: 'text', text: '', citations: [] },
    { type: 'text', text: '' },
    { type: 'server_tool_use', id: 's', name: 't', input: {} },
    { type: 'mcp_tool_use', id: 'm', name: 't' },
    { type: 'new_kind', input: { n: 1 } },
  ])
  const deltas = message.content.map((_, at) => of(at, 'content_block_delta').map(({ data }) => data.delta))
  expect(deltas).toEqual([
    [
      { type: 'thinking_delta', thinking: 'Hm' },
      { type: 'signature_delta', signature: 'sig' },
    ],
    [{ type: 'thinking_delta', thinking: 'Hm' }],
    [
      { type: 'citations_delta', citation: { cited_text: 'a' } },
      { type: 'citations_delta', citation: { cited_text: 'b' } },
      { type: 'text_delta', text: 'One' },
    ],
    [{ type: 'text_delta', text: 'Two' }],
    [{ type: 'text_delta', text: 'Three' }],
    [{ type: 'text_delta', text: 'Four' }],
    [{ type: 'input_json_delta', partial_json: '{"n":1}' }],
    [],
    [],
  ])
  message.content.forEach((_, at) => expect(of(at, 'content_block_stop')).toHaveLength(1))
})

test('one without a cost has an end that clients can read, and no cost at its beginning', () => {
  const message = { id: 'msg_1', role: 'assistant' as const, model: 'm', content: [], stop_reason: 'end_turn' }
  const [start, end] = [...replayed(message)].flatMap(eventsIn).map(({ data }) => JSON.parse(data))
  expect(start.message).not.toHaveProperty('usage')
  expect(end).toMatchObject({ delta: { stop_sequence: null }, usage: {} })
})
