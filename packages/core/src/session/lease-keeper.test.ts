import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Clock, systemClock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import { keepLease, lasting, type LeaseKeeper } from './lease-keeper.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Lease, Store } from '../store/store.ts'
import { owner } from '../testing/entries.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const ttlMs = 30_000
const never = () => new Promise<never>(() => {})
const unavailable = new LastgoodError('store-unavailable', 'no connection', { hint: 'try again' })

/** A held session whose renewals are counted, and fail as `refuse` says. `server` is the store's own clock. */
async function held({ clock, server = clock }: { clock: Clock; server?: Clock }) {
  const inner = memoryStore({ clock: server })
  const runs = lasting(clock, ttlMs)
  const lease = (await inner.acquire('s', owner('ann'), ttlMs)) as Lease
  const it = {
    inner,
    lease,
    renewals: 0,
    lost: [] as Error[],
    refuse: (): Error | undefined => undefined,
    isSilent: false,
    other: () => inner.acquire('s', owner('bob'), ttlMs),
    stop: () => {},
    keeper: undefined as LeaseKeeper | undefined,
  }
  const renew: Store['renew'] = async (...args) => {
    it.renewals += 1
    if (it.isSilent) return new Promise(() => {})
    const error = it.refuse()
    if (error) throw error
    return inner.renew(...args)
  }
  const store = { ...inner, renew }
  it.keeper = keepLease({ store, lease, clock, patienceMs: 15_000 }, ttlMs, (reason) => it.lost.push(reason), runs)
  it.stop = it.keeper.stop
  onTestFinished(it.stop)
  return it
}

describe('a lease that is kept', () => {
  test('is renewed every third of its time, and never runs out', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    for (let i = 1; i <= 12; i++) {
      await clock.advance(ttlMs / 3)
      expect(it.renewals).toBe(i)
      expect((await it.other()).kind).toBe('busy')
    }
    expect(it.lost).toEqual([])
  })

  test('is renewed no more once stopped, and nobody is told', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    it.stop()
    await clock.advance(ttlMs * 2)
    expect(it.renewals).toBe(0)
    expect(clock.sleepers).toEqual([])
    expect((await it.other()).kind).toBe('lease')
    expect(it.lost).toEqual([])
  })

  test('is told lost once, when another writer took it over, and is not asked for again (P3)', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    await it.inner.acquire('s', owner('bob'), ttlMs, it.lease.fence)
    await clock.advance(ttlMs * 3)
    expect(it.lost).toMatchObject([{ code: 'lease-lost', details: { sessionId: 's', fence: it.lease.fence } }])
    expect(it.renewals).toBe(1)
  })

  test('is told lost when its session was removed', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    await it.inner.release(it.lease)
    await it.inner.remove('s')
    await clock.advance(ttlMs)
    expect(it.lost).toMatchObject([{ code: 'lease-lost' }])
  })

  test('outlives a store that cannot answer, for however long, if nobody took it', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    it.refuse = () => unavailable
    await clock.advance(ttlMs * 20)
    expect(it.renewals).toBe(60)
    it.refuse = () => undefined
    await clock.advance(ttlMs / 3)
    expect(it.lost).toEqual([])
    expect((await it.other()).kind).toBe('busy')
  })

  test('is renewed again although one renewal never got an answer (P6)', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    it.isSilent = true
    await clock.advance(ttlMs / 3)
    it.isSilent = false
    await clock.advance(ttlMs * 2)
    expect(it.renewals).toBeGreaterThan(4)
    expect((await it.other()).kind).toBe('busy')
    expect(it.lost).toEqual([])
  })

  test('is told lost when the store answers again and another one has it', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    it.refuse = () => unavailable
    await clock.advance(ttlMs * 2)
    expect((await it.other()).kind).toBe('lease')
    it.refuse = () => undefined
    await clock.advance(ttlMs / 3)
    expect(it.lost).toMatchObject([{ code: 'lease-lost' }])
  })

  test('is given up at any other error of the store, which is passed on', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    it.refuse = () => new LastgoodError('journal-corrupt', 'damaged', { hint: 'restore it' })
    await clock.advance(ttlMs * 2)
    expect(it.lost).toMatchObject([{ code: 'journal-corrupt' }])
    expect(it.renewals).toBe(1)
  })

  test('that was stopped while a renewal was under way is not told lost', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    await it.inner.release(it.lease)
    it.refuse = () => {
      it.stop()
      return undefined
    }
    await clock.advance(ttlMs)
    expect(it.renewals).toBe(1)
    expect(it.lost).toEqual([])
  })

  test('that was stopped while a renewal fails is not told lost either', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    it.refuse = () => {
      it.stop()
      return new LastgoodError('journal-corrupt', 'damaged', { hint: 'restore it' })
    }
    await clock.advance(ttlMs)
    expect(it.lost).toEqual([])
  })
})

