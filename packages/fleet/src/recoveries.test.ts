import { memoryStore, providerHealth } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, it, vi } from 'vitest'
import { backOff, key, openTurn } from '../test/fixture.ts'
import { Recoveries } from './recoveries.ts'

const api = { endpoint: 'https://api.example.com', model: 'm' }
const proxy = { endpoint: 'https://proxy.example.com', model: 'm' }
const sessions = ['v', 'w', 'x', 'y', 'z']

/** Both endpoints are down; one of them answers again after `ms`. */
async function recoveredAfter(ms: number, prober?: string) {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const health = providerHealth(store.shared, clock)
  for (const key of [api, proxy]) {
    for (const id of sessions) await health.report(key, id, { kind: 'fault', fault: 'overloaded' })
  }
  await clock.advance(ms)
  if (prober) expect(await health.admit(proxy, prober, { waited: false, random: 0 })).toMatchObject({ kind: 'probe' })
  await health.report(api, 'z', { kind: 'ok' })
  const recoveries = new Recoveries(store, clock)
  await recoveries.refresh(0)
  return recoveries.all.get('m')
}

it('a model that is down at another endpoint does not answer again', async () => {
  expect(await recoveredAfter(60_000)).toBeUndefined()
})

it('the breaker of an endpoint that nobody uses any more keeps nobody from coming back', async () => {
  expect(await recoveredAfter(900_000)).toMatchObject({ at: expect.any(Number) })
})

it('one that is probed just now is used', async () => {
  expect(await recoveredAfter(900_000, 'p')).toBeUndefined()
})

it('a session is told to wait by fresh records only, read at most once a second', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const health = providerHealth(store.shared, clock)
  for (const id of sessions) await health.report(key, id, { kind: 'fault', fault: 'overloaded' })
  await openTurn(store, 's', 'coder', (session) => backOff(session, clock.now() + 3_600_000), clock)
  const recoveries = new Recoveries(store, clock)
  const assessed = async () => recoveries.assessFresh(await store.summary('s'))
  expect(await assessed()).toEqual({ kind: 'later', inMs: 3_600_000 })
  await clock.advance(999)
  await health.report(key, 'z', { kind: 'ok' })
  expect(await assessed()).toEqual({ kind: 'later', inMs: 3_599_001 })
  await clock.advance(1_000)
  expect(await assessed()).toMatchObject({ kind: 'due' })
})

it('what is known is read anew also after the wall clock was set back', async () => {
  const clock = new ManualClock()
  const store = memoryStore({ clock })
  const recoveries = new Recoveries(store, clock)
  await recoveries.refresh(0)
  const list = vi.spyOn(store.shared, 'list')
  vi.spyOn(clock, 'now').mockReturnValue(clock.now() - 3_600_000)
  await recoveries.refresh(0)
  expect(list).toHaveBeenCalledTimes(1)
})
