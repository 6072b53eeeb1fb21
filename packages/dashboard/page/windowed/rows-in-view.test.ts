import fc from 'fast-check'
import { expect, it } from 'vitest'
import { offsetsOf, rowsInView } from './rows-in-view.ts'

it('every row that is in view is drawn, and not many others', () => {
  const heights = fc.array(fc.integer({ min: 10, max: 120 }), { minLength: 1, maxLength: 500 })
  fc.assert(
    fc.property(heights, fc.integer({ min: -500, max: 30_000 }), (all, top) => {
      const offsets = offsetsOf(all.length, (index) => all[index] ?? 0)
      const bottom = top + 800
      const { first, end } = rowsInView(offsets, top, bottom, 3)
      for (const index of all.keys()) {
        const isSeen = (offsets[index + 1] ?? 0) > top && (offsets[index] ?? 0) < bottom
        if (isSeen) expect(index >= first && index < end).toBe(true)
      }
      expect(end - first).toBeLessThanOrEqual(800 / 10 + 2 + 6)
    }),
  )
})