describe('a process that stood still for longer than its lease', () => {
  test('renews late, and still has the session if nobody took it', async () => {
    // Its own clock comes late by all the time that it did not run; the store's went on.
    const [clock, server] = [new ManualClock(), new ManualClock()]
    const it = await held({ clock, server })
    await server.advance(ttlMs * 4)
    await clock.advance(ttlMs / 3)
    expect(it.lost).toEqual([])
    expect((await it.other()).kind).toBe('busy')
  })

  test('is told at its next renewal that another one took the session (P3)', async () => {
    const [clock, server] = [new ManualClock(), new ManualClock()]
    const it = await held({ clock, server })
    await server.advance(ttlMs * 4)
    expect((await it.other()).kind).toBe('lease')
    await clock.advance(ttlMs / 3)
    expect(it.lost).toMatchObject([{ code: 'lease-lost' }])
  })
})

describe('before an effect', () => {
  test('the store is asked once where opening has outlasted the lease, and not before that (P2)', async () => {
    const server = new ManualClock()
    const clock: Clock = { ...systemClock, now: () => server.now(), elapsed: () => 0, sleepUntil: never }
    const it = await held({ clock, server })
    await it.keeper?.assertHeld()
    expect(it.renewals).toBe(0)
    await server.advance(ttlMs)
    await it.keeper?.assertHeld()
    await it.keeper?.assertHeld()
    expect(it.renewals).toBe(1)
  })

  test('the store is not asked while the lease is renewed in the background, and is once it was not for its whole time', async () => {
    const clock = new ManualClock()
    const it = await held({ clock })
    await clock.advance(ttlMs * 4)
    expect(it.renewals).toBe(12)
    await it.keeper?.assertHeld()
    expect(it.renewals).toBe(12)
    it.refuse = () => unavailable
    await clock.advance(ttlMs)
    it.refuse = () => undefined
    await it.keeper?.assertHeld()
    expect(it.renewals).toBe(12 + 3 + 1)
  })

  test('a process that stood still while its clock was set back asks the store, which another one has taken (P2)', async () => {
    const server = new ManualClock()
    let wallMs = 0
    const clock: Clock = { ...systemClock, now: () => wallMs, elapsed: () => server.elapsed(), sleepUntil: never }
    const it = await held({ clock, server })
    await server.advance(ttlMs * 2)
    wallMs = ttlMs / 2
    expect((await it.other()).kind).toBe('lease')
    await expect(it.keeper?.assertHeld()).rejects.toMatchObject({ code: 'lease-lost' })
    expect(it.lost).toMatchObject([{ code: 'lease-lost' }])
  })

  test('a lease that is found gone after the end is told nobody', async () => {
    const server = new ManualClock()
    const clock: Clock = { ...systemClock, now: () => server.now(), elapsed: () => 0, sleepUntil: never }
    const it = await held({ clock, server })
    await server.advance(ttlMs)
    await it.other()
    it.refuse = () => {
      it.stop()
      return undefined
    }
    await expect(it.keeper?.assertHeld()).rejects.toMatchObject({ code: 'lease-lost' })
    expect(it.lost).toEqual([])
  })

  test('the store is asked where nobody says since when the lease runs', async () => {
    const { inner, lease } = await held({ clock: new ManualClock() })
    await inner.release(lease)
    await inner.acquire('s', owner('bob'), ttlMs)
    const keeper = keepLease({ store: inner, lease, clock: new ManualClock(), patienceMs: 0 }, ttlMs, () => {})
    onTestFinished(() => keeper.stop())
    await expect(keeper.assertHeld()).rejects.toMatchObject({ code: 'lease-lost' })
  })

  test('a lease has run out once its time has passed on either clock', () => {
    const times = { now: 0, elapsed: 0 }
    const runs = lasting({ ...systemClock, now: () => times.now, elapsed: () => times.elapsed }, ttlMs)
    for (const which of ['now', 'elapsed'] as const) {
      times[which] = ttlMs - 1
      expect(runs()).toBe(true)
      times[which] = ttlMs
      expect(runs()).toBe(false)
      times[which] = 0
    }
  })

  test('a clock that was set back says nothing about how long the machine slept', async () => {
    const server = new ManualClock()
    let wallMs = 0
    const clock: Clock = { ...systemClock, now: () => wallMs, elapsed: () => 0, sleepUntil: never }
    const it = await held({ clock, server })
    await server.advance(ttlMs * 2)
    wallMs = -1
    expect((await it.other()).kind).toBe('lease')
    await expect(it.keeper?.assertHeld()).rejects.toMatchObject({ code: 'lease-lost' })
  })
})

describe("a wall clock that is set while a server's clock, on which the lease runs, goes on", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test.each([
    ['back', -3_600_000],
    ['back', -1000],
    ['forward', 3_600_000],
  ])('%s by %i ms does not let it run out', async (_direction, jumpMs) => {
    const it = await held({ clock: systemClock, server: { ...systemClock, now: () => performance.now() } })
    for (let passedMs = 0; passedMs < ttlMs * 3; passedMs += 1000) {
      if (passedMs === 5000) vi.setSystemTime(systemClock.now() + jumpMs)
      await vi.advanceTimersByTimeAsync(1000)
      expect((await it.other()).kind, `after ${passedMs} ms`).toBe('busy')
    }
    expect(it.lost).toEqual([])
  })
})
