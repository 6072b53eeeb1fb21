import { expect, test } from 'vitest'
import type { AssistantMessage, Block } from '../journal/journal.ts'
import { HeldEvents } from './held-events.ts'
import { Spent } from './spent.ts'
import { eventsIn, writeEvent } from './sse.ts'

const call: Block = { type: 'tool_use', id: 'c', name: 't', input: {} }
const server: Block = { type: 'server_tool_use', id: 's', name: 't', input: {} }
const text: Block = { type: 'text', text: '' }
const result: Block = { type: 'web_search_tool_result', tool_use_id: 's', content: [] }

const usage = { input_tokens: 1, output_tokens: 2 }
const kept = (content: Block[], stop_reason: string | null): AssistantMessage => ({
  id: 'm',
  role: 'assistant',
  model: 'a',
  usage,
  content,
  stop_reason,
})
const delta = (fields: object, more: object = {}) => eventOf('message_delta', { delta: fields, ...more })
const eventOf = (type: string, fields: object = {}) => eventsIn(writeEvent(type, { type, ...fields }))[0]!
const stop = eventOf('message_stop')
const dataIn = (released: string) => eventsIn(released).map(({ data }) => JSON.parse(data))
const reasonsIn = (released: string) => dataIn(released).flatMap(({ delta }) => (delta ? [delta.stop_reason] : []))

test('blocks are handed out in their order, those that the answer keeps, whichever began or ended first', () => {
  const held = new HeldEvents(new Spent())
  held.begin(1, call, false)
  held.add(1, 'b')
  held.begin(2, text, false)
  held.add(2, 'c')
  held.add(0, 'a')
  held.add(1, 'B')
  held.add(3, 'd')
  held.end(delta({ stop_reason: 'tool_use' }))
  held.end(stop)
  expect([held.isHolding, held.firstIndex, held.passOn()]).toEqual([true, 1, ''])
  expect(held.release(kept([text, call, text], 'tool_use'))).toMatch(/^abBcevent: message_delta/)
})

test("the call of a server's tool waits for its own result, with all that came after it, and then holds nothing", () => {
  const held = new HeldEvents(new Spent())
  held.begin(0, text, false)
  expect(held.isHolding).toBe(false)
  held.begin(1, server, false)
  held.add(1, 'a')
  held.begin(2, { ...result, tool_use_id: 'other' }, false)
  held.add(2, 'b')
  expect([held.passOn(), held.firstIndex]).toEqual(['', 1])
  held.begin(3, result, false)
  held.add(3, 'c')
  expect([held.passOn(), held.isHolding, held.firstIndex]).toEqual(['abc', false, undefined])
  held.begin(4, text, false)
  expect([held.isHolding, held.passOn()]).toEqual([false, ''])
  held.begin(5, call, false)
  expect(held.firstIndex).toBe(5)
})

test('a block that has to wait to the end makes all after it wait, its own results too', () => {
  const held = new HeldEvents(new Spent())
  held.begin(0, text, true)
  held.begin(1, server, false)
  held.begin(2, result, false)
  expect([held.isHolding, held.firstIndex, held.passOn()]).toEqual([true, 0, ''])
})

test('an end that is whole is handed out as it came, with all that came between', () => {
  const held = new HeldEvents(new Spent())
  const own =
    'event: message_delta\ndata: { "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "n": 1.0 }\n\n'
  const raw = `data: [DONE]\n\n${own}event: news\ndata: {}\n\n${stop.raw}data: [DONE]\n\n`
  for (const event of eventsIn(raw)) held.end(event)
  expect(held.release(kept([text], 'end_turn'))).toBe(raw)
})

test.each([
  ['neither', []],
  ['its stop alone', [stop]],
  ['its reason alone', [delta({ stop_reason: 'tool_use' }, { usage })]],
  ['a delta without one', [delta({ stop_reason: null }, { usage }), stop]],
  ['a delta of nothing', [eventOf('message_delta', { usage }), stop]],
])(
  'of an end with %s the rest is written: one reason, which is that of what is kept, before the stop',
  (_what, ends) => {
    const held = new HeldEvents(new Spent())
    ends.forEach((event) => held.end(event))
    const released = held.release(kept([call], 'tool_use'))
    expect(reasonsIn(released).filter((reason) => reason != null)).toEqual(['tool_use'])
    const types = dataIn(released).map(({ type }) => type)
    expect(types.lastIndexOf('message_delta')).toBe(types.indexOf('message_stop') - 1)
    expect(types.indexOf('message_stop')).toBe(types.length - 1)
    expect(dataIn(released).findLast(({ type }) => type === 'message_delta')?.usage).toEqual(usage)
    for (const { event, data } of eventsIn(released)) expect(JSON.parse(data).type).toBe(event)
  },
)

test('an end with the reason of a larger answer has that of the part that is kept, and nothing else changed', () => {
  const held = new HeldEvents(new Spent())
  held.end(delta({ stop_reason: null, more: 0 }, { usage }))
  held.end(delta({ stop_reason: 'max_tokens', more: 1 }, { usage, news: 2 }))
  const [silence, said] = dataIn(held.release(kept([call], 'tool_use')))
  expect(silence).toEqual({ type: 'message_delta', delta: { stop_reason: null, more: 0 }, usage })
  expect(said).toEqual({ type: 'message_delta', delta: { stop_reason: 'tool_use', more: 1 }, usage, news: 2 })
})

test('the cost of all attempts is in the end, in the one that came and in one that is written', () => {
  const spent = new Spent()
  spent.add({ model: 'b', usage: { input_tokens: 5 } })
  const answer = kept([text], 'end_turn')
  const others = eventsIn('event: news\ndata: {"usage":{}}\n\ndata: [DONE]\n\n')
  for (const ends of [[delta({ stop_reason: 'end_turn', more: 1 }, { news: 2 })], []]) {
    const held = new HeldEvents(spent)
    for (const event of [...others, ...ends]) held.end(event)
    const [news, done, ...end] = eventsIn(held.release(answer))
    expect([news, done]).toEqual(others)
    const said = JSON.parse(end[0]!.data)
    expect(said).toMatchObject({ delta: { stop_reason: 'end_turn' }, usage: spent.with(answer)! })
    if (ends.length > 0) expect(said).toMatchObject({ delta: { more: 1 }, news: 2 })
  }
})

test('one that is written has no cost where none was said', () => {
  const { usage: _usage, ...answer } = kept([text], null)
  expect(dataIn(new HeldEvents(new Spent()).release(answer))[0]).toEqual({
    type: 'message_delta',
    delta: { stop_reason: null, stop_sequence: null },
    usage: {},
  })
})
