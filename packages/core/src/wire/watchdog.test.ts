import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { defaultLimits, limitsUnder, Watchdog, type Limits } from './watchdog.ts'

const limits: Limits = { ...defaultLimits, firstEventMs: 100, betweenEventsMs: 10 }

function watching() {
  const clock = new ManualClock({ startAt: 0 })
  const armed = vi.spyOn(clock, 'after')
  const exchange = new AbortController()
  return { clock, armed, exchange, watchdog: new Watchdog(clock, limits, exchange.signal) }
}

test('an answer that does not begin in time is ended, and which wait it was is told', async () => {
  const { clock, watchdog } = watching()
  await clock.advance(99)
  expect([watchdog.signal.aborted, watchdog.silence]).toEqual([false, undefined])
  await clock.advance(1)
  expect([watchdog.signal.aborted, watchdog.silence]).toEqual([true, 'first-event'])
})

test('each event starts the time anew', async () => {
  const { clock, watchdog } = watching()
  for (let i = 0; i < 5; i += 1) {
    watchdog.progress()
    await clock.advance(9)
  }
  expect(watchdog.signal.aborted).toBe(false)
  await clock.advance(1)
  expect([watchdog.signal.aborted, watchdog.silence]).toEqual([true, 'between-events'])
})

test('a pause of the reader counts for nothing, before the first event too, however often it is told', async () => {
  const { clock, watchdog } = watching()
  await clock.advance(60)
  watchdog.hold()
  await clock.advance(30)
  watchdog.hold()
  await clock.advance(1_000)
  watchdog.resume()
  watchdog.resume()
  await clock.advance(39)
  expect(watchdog.silence).toBeUndefined()
  await clock.advance(1)
  expect(watchdog.silence).toBe('first-event')
})

test('an exchange that is over already ends the attempt at once', () => {
  const watchdog = new Watchdog(new ManualClock(), limits, AbortSignal.abort('over'))
  expect([watchdog.signal.reason, watchdog.silence]).toEqual(['over', undefined])
})

test('thousands of events arm one timer', async () => {
  const { clock, armed, watchdog } = watching()
  for (let i = 0; i < 5_000; i += 1) watchdog.progress()
  await clock.advance(1)
  expect(armed).toHaveBeenCalledTimes(2) // for the first event, and between events
  expect(clock.sleepers).toHaveLength(1)
})

describe('a wall clock that jumps', () => {
  const hour = 3_600_000
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test.each([
    ['forward, as when a machine wakes', hour],
    ['back', -hour],
  ])('%s, is no silence and hides none', async (_, jump) => {
    const watchdog = new Watchdog(systemClock, defaultLimits, new AbortController().signal)
    watchdog.progress()
    await vi.advanceTimersByTimeAsync(15_000)
    vi.setSystemTime(Date.now() + jump)
    await vi.advanceTimersByTimeAsync(defaultLimits.betweenEventsMs - 15_001)
    expect(watchdog.silence).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(watchdog.silence).toBe('between-events')
  })

  test('while nobody asks for more counts for nothing', async () => {
    const watchdog = new Watchdog(systemClock, defaultLimits, new AbortController().signal)
    watchdog.progress()
    watchdog.hold()
    await vi.advanceTimersByTimeAsync(hour)
    vi.setSystemTime(Date.now() - 2 * hour)
    watchdog.resume()
    await vi.advanceTimersByTimeAsync(defaultLimits.betweenEventsMs - 1)
    expect(watchdog.silence).toBeUndefined()
    await vi.advanceTimersByTimeAsync(defaultLimits.betweenEventsMs)
    expect(watchdog.silence).toBe('between-events')
  })
})

describe('a machine that slept', () => {
  const hour = 3_600_000
  const { firstEventMs, betweenEventsMs } = defaultLimits
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('is told by the wait that took longer than its limit allows, the longest so far, and not by a pause', () => {
    const watchdog = new Watchdog(systemClock, defaultLimits, new AbortController().signal)
    const sleep = (ms: number) => vi.setSystemTime(Date.now() + ms)
    expect(watchdog.sleptMs).toBe(0)
    sleep(hour)
    expect(watchdog.sleptMs).toBe(hour - firstEventMs)
    watchdog.progress()
    expect(watchdog.sleptMs).toBe(hour - firstEventMs)
    watchdog.hold()
    sleep(9 * hour)
    expect(watchdog.sleptMs).toBe(hour - firstEventMs)
    watchdog.resume()
    expect(watchdog.sleptMs).toBe(hour - firstEventMs)
    sleep(2 * hour)
    expect(watchdog.sleptMs).toBe(2 * hour - betweenEventsMs)
    watchdog.progress()
    sleep(hour)
    expect(watchdog.sleptMs).toBe(2 * hour - betweenEventsMs)
    watchdog.stop()
  })
})

test.each([
  [600_000, {}, [120_000, 180_000, 590_000]],
  [50_000, {}, [45_000, 180_000, 45_000]],
  [600_000, { firstEventMs: 5, betweenEventsMs: 7, wholeAnswerMs: 9 }, [5, 7, 9]],
  [200_000, { firstEventMs: 300_000, betweenEventsMs: 300_000, wholeAnswerMs: 300_000 }, [190_000, 300_000, 190_000]],
])('a mount that ends its attempts after %i ms, set to %j, waits less than that', (timeoutMs, set, waits) => {
  const { firstEventMs, betweenEventsMs, wholeAnswerMs } = limitsUnder(timeoutMs, set)
  expect([firstEventMs, betweenEventsMs, wholeAnswerMs]).toEqual(waits)
})

test('the end of the exchange ends the attempt, with its reason', () => {
  const { exchange, watchdog } = watching()
  exchange.abort(new Error('enough'))
  expect(watchdog.signal.reason).toEqual(new Error('enough'))
  expect(watchdog.silence).toBeUndefined()
})

test('stopped, it leaves no timer and no listener, and ends nothing any more', async () => {
  const { clock, exchange, watchdog } = watching()
  watchdog.stop()
  await clock.advance(1_000)
  expect(watchdog.signal.aborted).toBe(false)
  expect(clock.sleepers).toEqual([])
  expect(getEventListeners(exchange.signal, 'abort')).toEqual([])
})
