import { replayed } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import { Progress } from './progress.ts'

const answer = {
  id: 'msg_api',
  type: 'message',
  role: 'assistant' as const,
  model: 'm',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 7, service_tier: null, output_tokens: 1 },
}
const events = [...replayed(answer)]
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (piece: Uint8Array | undefined) => piece && new TextDecoder().decode(piece)

function begun(model: string | undefined = 'm') {
  const clock = new ManualClock()
  return { clock, progress: new Progress({ clock, progressMs: 60_000, model }) }
}

test('what comes in time passes as the very bytes that came', async () => {
  const { progress } = begun()
  for (const event of events) {
    const piece = bytes(event)
    expect(progress.pass(piece)).toBe(piece)
  }
})

test.each([1, 2])('nothing is said after the end of a message, %i events before that of its stream', async (before) => {
  const { clock, progress } = begun()
  for (const event of events.slice(0, events.length + 1 - before)) progress.pass(bytes(event))
  await clock.advance(120_000)
  expect(progress.due()).toBeUndefined()
})

test('a recorded answer that comes in one piece after a made-up start loses its own, and its end has all of the usage', async () => {
  const { clock, progress } = begun()
  await clock.advance(60_000)
  expect(text(progress.due())).toContain('event: message_start')
  const rest = text(progress.pass(bytes(events.join('')))) ?? ''
  expect(rest).not.toContain('message_start')
  expect(rest).toContain('"usage":{"input_tokens":7,"output_tokens":1}')
  await clock.advance(60_000)
  expect(progress.due()).toBeUndefined()
})

test('what came with a ping is not taken for one, and is not lost when something is due', async () => {
  const { clock, progress } = begun()
  progress.pass(bytes(events.slice(0, 2).join('')))
  await clock.advance(60_000)
  const piece = bytes(`event: ping\ndata: {}\n\n${events[2]}`)
  expect(progress.pass(piece)).toBe(piece)
  await clock.advance(59_999)
  expect(progress.due()).toBeUndefined()
})

test('a start that came with other events is known as one', async () => {
  const { clock, progress } = begun()
  progress.pass(bytes(events.slice(0, 2).join('')))
  await clock.advance(60_000)
  expect(text(progress.due())).toMatch(/^event: message_delta\ndata: .*"stop_reason":null/)
})

test('the time of silence counts from the last event of the answer', async () => {
  const { clock, progress } = begun()
  await clock.advance(50_000)
  await progress.pass(bytes(events[0] ?? ''))
  await clock.advance(50_000)
  expect(await progress.due()).toBeUndefined()
  await clock.advance(10_000)
  expect(await progress.due()).toBeDefined()
})

test('a start that is left out is nothing that the client heard', async () => {
  const { clock, progress } = begun()
  await clock.advance(60_000)
  await progress.due()
  await clock.advance(50_000)
  expect(await progress.pass(bytes(events[0] ?? ''))).toBeUndefined()
  await clock.advance(10_000)
  expect(text(await progress.due())).toContain('event: message_delta')
})
