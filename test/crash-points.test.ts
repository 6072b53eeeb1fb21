/**
 * Crash points enumerated: after every write of every scenario, applied or not, a new process finishes the work, each
 * effect once. Together the scenarios' journals have every kind of entry that a session can write.
 */
import { memoryStore } from '@lastgood/core'
import type { CrashPoint } from '@lastgood/core/testing'
import { describe, expect, test } from 'vitest'
import { crashEverywhere, points } from './crash/matrix/everywhere.ts'
import { allKinds, isWrittenElsewhere, kindsIn, writtenElsewhere } from './crash/matrix/kinds.ts'
import { scenarios } from './crash/matrix/scenarios.ts'
import type { Scenario } from './crash/matrix/world.ts'

/** Played once, whoever asks first. */
const visits = new Map<string, ReturnType<typeof crashEverywhere>>()
function visit(scenario: Scenario, point: CrashPoint) {
  const key = `${scenario.name} ${JSON.stringify(point)}`
  const visited = visits.get(key) ?? crashEverywhere(scenario, () => memoryStore(), point)
  visits.set(key, visited)
  return visited
}

describe.each(Object.values(scenarios))('$name', (scenario) => {
  test.each(points)(
    'a crash at any write (applied: $applied) loses nothing acknowledged and doubles no effect (P1, P2, P5)',
    { timeout: 120_000 },
    async (point) => {
      expect((await visit(scenario, point)).visited).toBeGreaterThan(10)
    },
  )
})

test(
  'the scenarios write every kind of entry that a session can write, with all that may vary',
  {
    timeout: 180_000,
  },
  async () => {
    const seen = new Set<string>()
    for (const scenario of Object.values(scenarios)) {
      for (const point of points) for (const kind of kindsIn((await visit(scenario, point)).recorded)) seen.add(kind)
    }
    expect([...allKinds].filter((kind) => !seen.has(kind) && !isWrittenElsewhere(kind))).toEqual([])
    expect([...seen].filter((kind) => !allKinds.has(kind))).toEqual([])
    // The list of exceptions is true, and no longer than it has to be.
    expect(Object.keys(writtenElsewhere).filter((kind) => !allKinds.has(kind) || seen.has(kind))).toEqual([])
  },
)
