/** The crash points again on the stores that outlive a process: fewer scenarios, all points. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

const stores = [
  { store: 'file', newStore: () => fileStore({ dir: join(dir, randomUUID()) }) },
  { store: 'Redis', newStore: () => redisStore(redis, { prefix: `crash:${randomUUID()}` }) },
]

describe.each(stores)('on the $store store', ({ newStore }) => {
  describe.each([scenarios.askingPerson, scenarios.loopOfOnesOwn])('$name', (scenario) => {
    test.each(points)(
      'a crash at any write (applied: $applied) loses nothing acknowledged and doubles no effect (P1, P2, P5)',
      { timeout: 60_000 },
      async (point) => {
        expect((await crashEverywhere(scenario, newStore, point)).visited).toBeGreaterThan(10)
      },
    )
  })
})
