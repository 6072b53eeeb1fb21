import { systemClock } from '@lastgood/core'
import { expect, it } from 'vitest'
import { openPlace, openTurn } from '../test/fixture.ts'
import { Recoveries } from './recoveries.ts'
import { sweep } from './sweep.ts'

it('finds the sessions of all agents of the fleet, whichever worker sweeps, and none of others', async () => {
  const { store, index, prefix } = openPlace()
  await openTurn(store, 'of-coder', 'coder')
  await openTurn(store, 'of-writer', 'writer')
  await openTurn(store, 'of-nobody', 'stranger')
  const by = (name: string) =>
    sweep({
      store,
      clock: systemClock,
      index,
      recoveries: new Recoveries(store, systemClock),
      agents: new Set([name]),
      lock: { key: `${prefix}:sweep`, ttlMs: 60_000 },
      signal: new AbortController().signal,
    })
  await index.enlist('writer')
  expect(await by('coder')).toBe(2)
  expect(await index.counts(Date.now())).toMatchObject({ due: 2 })
  // Another one has just done it, and yet this one's agent is known from now on.
  expect(await by('painter')).toBe(0)
  expect(await index.agents()).toEqual(['coder', 'painter', 'writer'])
})
