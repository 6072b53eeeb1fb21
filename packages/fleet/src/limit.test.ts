import { seededRandom } from '@lastgood/core/testing'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bucket, take } from './limit.ts'

const second = 1000
const none = { at: 0, usual: 0 }
const startAt = 1_700_000_000_000

interface Crowd {
  /** Sessions that ask all the time, each again `thinkMs` after it was let go. */
  sessions: number
  thinkMs: number
  limit: number
  recovery: { at: number; usual: number }
  /** Whether a request that goes at `now` is refused. */
  refuses: (now: number) => boolean
  forMs: number
  random: () => number
}

/** Everybody asks when told to. A refusal is known 500 ms later. */
function play({ sessions, thinkMs, limit, recovery, refuses, forMs, random }: Crowd) {
  let bucket: Bucket | undefined
  const gone: { at: number; session: number; asksBefore: number; firstAskedAt: number }[] = []
  const refusedAt: number[] = []
  const all = Array.from({ length: sessions }, (_, session) => ({
    session,
    at: startAt + random() * second,
    ticket: undefined as number | undefined,
    asks: 0,
    firstAskedAt: 0,
  }))
  for (;;) {
    const next = all.reduce((a, b) => (b.at < a.at ? b : a))
    const now = next.at
    if (now >= startAt + forMs) return { gone, bucket }
    if (next.asks === 0) next.firstAskedAt = now
    const known = refusedAt.filter((at) => at + 500 <= now)
    refusedAt.splice(0, known.length)
    const result = take(bucket, { now, ticket: next.ticket, limit, recovery, refused: known.length })
    bucket = result.bucket
    if (result.taken.kind === 'wait') {
      Object.assign(next, { at: now + result.taken.ms, ticket: result.taken.ticket, asks: next.asks + 1 })
    } else {
      gone.push({ at: now, session: next.session, asksBefore: next.asks, firstAskedAt: next.firstAskedAt })
      if (refuses(now)) refusedAt.push(now)
      Object.assign(next, { at: now + thinkMs * (0.5 + random()), ticket: undefined, asks: 0 })
    }
  }
}

const peakOf = (gone: readonly { at: number }[], ms: number) =>
  gone.reduce((most, { at }) => Math.max(most, gone.filter((one) => one.at >= at && one.at < at + ms).length), 0)

test('over any time no more than the configured rate goes, and five seconds of it that were saved', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }), fc.nat(), (limit, sessions, seed) => {
      const random = seededRandom(seed)
      const { gone } = play({
        sessions,
        thinkMs: 100,
        limit,
        recovery: none,
        refuses: () => false,
        forMs: 20 * second,
        random,
      })
      for (const ms of [second, 10 * second]) {
        expect(peakOf(gone, ms)).toBeLessThanOrEqual((limit * ms) / second + Math.max(1, 5 * limit) + 1)
      }
    }),
    { numRuns: 30 },
  )
})

test('of a crowd that comes back late together no more goes at once than the five seconds that may be saved', () => {
  const limit = 10
  const tickets = new Map<number, number>()
  const ask = (bucket: Bucket | undefined, session: number, now: number) =>
    take(bucket, { now, ticket: tickets.get(session), limit, recovery: none, refused: 0 })
  let before: Bucket | undefined
  for (let session = 0; session < 200; session++) {
    const { bucket, taken } = ask(before, session, startAt)
    before = bucket
    if (taken.kind === 'wait') tickets.set(session, taken.ticket)
  }
  expect(tickets.size).toBe(150)
  // For so long all workers were stopped.
  for (const lateMs of [5 * second, 10 * second, 600 * second]) {
    let [after, gone] = [before, 0]
    for (const session of tickets.keys()) {
      const { bucket, taken } = ask(after, session, startAt + lateMs)
      after = bucket
      if (taken.kind === 'go') gone += 1
    }
    expect(gone).toBeGreaterThanOrEqual(5 * limit)
    expect(gone).toBeLessThanOrEqual(5 * limit + 1)
  }
})

test('first come, first served: who asks later does not go much earlier, and who is told an instant seldom asks twice', () => {
  const random = seededRandom(4)
  const crowd = { sessions: 200, thinkMs: 50, limit: 20, recovery: none, refuses: () => false, random }
  const { gone } = play({ ...crowd, forMs: 60 * second })
  const full = gone.filter(({ at }) => at > startAt + 10 * second)
  const waits = full.map(({ at, firstAskedAt }) => at - firstAskedAt)
  // 200 sessions at 20 a second: each has its turn every ten seconds.
  expect(Math.max(...waits)).toBeLessThan(11 * second)
  expect(Math.min(...waits)).toBeGreaterThan(8 * second)
  expect(Math.max(...full.map(({ asksBefore }) => asksBefore))).toBeLessThanOrEqual(2)
  const turns = Array.from({ length: 200 }, (_, one) => full.filter(({ session }) => session === one).length)
  expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1)
})

