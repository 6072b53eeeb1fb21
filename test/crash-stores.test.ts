/** The crash points again on the stores that outlive a process, and on sealed ones: fewer scenarios, all points. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { crashEverywhere, points } from './crash/matrix/everywhere.ts'
import { scenarios } from './crash/matrix/scenarios.ts'

let dir: string
let redis: Redis
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lastgood-crash-'))
  redis = new Redis(inject('redisUrl'))
})
afterAll(async () => {
  await redis.quit()
  await rm(dir, { recursive: true, force: true })
})

const key = { id: 'k1', key: Buffer.alloc(32, 7).toString('base64') }
const { askingPerson, stepsOfOnesOwn } = scenarios
const stores = [
  {
    store: 'file',
    newStore: () => fileStore({ dir: join(dir, randomUUID()) }),
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
