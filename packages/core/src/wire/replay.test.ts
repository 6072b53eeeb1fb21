import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { Assembler } from './assembler.ts'
import { replayed } from './replay.ts'
import { eventsOf } from './sse.fixture.ts'

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