test('after an outage the rate begins at a hundredth and doubles every two seconds, up to what is usual', () => {
  const recovery = { at: startAt, usual: 400 }
  const random = seededRandom(1)
  const { gone } = play({
    sessions: 4000,
    thinkMs: 10 * second,
    limit: 0,
    recovery,
    refuses: () => false,
    forMs: 16 * second,
    random,
  })
  const inStep = (step: number) => gone.filter(({ at }) => Math.floor((at - startAt) / 2000) === step).length
  expect(inStep(0)).toBeLessThanOrEqual(10)
  for (const step of [2, 3, 4, 5]) {
    expect(inStep(step) / inStep(step - 1)).toBeGreaterThan(1.6)
    expect(inStep(step) / inStep(step - 1)).toBeLessThan(2.4)
  }
  expect(peakOf(gone, second)).toBeLessThanOrEqual(600)
})

test('where more than a tenth is refused the rate goes down to about what is taken', () => {
  let [slack, at] = [0, startAt]
  // A provider that takes 50 a second.
  const refuses = (now: number) => {
    slack = Math.min(25, slack + ((now - at) * 50) / 1000)
    at = now
    if (slack < 1) return true
    slack -= 1
    return false
  }
  let refused = 0
  const random = seededRandom(7)
  const { gone, bucket } = play({
    sessions: 1000,
    thinkMs: 3 * second,
    limit: 0,
    recovery: { at: startAt, usual: 300 },
    refuses: (now) => {
      const is = refuses(now)
      if (is && now > startAt + 30 * second) refused += 1
      return is
    },
    forMs: 90 * second,
    random,
  })
  expect(bucket?.ramp?.rate).toBeLessThan(100)
  expect(refused / gone.filter((one) => one.at > startAt + 30 * second).length).toBeLessThan(1 / 3)
})

test('refusals that do not come of the load hold nobody: the rate goes on to what is usual', () => {
  const random = seededRandom(9)
  const crowd = { sessions: 1000, thinkMs: 3 * second, limit: 0, recovery: { at: startAt, usual: 300 } }
  const { gone } = play({ ...crowd, refuses: () => random() < 0.3, forMs: 60 * second, random })
  expect(gone.filter(({ at }) => at > startAt + 50 * second).length).toBeGreaterThan(250 * 10)
})

test('the ramp ends when nobody has to wait any more; of few sessions nobody ever waits', () => {
  const random = seededRandom(2)
  const crowd = { thinkMs: 10 * second, limit: 0, refuses: () => false, random }
  const many = play({ ...crowd, sessions: 1000, recovery: { at: startAt, usual: 100 }, forMs: 90 * second })
  expect(many.bucket?.ramp?.isOver).toBe(true)
  const few = play({ ...crowd, sessions: 3, recovery: { at: startAt, usual: 0.3 }, forMs: 30 * second })
  expect(few.bucket?.ramp?.isOver).toBe(true)
  expect(few.gone.every(({ asksBefore }) => asksBefore === 0)).toBe(true)
})

test('an outage that comes back before the ramp is over begins a ramp that doubles to half of what the last one reached', () => {
  const ask = (bucket: Bucket | undefined, now: number, at: number) =>
    take(bucket, { now, ticket: undefined, limit: 0, recovery: { at, usual: 1000 }, refused: 0 }).bucket
  let bucket: Bucket | undefined
  for (let now = startAt; now < startAt + 9 * second; now += 10) bucket = ask(bucket, now, startAt)
  expect(bucket?.ramp).toMatchObject({ rate: 160, doublesTo: 1000 })
  const again = startAt + 10 * second
  expect(ask(bucket, again, again).ramp).toMatchObject({ rate: 10, doublesTo: 80 })
  // News of the outage before changes nothing.
  expect(ask(ask(bucket, again, again), again + 1, startAt).ramp?.id).toBe(again)
})

test('in a ramp a tenth of a second may be saved, not more: who was silent for a while is no burst', () => {
  const ask = (bucket: Bucket | undefined, now: number) =>
    take(bucket, { now, ticket: undefined, limit: 0, recovery: { at: startAt, usual: 1000 }, refused: 0 })
  let bucket: Bucket | undefined
  for (let now = startAt; now < startAt + 9 * second; now += 10) ({ bucket } = ask(bucket, now))
  for (const silentMs of [20 * second, 60 * second]) {
    let [after, gone] = [bucket, 0]
    for (let session = 0; session < 200; session++) {
      const result = ask(after, startAt + 9 * second + silentMs)
      after = result.bucket
      if (result.taken.kind === 'go') gone += 1
    }
    expect(gone).toBe(16)
  }
})

test('after a fail-over to a server whose clock is behind, time goes on from there', () => {
  const recovery = { at: startAt, usual: 100 }
  const ask = (bucket: Bucket | undefined, now: number, ticket?: number) =>
    take(bucket, { now, ticket, limit: 1, recovery, refused: 0 })
  let { bucket, taken } = ask(undefined, startAt)
  for (let asked = 0; taken.kind === 'go' && asked < 20; asked++) ({ bucket, taken } = ask(bucket, startAt))
  const [ticket, behind] = [taken.kind === 'wait' ? taken.ticket : 0, startAt - 3_600_000]
  const first = ask(bucket, behind, ticket)
  expect(first.taken).toMatchObject({ kind: 'wait', ticket })
  const ms = first.taken.kind === 'wait' ? first.taken.ms : 0
  expect(ms).toBeLessThanOrEqual(2_000)
  expect(ask(first.bucket, behind + ms, ticket).taken).toMatchObject({ kind: 'go' })
})
