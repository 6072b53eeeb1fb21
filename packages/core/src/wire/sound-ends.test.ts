import { describe, expect, test } from 'vitest'
import { Assembler } from './assembler.ts'
import { soundBlock, soundDelta, soundStart } from './sound-ends.ts'
import { eventsIn, writeEvent } from './sse.ts'

type Json = Record<string, unknown>

const eventOf = (data: Json & { type: string }) => eventsIn(writeEvent(data.type, data))[0]!

/** What comes of an event: the same one where it is sound, else its data as it is written and as it says it has. */
function mended(
  data: Json & { type: string },
  mend: (event: ReturnType<typeof eventOf>) => ReturnType<typeof eventOf>,
) {
  const event = eventOf(data)
  const sound = mend(event)
  if (sound === event) return 'as it came'
  expect(eventsIn(sound.raw)).toEqual([sound])
  expect(sound.event).toBe(data.type)
  return JSON.parse(sound.data) as Json
}

describe('the beginning of an answer', () => {
  const start = (message: Json) => {
    const data = { type: 'message_start', message, news: 1 }
    return mended(data, (event) => soundStart(event, data))
  }
  const usage = { input_tokens: 3 }

  test('that clients can read is passed on as it came', () => {
    expect(start({ id: 'm', content: [], usage, news: 2 })).toBe('as it came')
  })

  test.each([
    ['no cost', { content: [] }, { input_tokens: 0, output_tokens: 0 }],
    ['a cost that is none', { content: [], usage: [3] }, { input_tokens: 0, output_tokens: 0 }],
    ['no content', { usage }, usage],
    ['content already, which its blocks would double', { content: [{ type: 'text', text: 'x' }], usage }, usage],
    ['content that is no list', { content: '', usage }, usage],
  ])('with %s gets what it lacks, and keeps the rest', (_what, message, cost) => {
    const sound = { id: 'm', news: 2, content: [], usage: cost }
    expect(start({ id: 'm', news: 2, ...message })).toEqual({ type: 'message_start', message: sound, news: 1 })
  })
})

test('a text or a thought begins with words, if none', () => {
  const block = (content_block: Json & { type: string }) => {
    const data = { type: 'content_block_start', index: 0, content_block, news: 1 }
    return mended(data, (event) => soundBlock(event, data))
  }
  const begun = (content_block: Json) => ({ type: 'content_block_start', index: 0, content_block, news: 1 })
  for (const type of ['text', 'thinking']) {
    expect(block({ type, [type]: 'x' })).toBe('as it came')
    expect(block({ type, more: 2 })).toEqual(begun({ type, more: 2, [type]: '' }))
    expect(block({ type, [type]: null })).toEqual(begun({ type, [type]: '' }))
  }
  expect(block({ type: 'tool_use' })).toBe('as it came')
})

describe('the end of an answer', () => {
  const end = (fields: Json, ...before: Json[]) => {
    const answer = new Assembler()
    const data = { type: 'message_delta', news: 1, ...fields }
    const start = { type: 'message_start', message: { id: 'm', usage: { input_tokens: 3, output_tokens: 4 } } }
    for (const event of [start, ...before, data]) answer.take(event)
    return mended(data, (event) => soundDelta(event, data, answer))
  }
  const usage = { input_tokens: 3, output_tokens: 9 }
  const over = { stop_reason: 'end_turn', stop_sequence: 'STOP', more: 2 }
  const ended = { type: 'message_delta', delta: over }

  test('that clients can read is passed on as it came, and so is one that only fills a silence', () => {
    expect(end({ delta: over, usage })).toBe('as it came')
    expect(end({ delta: { stop_reason: null }, usage })).toBe('as it came')
    expect(end({ delta: {}, usage })).toBe('as it came')
  })

  test('without a cost has that of the beginning', () => {
    const sound = { type: 'message_delta', news: 1, delta: over, usage: { output_tokens: 4 } }
    for (const cost of [{}, { usage: null }, { usage: 7 }]) expect(end({ delta: over, ...cost })).toEqual(sound)
    const bare = { type: 'message_start', message: { id: 'm' } }
    expect(end({ delta: over }, bare)).toEqual({ ...sound, usage: { output_tokens: 0 } })
  })

  test('that came again without its reason, or without anything, has the reason that was said', () => {
    const sound = { type: 'message_delta', news: 1, usage }
    const reason = { stop_reason: 'end_turn', stop_sequence: null }
    expect(end({ usage, delta: { more: 3 } }, ended)).toEqual({ ...sound, delta: { ...reason, more: 3 } })
    for (const delta of [undefined, null, 'x'])
      expect(end({ usage, delta }, ended)).toEqual({ ...sound, delta: reason })
    expect(end({ usage })).toEqual({ ...sound, delta: { stop_reason: null, stop_sequence: null } })
  })
})
