import { LastgoodError, matchesFilter, systemClock, type SessionFilter, type SessionSummary } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { answer, openPlace, openTurn } from '../test/fixture.ts'
import { Agents } from './agents.ts'
import { copyOf } from './connection.ts'
import { keysUnder } from './keys.ts'
import { Queues } from './queue.ts'
import { Recoveries } from './recoveries.ts'
import { sweep, type SweepParts } from './sweep.ts'

function openSweep() {
  const { store, index, prefix, redis } = openPlace()
  const [copy, keys] = [copyOf(redis), keysUnder(prefix)]
  const queues = new Queues(copy, keys)
  onTestFinished(() => queues.close())
  const parts: SweepParts = {
    store,
    clock: systemClock,
    index,
    recoveries: new Recoveries(store, systemClock),
    agents: new Agents(copy, keys, queues, { store, clock: systemClock }),
    own: ['coder'],
    lock: { key: `${prefix}:sweep`, ttlMs: 60_000 },
    signal: new AbortController().signal,
  }
  return { store, index, parts }
}

it('finds the open turns of all agents of the fleet, whichever worker sweeps, and none of others', async () => {
  const { store, index, parts } = openSweep()
  await openTurn(store, 'over', 'coder', answer)
  await openTurn(store, 'of-coder', 'coder')
  await openTurn(store, 'of-writer', 'writer')
  await openTurn(store, 'of-nobody', 'stranger')
  const by = (name: string) => sweep({ ...parts, own: [name] })
  await parts.agents.enlist('writer')
  await by('coder')
  expect(await index.counts()).toMatchObject({ due: 2, later: 0 })
  // Another one has just done it, and yet this one's agent is known from now on.
  await openTurn(store, 'later', 'coder')
  await by('painter')
  expect(await index.counts()).toMatchObject({ due: 2, later: 0 })
  expect(await parts.agents.names()).toEqual(['coder', 'painter', 'writer'])
})

it('rests after each hundred heads, whatever became of their sessions', async () => {
  const { store, parts } = openSweep()
  await openTurn(store, 's', 'coder', answer)
  const summary = (await store.summary('s')) as SessionSummary
  const list = async function* (filter: SessionFilter = {}) {
    for (let n = 0; n < 250; n++) if (matchesFilter(summary, filter)) yield summary
  }
  const rests: number[] = []
  const clock = new ManualClock()
  const sleepUntil = (instant: number) => Promise.resolve(void rests.push(instant - clock.now()))
  await sweep({ ...parts, store: { ...store, list }, clock: Object.assign(clock, { sleepUntil }) })
  expect(rests).toEqual([20, 20])
})

it('is not stopped by a session that nobody can read, and says when the store cannot answer', async () => {
  const { store, index, parts } = openSweep()
  await openTurn(store, 's', 'coder')
  const failing = (code: 'journal-corrupt' | 'store-unavailable') => ({
    ...store,
    async *list(filter: SessionFilter = {}) {
      yield* store.list(filter)
      throw new LastgoodError(code, 'it cannot be read', { hint: 'wait' })
    },
  })
  const again = (n: number) => ({ ...parts.lock, key: `${parts.lock.key}:${n}` })
  await sweep({ ...parts, store: failing('journal-corrupt'), lock: again(1) })
  expect(await index.counts()).toMatchObject({ due: 1 })
  await expect(sweep({ ...parts, store: failing('store-unavailable'), lock: again(2) })).rejects.toMatchObject({
    code: 'store-unavailable',
  })
})

it('ends when its worker is stopped', async () => {
  const { store, index, parts } = openSweep()
  for (const id of ['a', 'b', 'c']) await openTurn(store, id, 'coder')
  const stop = new AbortController()
  const list = async function* () {
    for await (const summary of store.list()) {
      yield summary
      stop.abort()
    }
  }
  await sweep({ ...parts, store: { ...store, list }, signal: stop.signal })
  expect(await index.counts()).toMatchObject({ due: 1 })
})
