import fc from 'fast-check'
import { expect, it } from 'vitest'
import { placedPoints } from './placed-points.ts'

const [glyph, width] = [15, 800]
const timesWidth = (count: number): number => 8 + 6 * String(count).length
const points = fc
  .array(
    fc.record({ at: fc.integer({ min: 0, max: 800 }), kind: fc.constantFrom('fault', 'checkpoint', 'rung') }),
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
        timesWidth,
        width,
      })
      expect(placed.flatMap(({ points: own }) => own)).toEqual(all)
      for (const [index, { left, hasLabel, points: own }] of placed.entries()) {
        const next = placed[index + 1]
        const right = left + glyph + (own.length > 1 ? timesWidth(own.length) : 0)
        expect(left).toBeGreaterThanOrEqual(0)
        expect(right).toBeLessThanOrEqual(width)
        if (next) expect(right).toBeLessThanOrEqual(next.left + 1e-9)
        if (next && hasLabel) expect(right + 30).toBeLessThanOrEqual(next.left + 1e-9)
        expect(new Set(own.map(({ kind }) => kind)).size).toBe(1)
      }
    }),
  )
})
