import { journalVersion, LastgoodError, openSession, systemClock, type Clock, type Store } from '@lastgood/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { agentOf, expectEnded, openPlace, openTurn, patient } from '../test/fixture.ts'
import { fleetClient } from './client.ts'
import { keysUnder } from './keys.ts'

const quiet = (agents: Record<string, object>) => ({ agents, paused: false, due: 0, later: 0, started: 0 })
const rest = { waiting: 0, active: 0, paused: false }

describe('a fleet', () => {
  it('P1: runs what is submitted, and leaves nothing of it in queue and due index; every key is accounted for', async () => {
    const { start, store, keys, prefix } = openPlace()
    const fleet = start({ coder: agentOf('coder') })
    const ids = Array.from({ length: 30 }, (_, i) => `s-${i}`)
    await Promise.all(ids.map((id) => fleet.submit(id, 'Go.', { agent: 'coder' })))
    await expectEnded(store, ids)
    await expect.poll(() => fleet.status(), patient).toEqual(quiet({ coder: rest }))
    const ofQueue = ['events', 'id', 'meta', 'stalled-check'].map((name) => `{${prefix}:fleet}:coder:${name}`)
    expect(await keys()).toEqual([`${prefix}:fleet:agents`, `${prefix}:fleet:sweep`, ...ofQueue])
  })

  it('goes on with a session whose own program died outside of it, and not with one that waits for a person', async () => {
    const { start, store } = openPlace()
    await openTurn(store, 'left', 'coder')
    await openTurn(store, 'asks', 'coder', (session) => session.suspend('needs-input', 'a person decides'))
    await openTurn(store, 'stopped', 'coder', (session) => session.suspend('interrupted', 'Ctrl+C'))
    await openTurn(store, 'other', 'somebody-else')
    start({ coder: agentOf('coder') })
    await expectEnded(store, ['left'])
    for (const id of ['asks', 'stopped', 'other'])
      expect(await store.summary(id)).toMatchObject({ head: { lastGoodTurn: 0 } })
  })

  it('finds what was queued when queue and due index are lost', async () => {
    const { start, store, redis, keys, told } = openPlace()
    const paused = start({ coder: agentOf('coder') }, { sweepEveryMs: 200 })
    await paused.pause('coder')
    await paused.submit('s', 'Go.', { agent: 'coder' })
    const all = (await keys()).filter((key) => !key.endsWith('agents'))
    await Promise.all(all.map((key) => redis.del(key)))
    await expectEnded(store, ['s'])
    const ended = { kind: 'ended', sessionId: 's', agent: 'coder', turn: 1 }
    await expect.poll(() => told, patient).toContainEqual(ended)
  })

  it('tells once what many sessions are in trouble with', async () => {
    const { start, store, told } = openPlace()
    let [isAway, looks] = [false, 0]
    const flaky: Store = {
      ...store,
      async summary(id) {
        if (!isAway) return store.summary(id)
        looks += 1
        throw new LastgoodError('store-unavailable', 'the store cannot answer', { hint: 'wait' })
      },
    }
    const fleet = start({ coder: agentOf('coder') }, { store: flaky })
    await fleet.pause('coder')
    const ids = Array.from({ length: 8 }, (_, i) => `s-${i}`)
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'coder' })
    isAway = true
    await fleet.resume('coder')
    await expect.poll(() => looks, patient).toBeGreaterThanOrEqual(ids.length)
    await expect.poll(() => fleet.status(), patient).toMatchObject({ agents: { coder: rest } })
    const troubles = told.flatMap((event) => (event.kind === 'trouble' && event.where === 'session' ? [event] : []))
    expect(troubles).toHaveLength(1)
  })

  it.each(['no list', 'failed', 'completed'])(
    'queues a session anew whose job is in %s, because a part of the queue was deleted',
    async (place) => {
      const { start, store, redis, prefix, index } = openPlace()
      const fleet = start({ coder: agentOf('coder') })
      await fleet.pause('coder')
      await fleet.submit('s', 'Go.', { agent: 'coder' })
      const queue = `{${prefix}:fleet}:coder`
      const [job = ''] = await redis.zrange(`${queue}:prioritized`, '0', '-1')
      await redis.del(`${queue}:prioritized`)
      if (place !== 'no list') await redis.zadd(`${queue}:${place}`, 1, job)
      await fleet.resume('coder')
      await index.put('s', 0)
      await expectEnded(store, ['s'])
    },
  )

  it('takes interactive turns before batches, one at a time where that is said', async () => {
    const { start, store, told } = openPlace()
    const fleet = start({ coder: { agent: agentOf('coder'), concurrency: 1 } })
    await fleet.pause('coder')
    const batch = ['b-1', 'b-2', 'b-3']
    for (const id of batch) await fleet.submit(id, 'Go.', { agent: 'coder' })
    await fleet.submit('now', 'Go.', { agent: 'coder', priority: 'interactive' })
    expect((await fleet.status()).agents).toMatchObject({ coder: { paused: true } })
    await fleet.resume()
    await expectEnded(store, [...batch, 'now'])
    expect(told.find(({ kind }) => kind === 'started')).toMatchObject({ sessionId: 'now' })
  })

  it('goes on with what was begun before it begins more of a batch', async () => {
    const { start, store, told, index } = openPlace()
    const fleet = start({ coder: { agent: agentOf('coder'), concurrency: 1 } })
    await fleet.pause('coder')
    const batch = ['b-1', 'b-2', 'b-3']
    for (const id of batch) await fleet.submit(id, 'Go.', { agent: 'coder' })
    await openTurn(store, 'begun', 'coder')
    await index.put('begun', 0)
    await expect.poll(() => fleet.status(), patient).toMatchObject({ agents: { coder: { waiting: 4 } } })
    await fleet.resume('coder')
    await expectEnded(store, [...batch, 'begun'])
    expect(told.find(({ kind }) => kind === 'started')).toMatchObject({ sessionId: 'begun' })
  })

  it('P1: keeps the row of a turn that is submitted while a worker gives the session back', async () => {
    const { start, store, redis, prefix, told, index } = openPlace()
    const client = fleetClient({ store, connection: redis, prefix })
    onTestFinished(() => client.close())
    let isFirst = true
    const shared: Store = {
      ...store,
      async release(lease) {
        await store.release(lease)
        if (!isFirst) return
        isFirst = false
        await client.pause('coder')
        await client.submit('s', 'More.', { agent: 'coder' })
      },
    }
    start({ coder: agentOf('coder') }, { store: shared })
    await client.submit('s', 'Go.', { agent: 'coder' })
    const ended = { kind: 'ended', sessionId: 's', agent: 'coder', turn: 1 }
    await expect.poll(() => told, patient).toContainEqual(ended)
    expect(await store.summary('s')).toMatchObject({ head: { turn: 2, lastGoodTurn: 1 } })
    expect(await index.counts()).toMatchObject({ due: 0, later: 1 })
  })

  it('keeps the jobs of an agent that no worker knows for one that does', async () => {
    const { start, store } = openPlace()
    const one = start({ coder: agentOf('coder') })
    await one.submit('s', 'Go.', { agent: 'writer' })
    await expect.poll(() => one.status(), patient).toMatchObject({ agents: { writer: { waiting: 1 } } })
    start({ writer: agentOf('writer') })
    await expectEnded(store, ['s'])
  })

  it('has room for agents with any name, and for sessions that are called like keys of the queue', async () => {
    const { start, store } = openPlace()
    const fleet = start({ 'ops: {prod}': agentOf('ops: {prod}') })
    const ids = ['wait', 'delayed', 'a.b-1', '7', 'session-7.3']
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'ops: {prod}' })
    await expectEnded(store, ids)
  })

  it('leaves a session of a newer journal to others, and says so once', async () => {
    const { start, store, redis, prefix, told, index } = openPlace()
    await openTurn(store, 's', 'coder')
    const key = `${prefix}:{s}:session`
    const head = JSON.parse((await redis.hget(key, 'head')) ?? '') as object
    await redis.hset(key, 'head', JSON.stringify({ ...head, v: journalVersion + 1 }))
    await index.put('s', 0)
    const fleet = start({ coder: agentOf('coder') })
    await expect
      .poll(() => told, patient)
      .toContainEqual({ kind: 'unreadable', sessionId: 's', code: 'journal-version' })
    await expect.poll(() => fleet.status(), patient).toMatchObject({ due: 0, later: 1 })
    expect(told.filter(({ kind }) => kind === 'unreadable')).toHaveLength(1)
  })

  it('does nothing with a session that somebody else holds, until he gives it back', async () => {
    const { start, store } = openPlace()
    const session = await openSession('s', { store })
    await session.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
    const fleet = start({ coder: agentOf('coder') })
    await expect.poll(() => fleet.status(), patient).toMatchObject({ due: 0, later: 1 })
    expect(await store.summary('s')).toMatchObject({
      holder: { owner: { id: session.owner.id } },
      head: { lastGoodTurn: 0 },
    })
  })

  it.each([600_000, -600_000])(
    'looks at it again when his lease ends, also by a clock that is %d ms off',
    async (offMs) => {
      const { start, store, redis, prefix, index } = openPlace()
      const session = await openSession('s', { store, leaseMs: 25_000 })
      await session.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
      const { now, sleepUntil } = systemClock
      const clock: Clock = {
        ...systemClock,
        now: () => now() + offMs,
        sleepUntil: (instant, options) => sleepUntil(instant - offMs, options),
      }
      const leaseEndsAt = (await store.summary('s'))?.holder?.expiresAt ?? 0
      await index.put('s', 0)
      start({ coder: agentOf('coder') }, { clock })
      const { rows } = keysUnder(prefix).shardOf('s')
      const score = async () => Number(await redis.zscore(rows, 's'))
      await expect.poll(async () => Math.abs((await score()) - leaseEndsAt), patient).toBeLessThan(1_000)
      await session.close()
    },
  )
})
