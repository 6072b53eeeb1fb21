import { LastgoodError, memoryStore, providerHealth, type Session, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, it } from 'vitest'
import { backOff, key, openPlace, openTurn } from '../test/fixture.ts'
import { comesBackAt } from './comeback.ts'
import { keysUnder } from './keys.ts'
import { Recoveries } from './recoveries.ts'
import { RecoveryWatch } from './recovery-watch.ts'

it('pulls each session forward to its own place on the ramp, which begins when the model answers again', async () => {
  const { index, redis, prefix } = openPlace()
  const keys = keysUnder(prefix)
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const health = providerHealth(store.shared, clock)
  const ids = ['a', 'b', 'c', 'd', 'e']
  for (const id of ids) {
    await openTurn(store, id, 'coder', (session) => backOff(session, clock.now() + 3_600_000), clock)
    await index.put(id, 3_600_000)
    await health.report(key, id, { kind: 'fault', fault: 'overloaded' })
  }
  await clock.advance(60_000)
  await health.report(key, 'a', { kind: 'ok' })
  const nowAtRedis = async () => {
    const [seconds = 0, micros = 0] = await redis.time()
    return seconds * 1000 + micros / 1000
  }
  const before = await nowAtRedis()
  await new RecoveryWatch({ store, clock, index, keys, recoveries: new Recoveries(store, clock) }).look()
  const after = await nowAtRedis()
  for (const id of ids) {
    const inMs = comesBackAt({ since: clock.now() - 60_000, at: clock.now() }, id) - clock.now()
    const score = Number(await redis.zscore(keys.shardOf(id).rows, id))
    expect(score).toBeGreaterThanOrEqual(Math.floor(before + inMs))
    expect(score).toBeLessThanOrEqual(Math.ceil(after + inMs) + 1)
  }
})

it('one for which the store cannot answer keeps those of no model waiting, and is pulled forward when it can', async () => {
  const { index, redis, prefix } = openPlace()
  const keys = keysUnder(prefix)
  const clock = new ManualClock()
  const memory = memoryStore({ clock })
  let isAway = true
  const store: Store = {
    ...memory,
    async summary(id) {
      if (id !== 'away' || !isAway) return memory.summary(id)
      throw new LastgoodError('store-unavailable', 'the store cannot answer', { hint: 'wait' })
    },
  }
  const health = providerHealth(store.shared, clock)
  const models = ['opus', 'sonnet']
  for (const model of models) {
    const envelope = { body: { model }, betas: [] }
    const wait = async (session: Session) => {
      await session.record([{ type: 'envelope-changed', envelope }])
      await backOff(session, clock.now() + 3_600_000)
    }
    await openTurn(memory, model, 'coder', wait, clock)
    if (model === 'opus') await openTurn(memory, 'away', 'coder', wait, clock)
    for (const id of ['v', 'w', 'x', 'y', 'z'])
      await health.report({ ...key, model }, id, { kind: 'fault', fault: 'overloaded' })
  }
  for (const id of ['away', ...models]) await index.put(id, 3_600_000)
  await clock.advance(60_000)
  for (const model of models) await health.report({ ...key, model }, 'z', { kind: 'ok' })
  const watch = new RecoveryWatch({ store, clock, index, keys, recoveries: new Recoveries(store, clock) })
  await expect(watch.look()).rejects.toMatchObject({ code: 'store-unavailable' })
  const later = async (id: string) => Number(await redis.zscore(keys.shardOf(id).rows, id)) > Date.now() + 1_800_000
  expect(await Promise.all(['away', ...models].map(later))).toEqual([true, false, false])
  isAway = false
  await watch.look()
  expect(await later('away')).toBe(false)
})
