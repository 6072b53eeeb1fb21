/** The crash points again on the stores that outlive a process, and on sealed ones: fewer scenarios, all points. */
import { randomUUID } from 'node:crypto'
import { memoryStore } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { crashEverywhere, points } from './crash/matrix/everywhere.ts'
import { scenarios } from './crash/matrix/scenarios.ts'
import { newFolder } from './support/folder.ts'

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.quit())

const key = { id: 'k1', key: Buffer.alloc(32, 7).toString('base64') }
const { askingPerson, stepsOfOnesOwn } = scenarios
const stores = [
  {
    store: 'file',
    newStore: () => fileStore({ dir: newFolder() }),
    scenarios: [askingPerson, stepsOfOnesOwn],
  },
  {
    store: 'sealed',
    newStore: () => compressed(encrypted(memoryStore(), { current: key })),
    scenarios: [stepsOfOnesOwn],
  },
  {
    store: 'Redis',
    newStore: () => redisStore(redis, { prefix: `crash:${randomUUID()}` }),
    scenarios: [askingPerson, stepsOfOnesOwn],
  },
]

describe.each(stores)('on the $store store', ({ newStore, scenarios }) => {
  describe.each(scenarios)('$name', (scenario) => {
    test.each(points)(
      'a crash at any write (applied: $applied) loses nothing acknowledged and doubles no effect (P1, P2, P5)',
      { timeout: 120_000 },
      async (point) => {
        expect((await crashEverywhere(scenario, newStore, point)).visited).toBeGreaterThan(10)
      },
    )
  })
})
