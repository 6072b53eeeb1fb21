import {
  LastgoodError,
  openSession,
  providerHealth,
  systemClock,
  type Clock,
  type Session,
  type Store,
} from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { agentOf, backOff, expectEnded, key, openPlace, openTurn, patient, untilAborted } from '../test/fixture.ts'
import { comesBackAt } from './comeback.ts'

/** An agent that waits as long as the session owes it. */
const patientAgent = (first: (session: Session) => Promise<void>) =>
  agentOf('coder', async (session, signal) => {
    if (session.context.attempt === 0 && session.seq < 4) await first(session)
    if (session.owed.kind === 'wait') await session.clock.sleepUntil(session.owed.until, { signal })
    if (session.owed.kind === 'wait') await session.record([{ type: 'request-sent', model: key.model, attempt: 2 }])
  })

describe('a session that waits', () => {
  it('P6: is closed until its instant, and then a worker goes on with it', async () => {
    const { start, store, told, index } = openPlace()
    let until = NaN
    const agent = patientAgent((session) => backOff(session, (until = Date.now() + 1_500)))
    const fleet = start({ coder: agent }, { parkAboveMs: 300 })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expect.poll(() => told, patient).toContainEqual(expect.objectContaining({ kind: 'waiting' }))
    expect(told).toContainEqual(expect.objectContaining({ kind: 'waiting', until }))
    expect(await store.summary('s')).toMatchObject({ head: { status: 'waiting', dueAt: until, turn: 1 }, holder: null })
    expect(await fleet.status()).toMatchObject({ agents: { coder: { waiting: 0, active: 0 } } })
    expect(await index.counts()).toMatchObject({ later: 1, started: 0 })
    await expectEnded(store, ['s'])
    expect(Date.now()).toBeGreaterThanOrEqual(until)
    for await (const { type } of store.read('s')) expect(type).not.toBe('session-suspended')
  })

  it('for a moment keeps its worker', async () => {
    const { start, store, told } = openPlace()
    const agent = patientAgent((session) => backOff(session, Date.now() + 200))
    const fleet = start({ coder: agent })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['s'])
    expect(told.filter(({ kind }) => kind === 'waiting' || kind === 'started')).toHaveLength(1)
  })

  it('for a next try after it was suspended is gone on with then', async () => {
    const { start, store } = openPlace()
    await openTurn(store, 's', 'coder', async (session) => {
      const retryAt = Date.now() + 700
      await session.record([
        { type: 'request-sent', model: key.model, attempt: 1 },
        { type: 'session-suspended', reason: 'exhausted', detail: 'waited long enough', retryAt },
      ])
    })
    start({ coder: agentOf('coder') })
    await expectEnded(store, ['s'])
  })

  it('comes back at its place on the ramp when its model answers again, long before its own instant, whatever else waits', async () => {
    const { start, store, told, redis, prefix, index } = openPlace()
    const ids = ['a', 'b', 'c', 'd']
    // In every shard one that nobody can read, and one for which the store cannot answer.
    for (let n = 0; n < 100; n++) {
      await redis.hset(`${prefix}:{bad-${n}}:session`, 'head', 'no head', 'fence', '1', 'seq', '1')
      await redis.set(`${prefix}:{away-${n}}:session`, 'of another application')
      await index.put(`bad-${n}`, 3_600_000)
      await index.put(`away-${n}`, 3_600_000)
    }
    const fleet = start({ coder: patientAgent((session) => backOff(session, Date.now() + 3_600_000)) })
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'coder' })
    await expect.poll(() => told.filter(({ kind }) => kind === 'waiting').length, patient).toBe(ids.length)
    const health = providerHealth(store.shared, systemClock)
    for (const id of ['v', 'w', 'x', 'y', 'z']) await health.report(key, id, { kind: 'fault', fault: 'overloaded' })
    expect((await health.records())[0]).toMatchObject({ breaker: { state: 'open' } })
    await health.report(key, 'z', { kind: 'ok' })
    await expectEnded(store, ids)
    const resumed = told.filter(({ kind }) => kind === 'started')
    expect(resumed).toHaveLength(2 * ids.length)
  })

  it('comes back when its model answers again, and is counted as later until then, also by a clock that is ahead', async () => {
    const { start, store, index } = openPlace()
    const aheadMs = 300_000
    const { now, sleepUntil } = systemClock
    const clock: Clock = {
      ...systemClock,
      now: () => now() + aheadMs,
      sleepUntil: (instant, options) => sleepUntil(instant - aheadMs, options),
    }
    await openTurn(store, 's', 'coder', (session) => backOff(session, Date.now() + 120_000))
    await index.put('s', 120_000)
    const fleet = start({ coder: patientAgent(async () => {}) }, { clock })
    expect(await fleet.status()).toMatchObject({ due: 0, later: 1 })
    const health = providerHealth(store.shared, systemClock)
    for (const id of ['v', 'w', 'x', 'y', 'z']) await health.report(key, id, { kind: 'fault', fault: 'overloaded' })
    await health.report(key, 'z', { kind: 'ok' })
    await expectEnded(store, ['s'])
  })

  it('P6: and comes back when the store takes no entry has a start that does not count', async () => {
    const { start, store, told, index } = openPlace()
    await openTurn(store, 's', 'coder', (session) => backOff(session, Date.now() + 3_600_000))
    await index.put('s', 3_600_000)
    const away: Store = {
      ...store,
      async append(lease, afterSeq, entries, head) {
        if (entries[0]?.type !== 'session-suspended') return store.append(lease, afterSeq, entries, head)
        throw new LastgoodError('store-unavailable', 'the store cannot answer', { hint: 'wait' })
      },
    }
    start({ coder: agentOf('coder') }, { store: away, storePatienceMs: 1 })
    const health = providerHealth(store.shared, systemClock)
    for (const id of ['v', 'w', 'x', 'y', 'z']) await health.report(key, id, { kind: 'fault', fault: 'overloaded' })
    await health.report(key, 'z', { kind: 'ok' })
    await expect
      .poll(() => told, patient)
      .toContainEqual(expect.objectContaining({ kind: 'trouble', where: 'session' }))
    expect(await index.counts()).toMatchObject({ started: 0 })
  })

  it('is not pulled forward for another model, nor by an answer from before its fault', async () => {
    const { start, store } = openPlace()
    const health = providerHealth(store.shared, systemClock)
    for (const model of ['other', key.model]) {
      for (const id of ['v', 'w', 'x', 'y', 'z'])
        await health.report({ ...key, model }, id, { kind: 'fault', fault: 'overloaded' })
    }
    await health.report(key, 'z', { kind: 'ok' })
    await openTurn(store, 's', 'coder', (session) => backOff(session, Date.now() + 3_600_000))
    await health.report({ ...key, model: 'other' }, 'z', { kind: 'ok' })
    const fleet = start({ coder: agentOf('coder') })
    await expect.poll(() => fleet.status(), patient).toMatchObject({ due: 0, later: 1 })
    expect(await store.summary('s')).toMatchObject({ head: { status: 'waiting' }, holder: null })
  })
})

