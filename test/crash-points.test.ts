/**
 * Crash points enumerated: after every write of every scenario, applied or not, a new process finishes the work, each
 * effect once. What the scenarios leave in their journals is every kind of entry that a session can write.
 */
import { memoryStore } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { crashEverywhere, points } from './crash/matrix/everywhere.ts'
import { allKinds, isWrittenElsewhere, kindsIn, writtenElsewhere } from './crash/matrix/kinds.ts'
import { scenarios } from './crash/matrix/scenarios.ts'

const seen = new Set<string>()

describe.each(Object.values(scenarios))('$name', (scenario) => {
  test.each(points)(
    'a crash at any write (applied: $applied) loses nothing acknowledged and doubles no effect (P1, P2, P5)',
    { timeout: 60_000 },
    async (point) => {
      const { visited, recorded } = await crashEverywhere(scenario, () => memoryStore(), point)
      for (const kind of kindsIn(recorded)) seen.add(kind)
      expect(visited).toBeGreaterThan(10)
    },
  )
})

test('the scenarios write every kind of entry that a session can write, with all that may vary', () => {
  const missing = [...allKinds].filter((kind) => !seen.has(kind) && !isWrittenElsewhere(kind))
  expect(missing).toEqual([])
  expect([...seen].filter((kind) => !allKinds.has(kind))).toEqual([])
  // The list of exceptions is true, and no longer than it has to be.
  expect(Object.keys(writtenElsewhere).filter((kind) => !allKinds.has(kind) || seen.has(kind))).toEqual([])
})
