import { systemClock } from '@lastgood/core'
import { expect, it, onTestFinished } from 'vitest'
import { openPlace, openTurn } from '../test/fixture.ts'
import { Agents } from './agents.ts'
import { copyOf } from './connection.ts'
import { keysUnder } from './keys.ts'
import { Queues } from './queue.ts'
import { Recoveries } from './recoveries.ts'
import { sweep } from './sweep.ts'

it('finds the sessions of all agents of the fleet, whichever worker sweeps, and none of others', async () => {
  const { store, index, prefix, redis } = openPlace()
  const queues = new Queues(copyOf(redis), keysUnder(prefix))
  const agents = new Agents(index, queues)
  await openTurn(store, 'of-coder', 'coder')
  await openTurn(store, 'of-writer', 'writer')
  await openTurn(store, 'of-nobody', 'stranger')
  const by = (name: string) =>
    sweep({
      store,
      clock: systemClock,
      index,
      recoveries: new Recoveries(store, systemClock),
      agents,
      own: [name],
      lock: { key: `${prefix}:sweep`, ttlMs: 60_000 },
      signal: new AbortController().signal,
    })
  onTestFinished(() => queues.close())
  await index.enlist('writer')
  expect(await by('coder')).toBe(2)
  expect(await index.counts()).toMatchObject({ due: 2 })
  // Another one has just done it, and yet this one's agent is known from now on.
  expect(await by('painter')).toBe(0)
  expect(await index.agents()).toEqual(['coder', 'painter', 'writer'])
})
