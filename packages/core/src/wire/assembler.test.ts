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
    const events = (type: string) => [
      { type: 'content_block_start', index: 0, content_block: { ...block, type } },
      ...text(1, ['x']),
      ...end('end_turn'),
    ]
    expect(assembled(...events('fallback')).message()).toMatchObject({ model: 'other' })
    expect(assembled(...events('moved')).message()).toMatchObject({ model: 'm' })
  })

  test('has of each piece what belongs to its block, and not what is for display', () => {
    const delta = (fields: object) => ({ type: 'content_block_delta', index: 0, delta: fields })
    const block = { type: 'thinking', thinking: '', signature: '' }
    const events = [
      { type: 'content_block_start', index: 0, content_block: block },
      delta({ type: 'thinking_delta', thinking: 'Hm', estimated_tokens: 50 }),
      delta({ type: 'thinking_delta', thinking: '.', estimated_tokens: null }),
      delta({ type: 'signature_delta', signature: 's', estimated_tokens: 50 }),
    ]
    const thinking = { type: 'thinking', thinking: 'Hm.', signature: 's' }
    expect(assembled(...events, ...end('end_turn')).message().content).toEqual([thinking])
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

  test('is not complete at its beginning, whatever that lacks, and is so after either sign of its end', () => {
    const start = (message: object) => ({ type: 'message_start', message })
    for (const message of [{}, { stop_reason: null }, { stop_reason: 7 }]) {
      expect(assembled(start(message), ...text(0, ['x'])).isComplete).toBe(false)
    }
    const [delta, stop] = end('end_turn')
    expect(assembled(...text(0, ['x']), delta!).isComplete).toBe(true)
    expect(assembled(...text(0, ['x']), stop!).isComplete).toBe(true)
    const without = new Assembler()
    without.take(stop!)
    expect(without.isComplete).toBe(false)
  })

  test('has a broken call once it is over, not before', () => {
    expect(assembled(...call(0, '{"n": 1,,')).hasBrokenCall).toBe(false)
    expect(assembled(...call(0, '{"n": 1}'), ...end('tool_use')).hasBrokenCall).toBe(false)
    expect(assembled(...call(0, '{"n": 1', false), ...end('tool_use')).hasBrokenCall).toBe(true)
  })

  test('repeats the end of a block that is over, and anything after its own end (P2)', () => {
    const [start, delta, stop] = text(0, ['x'])
    const isRepeated = (event: object | undefined, ...before: (object | undefined)[]) =>
      assembled(...before.map((one) => one!)).isRepeated(event as Record<string, unknown>)
    expect(isRepeated(stop, start, delta)).toBe(false)
    expect(isRepeated(stop, start, delta, stop)).toBe(true)
    expect(isRepeated(delta, start, delta, stop)).toBe(false)
    expect(isRepeated(text(1, [])[1], start, delta, stop)).toBe(false)
    for (const event of [...text(1, ['y']), ...end('end_turn')]) {
      expect(isRepeated(event, start, delta, stop, ...end('end_turn'))).toBe(true)
    }
  })

  test('has the cost that was said last, and keeps the fields of its end that nobody knows', () => {
    const started = { usage: { input_tokens: 3, output_tokens: 1, cache: { read: 1 } } }
    const last = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 }, news: 1 }
    const message = assembled({ type: 'message_start', message: started }, ...text(0, ['x']), last).message()
    expect(message).toMatchObject({ usage: { input_tokens: 3, output_tokens: 9, cache: { read: 1 } }, news: 1 })
    expect(message).not.toHaveProperty('type')
    const unsaid = [
      { type: 'message_start', message: { usage: 7 } },
      { type: 'message_delta', usage: { news: null } },
    ]
    expect(assembled(...unsaid).usage).toEqual({ news: null })
  })

  test('that the model refused is complete, whatever its calls', () => {
    expect(assembled(...call(0, '{"n": 1,,'), ...text(1, ['x']), ...end('refusal')).isComplete).toBe(true)
  })
})