describe('the ramp', () => {
  it('is as long as the outage was, at most half a minute, and each session has one place on it', () => {
    const places = (openMs: number) =>
      Array.from({ length: 500 }, (_, i) => comesBackAt({ since: 1e12 - openMs, at: 1e12 }, `s-${i}`) - 1e12)
    for (const [openMs, longest] of [
      [10_000, 10_000],
      [3_600_000, 30_000],
    ] as const) {
      const all = places(openMs)
      expect(Math.min(...all)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...all)).toBeLessThan(longest)
      expect(Math.max(...all)).toBeGreaterThan(longest * 0.95)
      expect(all.filter((place) => place < longest / 2).length).toBeGreaterThan(200)
      expect(places(openMs)).toEqual(all)
    }
  })
})

it('a session that nobody can write any more here is left to its new writer', async () => {
  const { start, store, told } = openPlace()
  let begun = () => {}
  const isRunning = new Promise<void>((resolve) => (begun = resolve))
  const agent = agentOf('coder', async (session, signal) => {
    begun()
    await untilAborted(AbortSignal.any([signal, session.signal]))
  })
  const fleet = start({ coder: agent }, { leaseMs: 600 })
  await fleet.submit('s', 'Go.', { agent: 'coder' })
  await isRunning
  const taken = await openSession('s', { store, takeover: true })
  await expect.poll(() => told, patient).toContainEqual({ kind: 'lost', sessionId: 's', agent: 'coder' })
  expect(await store.summary('s')).toMatchObject({ holder: { owner: { id: taken.owner.id } } })
  await taken.close()
})
