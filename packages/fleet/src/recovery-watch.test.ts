import { memoryStore, providerHealth } from '@lastgood/core'
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
