import type { UnderlyingSource } from 'node:stream/web'
import { expect, test } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { attempt } from './attempt.ts'
import { defaultLimits } from './watchdog.ts'

const request = { url: 'https://api.anthropic.com/v1/messages', method: 'POST', headers: new Headers() }
const error = '{"type":"error","error":{"type":"invalid_request_error","message":"no"}}'

/** The attempt that is answered with an error of this body; `hasLeft` tells whether the body was let go. */
function refusedWith(source: UnderlyingSource<Uint8Array>, status = 400) {
  const clock = new ManualClock()
  const it = { clock, hasLeft: false, outcome: undefined as unknown as ReturnType<typeof attempt> }
  const body = new ReadableStream({ ...source, cancel: () => void (it.hasLeft = true) }, { highWaterMark: 0 })
  const next = async () => new Response(body, { status })
  const exchange = new AbortController().signal
  it.outcome = attempt({ request, next }, { clock, limits: defaultLimits, exchange, watched: 'whole' })
  return it
}

async function refusalIn(outcome: ReturnType<typeof attempt>): Promise<Response> {
  const ended = await outcome
  if (ended.kind !== 'fault' || !ended.refusal) throw new Error('no refusal')
  return ended.refusal
}

test('of an error body that never ends, the caller gets a mebibyte, and the rest is not read', async () => {
  const piece = new TextEncoder().encode('x'.repeat(300_000))
  let read = 0
  const it = refusedWith({
    pull(controller) {
      read += 1
      controller.enqueue(piece)
    },
  })
  expect((await (await refusalIn(it.outcome)).text()).length).toBe(1024 * 1024)
  expect(read).toBe(4)
  expect(it.hasLeft).toBe(true)
})

test('an error body that stops coming holds its request for seconds, and its status counts', async () => {
  const it = refusedWith({ start: (controller) => controller.enqueue(new TextEncoder().encode(error)) })
  await it.clock.advance(9_999)
  expect(it.hasLeft).toBe(false)
  await it.clock.advance(1)
  const outcome = await it.outcome
  expect(outcome).toMatchObject({ kind: 'fault', wire: { phase: 'status', status: 400, body: error } })
  expect(await (await refusalIn(it.outcome)).text()).toBe(error)
  expect(it.hasLeft).toBe(true)
  expect(it.clock.sleepers).toEqual([])
})

test('an error body that is large but ends is passed on as it is', async () => {
  const large = `${error}${' '.repeat(500_000)}é`
  const it = refusedWith({
    start(controller) {
      const bytes = new TextEncoder().encode(large)
      controller.enqueue(bytes.subarray(0, -1))
      controller.enqueue(bytes.subarray(-1))
      controller.close()
    },
  })
  expect(await (await refusalIn(it.outcome)).text()).toBe(large)
})

test.each([
  ['breaks', 429, 'terminated'],
  ['is not compressed as it says', 400, 'incorrect header check'],
])('an error body that %s takes nothing from its status', async (_how, status, words) => {
  const it = refusedWith({ pull: (controller) => controller.error(new TypeError(words)) }, status)
  expect(await it.outcome).toMatchObject({ kind: 'fault', wire: { phase: 'status', status, body: '' } })
})

test('a client that is deaf to its signal is not waited for, and what it answers late is let go (P6)', async () => {
  const [clock, caller] = [new ManualClock(), new AbortController()]
  for (const isAborted of [false, true]) {
    let [hasLeft, answer] = [false, (_response: Response): void => {}]
    const next = () => new Promise<Response>((resolve) => (answer = resolve))
    const options = { clock, limits: defaultLimits, exchange: caller.signal, watched: 'whole' } as const
    const outcome = attempt({ request, next }, options)
    if (isAborted) {
      caller.abort(new Error('not wanted'))
      await expect(outcome).rejects.toThrow('not wanted')
    } else {
      await clock.advance(defaultLimits.firstEventMs)
      expect(await outcome).toMatchObject({ kind: 'fault', wire: { phase: 'connect', timer: 'first-event' } })
    }
    answer(new Response(new ReadableStream({ cancel: () => void (hasLeft = true) })))
    await new Promise((resolve) => setImmediate(resolve))
    expect(hasLeft).toBe(true)
  }
})
