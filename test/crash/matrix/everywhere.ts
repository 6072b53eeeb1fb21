/** Visits every crash point of a scenario, on an empty store each. */
import type { Entry, Store } from '@lastgood/core'
import type { CrashPoint } from '@lastgood/core/testing'
import { expect } from 'vitest'
import { play, type Scenario } from './world.ts'

export const points: readonly CrashPoint[] = [
  { applied: true, at: 'write' },
  { applied: false, at: 'write' },
]

/** How many points there are, and all that was recorded on the way. */
export async function crashEverywhere(scenario: Scenario, newStore: () => Store, point: CrashPoint) {
  const recorded: Entry[] = []
  for (let after = 0; ; after += 1) {
    const { crashes, broken, journal, apart } = await play(scenario, newStore(), [{ after, point }])
    expect({ after, broken }).toEqual({ after, broken: [] })
    recorded.push(...journal, ...apart)
    if (crashes === 0) return { visited: after, recorded }
  }
}
