import { expect, it } from 'vitest'
import { noteFleetAgent, readFleetAgents } from './fleet-agents.ts'
import { memorySharedState } from './memory-shared-state.ts'

it('a note holds until its instant, and a later one for longer', async () => {
  const shared = memorySharedState()
  await noteFleetAgent(shared, 'coder', 0, 100)
  expect(await readFleetAgents(shared, 100)).toEqual(new Set(['coder']))
  expect(await readFleetAgents(shared, 101)).toEqual(new Set())
  await noteFleetAgent(shared, 'coder', 60, 100)
  expect(await readFleetAgents(shared, 101)).toEqual(new Set(['coder']))
})

it('many may note the same agent: it is written once in half of the time that it holds', async () => {
  const shared = memorySharedState()
  for (let now = 0; now < 100; now += 10) await noteFleetAgent(shared, 'coder', now, 100)
  expect(await shared.read('fleet:agents')).toMatchObject({ version: 2, value: { agents: { coder: 150 } } })
})

it('of agents that are noted at the same moment none is lost', async () => {
  const shared = memorySharedState()
  await Promise.all(['a', 'b', 'c'].map((agent) => noteFleetAgent(shared, agent, 0, 100)))
  expect([...(await readFleetAgents(shared, 0))].sort()).toEqual(['a', 'b', 'c'])
})

it('a note that cannot be written or read as one fails nobody', async () => {
  const shared = memorySharedState()
  await shared.write('fleet:agents', 0, 'something else')
  expect(await readFleetAgents(shared, 0)).toEqual(new Set())
  await noteFleetAgent({ ...shared, read: () => Promise.reject(new Error('away')) }, 'coder', 0, 100)
  await noteFleetAgent(shared, 'coder', 0, 100)
  expect(await readFleetAgents(shared, 0)).toEqual(new Set(['coder']))
})
