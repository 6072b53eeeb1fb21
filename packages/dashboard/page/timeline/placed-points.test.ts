import fc from 'fast-check'
import { expect, it } from 'vitest'
import { placedPoints } from './placed-points.ts'

const [glyph, width] = [15, 600]
const points = fc
  .array(
    fc.record({ at: fc.integer({ min: 0, max: width }), kind: fc.constantFrom('fault', 'checkpoint', 'rung') }),
    // So many of different kinds as have room.
    { maxLength: 30 },
  )
  .map((all) => all.sort((a, b) => a.at - b.at))

it('no mark covers another, none is outside, none is left out, and labels end before the next mark', () => {
  fc.assert(
    fc.property(points, (all) => {
      const placed = placedPoints(all, {
        at: ({ at }) => at,
        kind: ({ kind }) => kind,
        labelWidth: () => 30,
        glyph,
        width,
      })
      expect(placed.flatMap(({ points: own }) => own)).toEqual(all)
      for (const [index, { left, hasLabel, points: own }] of placed.entries()) {
        const next = placed[index + 1]
        expect(left).toBeGreaterThanOrEqual(0)
        expect(left + glyph).toBeLessThanOrEqual(width)
        if (next) expect(left + glyph).toBeLessThanOrEqual(next.left + 1e-9)
        if (next && hasLabel) expect(left + glyph + 30).toBeLessThanOrEqual(next.left + 1e-9)
        expect(new Set(own.map(({ kind }) => kind)).size).toBe(1)
      }
    }),
  )
})
