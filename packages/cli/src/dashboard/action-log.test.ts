import { memoryStore, systemClock } from '@lastgood/core'
import { expect, it } from 'vitest'
import { noteAction, readActions } from './action-log.ts'

const key = 'dashboard:actions'
const action = { action: 'resume', sessionId: 's', reason: 'why', host: 'here', outcome: 'it continues' } as const

it('leaves the record of a newer release as it is, says that nothing was noted, and shows none of it', async () => {
  const { shared } = memoryStore()
  const newer = { v: 2, actions: [{ ...action, by: 'ann' }] }
  await shared.write(key, 0, newer)
  expect(await noteAction({ shared, clock: systemClock }, action)).toBe(false)
  expect((await shared.read(key))?.value).toEqual(newer)
  expect(await readActions(shared)).toEqual([])
})

it('keeps an action that only a newer release knows, and shows those that it knows itself', async () => {
  const { shared } = memoryStore()
  const known = { ...action, at: '2026-01-01T00:00:00.000Z' }
  const unknown = { ...known, action: 'prune' }
  await shared.write(key, 0, { v: 1, actions: [unknown, { ...known, by: 'ann' }] })
  expect(await noteAction({ shared, clock: systemClock }, action)).toBe(true)
  expect(await readActions(shared)).toEqual([expect.objectContaining(action), known])
  expect((await shared.read(key))?.value).toMatchObject({ v: 1, actions: [action, unknown, { by: 'ann' }] })
})

it('begins anew in the place of something that is no record', async () => {
  const { shared } = memoryStore()
  await shared.write(key, 0, { actions: 'none' })
  expect(await noteAction({ shared, clock: systemClock }, action)).toBe(true)
  expect(await readActions(shared)).toMatchObject([action])
})
