import { describe, expect, test } from 'vitest'
import { LastgoodError } from '../errors.ts'
import { entriesAfter, head, owner } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryStore } from './memory-store.ts'
import { appendPatiently } from './patient-append.ts'
import type { Store } from './store.ts'

/** A wall clock that somebody may set. */
class SetClock extends ManualClock {
  ahead = 0
  override now(): number {
    return super.now() + this.ahead
  }
  override sleepUntil(instant: number, options = {}): Promise<void> {
    return super.sleepUntil(instant - this.ahead, options)
  }
}

const patienceMs = 15_000
const day = 86_400_000

const refused = () => new LastgoodError('store-unavailable', 'its memory is full', { hint: 'free memory' })

/** How an append ends that `answer` answers in place of the store, and after how long. */
async function appended(answer: (attempt: number, clock: SetClock, store: Store) => Promise<unknown>) {
  const clock = new SetClock({ autoAdvance: true })
  const real = memoryStore({ clock })
  const lease = await real.acquire('s', owner('a'), 60_000)
  if (lease.kind !== 'lease') throw new Error('it is free')
  let attempts = 0
  const append = async (...args: Parameters<Store['append']>) => {
    attempts += 1
    await answer(attempts, clock, real)
    return real.append(...args)
  }
  const before = clock.elapsed()
  const entries = entriesAfter(0, 1, lease.fence)
  const asking = { store: { ...real, append }, lease, clock, patienceMs, signal: new AbortController().signal }
  const end = await appendPatiently(asking, { afterSeq: 0, entries, head: head('s', 1) }).then(
    () => 'appended',
    (error: unknown) => error,
  )
  return { end, attempts, tookMs: clock.elapsed() - before }
}

describe('an append to a store that refuses', () => {
  test.each([-day, day])(
    'is tried for as long as it should, also when the clock is set by %i ms meanwhile',
    async (by) => {
      const { end, attempts, tookMs } = await appended(async (attempt, clock) => {
        if (attempt === 3) clock.ahead = by
        throw refused()
      })
      expect(end).toMatchObject({ code: 'store-unavailable', message: 'its memory is full' })
      expect(tookMs).toBeLessThanOrEqual(patienceMs)
      expect(tookMs).toBeGreaterThan(patienceMs - 2_000)
      expect(attempts).toBeGreaterThan(5)
    },
  )
})

describe('an append to a store that hangs', () => {
  const hangs = (clock: ManualClock) => {
    void clock.advance(patienceMs)
    return new Promise<never>(() => {})
  }

  test('is given up after the same time, and the error says what hangs', async () => {
    const { end, attempts, tookMs } = await appended((_, clock) => hangs(clock))
    expect(end).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('did not answer in time'),
      hint: expect.stringContaining('safe'),
    })
    expect([attempts, tookMs]).toEqual([1, patienceMs])
  })

  test('says what the store said before that', async () => {
    const { end } = await appended((attempt, clock) => (attempt < 3 ? Promise.reject(refused()) : hangs(clock)))
    expect(end).toMatchObject({ message: 'its memory is full' })
  })
})