describe('a piece', () => {
  const pieceOf = (block: object, delta: unknown) => () =>
    assembled(
      { type: 'content_block_start', index: 0, content_block: block },
      { type: 'content_block_delta', index: 0, delta },
    ).message().content[0]
  const blocks = {
    text: { type: 'text', text: '' },
    thinking: { type: 'thinking', thinking: '', signature: '' },
    hidden: { type: 'redacted_thinking', data: 'd' },
    call: { type: 'tool_use', id: 'a', name: 't', input: {} },
    server: { type: 'server_tool_use', id: 'a', name: 't', input: {} },
    mcp: { type: 'mcp_tool_use', id: 'a', name: 't', input: {} },
    new: { type: 'new_kind' },
  }
  const citation = { type: 'citations_delta', citation: { cited_text: 'x' } }
  const signature = { type: 'signature_delta', signature: 'x' }

  test.each([
    [{ type: 'text_delta', text: 'x' }, ['text', 'new']],
    [citation, ['text', 'new']],
    [{ type: 'thinking_delta', thinking: 'x' }, ['thinking', 'new']],
    [signature, ['thinking', 'new']],
    [{ type: 'input_json_delta', partial_json: '{' }, ['call', 'server', 'mcp', 'new']],
    [{ type: 'new_delta', field: 'x' }, Object.keys(blocks)],
  ])('%j is taken by a block of its kind, or of a new kind, and breaks the answer in any other', (delta, takers) => {
    const isTaken = (block: object) => {
      try {
        return pieceOf(block, delta)() !== undefined
      } catch {
        return false
      }
    }
    expect(Object.entries(blocks).flatMap(([name, block]) => (isTaken(block) ? [name] : []))).toEqual(takers)
  })

  test.each([
    [blocks.text, { type: 'text_delta', text: 7 }],
    [blocks.thinking, { type: 'thinking_delta' }],
    [blocks.thinking, { type: 'signature_delta', signature: null }],
    [blocks.call, { type: 'input_json_delta', partial_json: { n: 1 } }],
    [blocks.new, { type: 'text_delta', text: null }],
  ])('of %j that has no words breaks the answer: %j', (block, delta) => {
    expect(pieceOf(block, delta)).toThrow('of another kind')
  })

  test('is added to what is there where both are words, and else takes its place', () => {
    const [text, more] = [
      { type: 'new_kind', words: 'One', list: [1] },
      { type: 'new_delta', words: ', two', list: [2] },
    ]
    expect(pieceOf(text, more)()).toEqual({ type: 'new_kind', words: 'One, two', list: [2] })
    expect(pieceOf(text, { ...more, words: 2, list: 'two' })()).toEqual({ type: 'new_kind', words: 2, list: 'two' })
    expect(pieceOf({ type: 'text' }, { type: 'text_delta', text: 'x' })()).toEqual({ type: 'text', text: 'x' })
    expect(pieceOf({ type: 'thinking', thinking: null }, { type: 'thinking_delta', thinking: 'x' })()).toEqual({
      type: 'thinking',
      thinking: 'x',
    })
    const cited = { ...blocks.text, citations: [{ cited_text: 'a' }] }
    expect(pieceOf(cited, citation)()).toMatchObject({ citations: [{ cited_text: 'a' }, { cited_text: 'x' }] })
    const signed = { ...blocks.thinking, signature: 'old' }
    expect(pieceOf(signed, signature)()).toMatchObject({ signature: 'x' })
  })

  test('without the block that it belongs to breaks the answer, and so does an end without its beginning', () => {
    const [start, , stop] = text(0, ['x'])
    const [delta] = end('end_turn')
    expect(() => new Assembler().take(start!)).toThrow('came before its beginning')
    expect(() => new Assembler().take(delta!)).toThrow('ends without its beginning')
    expect(() => assembled(stop!)).toThrow('belongs to no block')
    expect(() => assembled(...text(0, ['x']), text(0, ['y'])[1]!)).toThrow('after the end of its block')
    for (const nothing of [undefined, null, 'text', ['text']])
      expect(pieceOf(blocks.new, nothing)).toThrow('after the end')
    expect(() => assembled(...text(0, ['x']), ...text(0, ['y']))).toThrow('index of an earlier one')
    expect(() => assembled({ type: 'message_start', message: 'm' })).toThrow('without a message')
  })
})

test('the input of a call that the server runs is half until its block ends, and keeps each number and name (P4)', () => {
  const call = (json: string) => [
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'server_tool_use', id: 's', name: 't', input: {} },
    },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: json } },
  ]
  const stop = { type: 'content_block_stop', index: 0 }
  expect(assembled(...call('{"n":1}'), ...end('end_turn')).isComplete).toBe(false)
  const whole = assembled(...call('{"n":9007199254740993,"__proto__":{"a":1}}'), stop, ...end('end_turn')).message()
  expect(JSON.stringify(whole.content[0]!['input'])).toContain('"__proto__":{"a":1}')
  expect(whole['lastgood_inputs']).toEqual({ s: '{"n":9007199254740993,"__proto__":{"a":1}}' })
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

