import fc from 'fast-check'
import { expect, it } from 'vitest'
import { lanesOf } from './lanes.ts'

const extents = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 1, max: 200 }))
    .map(([x0, length]) => ({ x0, x1: x0 + length })),
  { maxLength: 60 },
)

it('calls that overlap are in different lanes, and there are no more lanes than calls at once', () => {
  fc.assert(
    fc.property(extents, (all) => {
      const lanes = lanesOf(all)
      for (const [i, one] of all.entries()) {
        for (const [j, other] of all.entries()) {
          if (i < j && lanes[i] === lanes[j]) expect(one.x1 <= other.x0 || other.x1 <= one.x0).toBe(true)
        }
      }
      const atOnce = all.map(({ x0 }) => all.filter((other) => other.x0 <= x0 && other.x1 > x0).length)
      expect(new Set(lanes).size).toBe(Math.max(0, ...atOnce))
    }),
  )
})
