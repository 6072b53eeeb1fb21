import { describe, expect, test } from 'vitest'
import { Assembler } from './assembler.ts'

const call = (index: number, json: string, stop = true) => [
  {
    type: 'content_block_start',
    index,
    content_block: { type: 'tool_use', id: `toolu_${index}`, name: 't', input: {} },
  },
  { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: json } },
  ...(stop ? [{ type: 'content_block_stop', index }] : []),
]
const text = (index: number, words: string[], stop = true) => [
  { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
  ...words.map((word) => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: word } })),
  ...(stop ? [{ type: 'content_block_stop', index }] : []),
]
const end = (stop_reason: string) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 7 } },
  { type: 'message_stop' },
]

/** Of a conversation that has no calls yet. */
const first = { hasCall: () => false }

function assembled(...events: object[]): Assembler {
  const assembler = new Assembler()
  const message = {
    id: 'msg_1',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 3 },
  }
  for (const event of [{ type: 'message_start', message }, ...events]) assembler.take(event as Record<string, unknown>)
  return assembler
}

describe('an answer', () => {
  test('is what its events say, the input of a call from its own text', () => {
    const assembler = assembled(...text(0, ['Hello ', 'you']), ...call(1, '{"n":1}'), ...end('tool_use'))
    expect(assembler.isComplete).toBe(true)
    expect(assembler.message()).toEqual({
      id: 'msg_1',
      role: 'assistant',
      model: 'm',
      content: [
        { type: 'text', text: 'Hello you' },
        { type: 'tool_use', id: 'toolu_1', name: 't', input: { n: 1 } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 7 },
    })
  })

  test('is not complete before its end, nor with a call without one, nor with input that is no JSON', () => {
    expect(assembled(...text(0, ['Hello'])).isComplete).toBe(false)
    expect(assembled(...call(0, '{"n": 1', false), ...end('tool_use')).isComplete).toBe(false)
    expect(assembled(...call(0, '{"n": 1}', false), ...call(1, '{}'), ...end('tool_use')).isComplete).toBe(false)
    expect(assembled(...text(0, ['Hello'], false), ...end('end_turn')).isComplete).toBe(true)
    expect(assembled(...call(0, '{"n": 1,,'), ...end('tool_use')).isComplete).toBe(false)
  })

  test.each(['max_tokens', 'model_context_window_exceeded'])(
    'cut by %s is complete, whatever its last input, and not with an earlier one that is no JSON (P2)',
    (reason) => {
      expect(assembled(...text(0, ['x']), ...call(1, '{"n": 1, "wh'), ...end(reason)).isComplete).toBe(true)
      for (const after of [text(1, ['x']), call(1, '{"n": 1, "wh')]) {
        const broken = assembled(...call(0, '{"n": 1,,'), ...after, ...end(reason))
        expect([broken.isComplete, broken.hasBrokenCall]).toEqual([false, true])
      }
    },
  )

  test('keeps what a later event has nothing to say about', () => {
    const started = { container: { id: 'container_1' }, usage: { input_tokens: 3, cache_read_input_tokens: 9 } }
    const ended = {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null, container: null },
      usage: { input_tokens: null, cache_read_input_tokens: null, output_tokens: 7 },
      context_management: null,
    }
    const assembler = assembled({ type: 'message_start', message: started }, ...text(0, ['x']), ended)
    expect(assembler.message()).toMatchObject({
      container: { id: 'container_1' },
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, cache_read_input_tokens: 9, output_tokens: 7 },
    })
  })

  test('is by the model that took it over', () => {
    const block = { type: 'fallback', from: { model: 'm' }, to: { model: 'other' } }
    const events = [{ type: 'content_block_start', index: 0, content_block: block }, ...text(1, ['x'])]
    expect(assembled(...events, ...end('end_turn')).message()).toMatchObject({ model: 'other' })
  })

  test('has the summary of a compaction as it came last', () => {
    const delta = (content: string) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'compaction_delta', content },
    })
    const block = { type: 'compaction', content: 'So' }
    const events = [{ type: 'content_block_start', index: 0, content_block: block }, delta('So far.')]
    expect(assembled(...events, ...end('compaction')).message().content).toEqual([{ ...block, content: 'So far.' }])
  })

  test('that the model refused is complete, whatever its calls', () => {
    expect(assembled(...call(0, '{"n": 1,,'), ...text(1, ['x']), ...end('refusal')).isComplete).toBe(true)
  })
})

describe('what a broken answer leaves', () => {
  const contentOf = (...events: object[]) =>
    assembled(...events)
      .salvage(first)
      ?.content.map(({ id, type }) => id ?? type)

  test('ends with the last whole call before the cut', () => {
    expect(contentOf(...text(0, ['x']), ...call(1, '{"n":1}'), ...text(2, ['y']), ...call(3, '{"n', false))).toEqual([
      'text',
      'toolu_1',
    ])
  })

  test('is nothing without a whole call, or when only broken input is left', () => {
    expect(contentOf(...text(0, ['x']), ...call(1, '{"n":1}', false))).toBeUndefined()
    expect(contentOf(...call(0, '{"n": 1,,'), ...call(1, '{"n":1}'))).toBeUndefined()
  })

  test('stops for the tools', () => {
    expect(assembled(...call(0, '{"n":1}')).salvage(first)).toMatchObject({ stop_reason: 'tool_use', id: 'msg_1' })
  })
})

test('of a cut answer the calls before a server tool without its result are kept', () => {
  const search = [
    {
      type: 'content_block_start',
      index: 1,
      content_block: { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    },
    { type: 'content_block_stop', index: 1 },
  ]
  const kept = assembled(...call(0, '{"n":1}'), ...search, ...call(2, '{"n":2}')).salvage(first)
  expect(kept?.content.map(({ id }) => id)).toEqual(['toolu_0'])
})