describe('of a cut answer', () => {
  const serverCall = (index: number, id: string) => [
    {
      type: 'content_block_start',
      index,
      content_block: { type: 'server_tool_use', id, name: 'web_search', input: {} },
    },
    { type: 'content_block_stop', index },
  ]
  const result = (index: number, id: string) => [
    {
      type: 'content_block_start',
      index,
      content_block: { type: 'web_search_tool_result', tool_use_id: id, content: [] },
    },
    { type: 'content_block_stop', index },
  ]
  const idsOf = (assembler: Assembler) => assembler.salvage(first)?.content.map(({ id, type }) => id ?? type)

  test('the calls before a server tool without its result are kept', () => {
    expect(idsOf(assembled(...call(0, '{"n":1}'), ...serverCall(1, 's'), ...call(2, '{"n":2}')))).toEqual(['toolu_0'])
    const two = assembled(...call(0, '{}'), ...serverCall(1, 's'), ...call(2, '{}'), ...serverCall(3, 't'))
    expect(idsOf(two)).toEqual(['toolu_0'])
  })

  test('all calls are kept, and those of the server with their results among them', () => {
    const searched = [...serverCall(0, 's'), ...serverCall(1, 't'), ...result(2, 't'), ...result(3, 's')]
    const kept = ['s', 't', 'web_search_tool_result', 'web_search_tool_result', 'toolu_4', 'toolu_5']
    expect(idsOf(assembled(...searched, ...call(4, '{}'), ...call(5, '{}'), ...text(6, ['x'])))).toEqual(kept)
  })

  test('nothing after the first block that is not whole is kept, nor a call that was there before', () => {
    const [start, delta, stop] = call(2, '{}')
    expect(
      idsOf(assembled(...call(0, '{}'), ...text(1, ['x'], false), start!, delta!, stop!, ...call(3, '{', false))),
    ).toEqual(['toolu_0'])
    const before = { hasCall: (id: string) => id === 'toolu_1' }
    const kept = assembled(...call(0, '{}'), ...call(1, '{}'), ...call(2, '{}')).salvage(before)
    expect(kept?.content.map(({ id }) => id)).toEqual(['toolu_0'])
  })

  test('the text is kept to the last whole words, and what was being said right after them', () => {
    const blank = (index: number) => text(index, [' \n'])
    const thinking = (index: number) => [
      { type: 'content_block_start', index, content_block: { type: 'thinking', thinking: 'Hm' } },
      { type: 'content_block_stop', index },
    ]
    const compaction = (index: number, content: string | null, more: object = {}) => [
      { type: 'content_block_start', index, content_block: { type: 'compaction', content, ...more } },
      { type: 'content_block_stop', index },
    ]
    const wordsOf = (...events: object[]) =>
      assembled(...events)
        .keptText()
        .map((block) => block['text'] ?? block.type)
    expect(wordsOf(...text(0, ['One']), ...text(1, ['Two'], false))).toEqual(['One', 'Two'])
    expect(wordsOf(...text(0, ['One']), ...text(1, ['Two']))).toEqual(['One', 'Two'])
    expect(wordsOf(...text(0, ['One']), ...text(1, [' '], false))).toEqual(['One'])
    expect(wordsOf(...thinking(0), ...text(1, ['One']), ...thinking(2), ...text(3, ['Two'], false))).toEqual([
      'thinking',
      'One',
    ])
    expect(wordsOf(...text(0, ['One']), ...blank(1), ...text(2, ['Two'], false))).toEqual(['One'])
    expect(wordsOf(...text(0, ['One']), thinking(1)[0]!)).toEqual(['One'])
    expect(wordsOf(...text(0, ['One'], false))).toEqual([])
    expect(wordsOf(...compaction(0, 'So far.'), ...text(1, ['Two'], false))).toEqual(['compaction', 'Two'])
    expect(wordsOf(...compaction(0, 'So far.', { signature: 's' }))).toEqual([])
    expect(wordsOf(...compaction(0, null), ...text(1, ['Two'], false))).toEqual([])
    expect(wordsOf(...thinking(0), ...blank(1))).toEqual([])
    expect(wordsOf(...text(0, ['One']), ...call(1, '{}'), ...text(2, ['Two'], false))).toEqual([])
    expect(wordsOf(...text(0, ['One']), ...serverCall(1, 's'), ...result(2, 's'))).toEqual([])
    expect(wordsOf(...text(0, ['One']), ...call(1, '{', false))).toEqual(['One'])
  })
})
