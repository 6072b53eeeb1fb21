import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'

const start = Date.UTC(2026, 0, 1)
const hour = 3_600_000

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A sleep of `ms`, and whether it has ended. */
function asleep(ms: number): { ended: boolean } {
  const sleep = { ended: false }
  void systemClock.sleepUntil(systemClock.now() + ms).then(() => (sleep.ended = true))
  return sleep
}

test.each([1, 10_000, 2 * hour + 1])('a sleep of %i ms ends at its instant and not before', async (ms) => {
  const sleep = asleep(ms)
  await vi.advanceTimersByTimeAsync(ms - 1)
  expect(sleep.ended).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(sleep.ended).toBe(true)
})

test('a clock that is set back by an hour does not lengthen a sleep', async () => {
  const sleep = asleep(25_000)
  await vi.advanceTimersByTimeAsync(12_000)
  vi.setSystemTime(systemClock.now() - hour)
  await vi.advanceTimersByTimeAsync(12_999)
  expect(sleep.ended).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(sleep.ended).toBe(true)
})

test('a clock that is set back again and again does not lengthen a sleep either', async () => {
  const sleep = asleep(10_000)
  for (let i = 0; i < 10; i++) {
    await vi.advanceTimersByTimeAsync(1000)
    vi.setSystemTime(systemClock.now() - 700)
  }
  expect(sleep.ended).toBe(true)
})

test('a clock that is set forward, or a machine that slept, ends a long wait within seconds', async () => {
  const sleep = asleep(6 * hour)
  await vi.advanceTimersByTimeAsync(15_000)
  vi.setSystemTime(systemClock.now() + 6 * hour)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sleep.ended).toBe(true)
})

test('a sleep whose signal aborts rejects with its reason, before, during and at its end', async () => {
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(systemClock.sleepUntil(start + 1000, { signal: gone })).rejects.toThrow('gone')
  await expect(systemClock.sleepUntil(start, { signal: gone })).rejects.toThrow('gone')
  const controller = new AbortController()
  const slept = systemClock.sleepUntil(start + 1000, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(slept).rejects.toThrow('enough')
  expect(vi.getTimerCount()).toBe(0)
})

test('after calls back once, not when it was called off, and not at once where the time is longer than a timer takes', async () => {
  const called: string[] = []
  systemClock.after(10, () => called.push('one'))
  systemClock.after(10, () => called.push('never'))()
  systemClock.after(2 ** 40, () => called.push('far'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(called).toEqual(['one'])
})

test('after a process has stood still past it, after leaves a second to read what came meanwhile, and can be called off', async () => {
  let stoodMs = 0
  const running = performance.now.bind(performance)
  const now = vi.spyOn(performance, 'now').mockImplementation(() => running() + stoodMs)
  const called: string[] = []
  systemClock.after(10, () => called.push('unread'))
  const read = systemClock.after(10, () => called.push('read'))
  stoodMs = 600_000
  await vi.advanceTimersByTimeAsync(500)
  read()
  expect(called).toEqual([])
  await vi.advanceTimersByTimeAsync(510)
  expect(called).toEqual(['unread'])
  expect(vi.getTimerCount()).toBe(0)
  now.mockRestore()
})
