/** A second crash, during the recovery from the first: a seeded sample of pairs, where all would be too many. */
import { memoryStore } from '@lastgood/core'
import { seededRandom } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import { points } from './crash/matrix/everywhere.ts'
import { scenarios } from './crash/matrix/scenarios.ts'
import { play } from './crash/matrix/world.ts'

test.each(Object.values(scenarios))(
  'crashed twice, nothing acknowledged is lost and no effect is doubled (P1, P2, P5): $name',
  { timeout: 60_000 },
  async (scenario) => {
    const random = seededRandom(7)
    const draw = (below: number) => Math.floor(random() * below)
    let twice = 0
    for (let pair = 0; pair < 25; pair += 1) {
      const crashes = [18, 14].map((below) => ({ after: draw(below), point: points[draw(2)]! }))
      const { crashes: happened, broken } = await play(scenario, memoryStore(), crashes)
      expect({ crashes, broken }).toEqual({ crashes, broken: [] })
      if (happened === 2) twice += 1
    }
    expect(twice).toBeGreaterThan(7)
  },
)
