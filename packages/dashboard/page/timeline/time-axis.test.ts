import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldOverMs, timeAxis, type Span } from './time-axis.ts'

const start = Date.parse('2026-11-29T10:00:00Z')
const second = 1_000
const spans = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 400_000_000 }), fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 600_000 })))
    .map(([from, length]): Span => ({ from: start + from, to: start + from + length })),
  { minLength: 1, maxLength: 60 },
)

describe('the time axis', () => {
  it('is monotone and stays inside its bounds, whatever happened', () => {
    const instants = fc.array(fc.integer({ min: -1_000_000, max: 402_000_000 }), { minLength: 2, maxLength: 40 })
    fc.assert(
      fc.property(spans, instants, (busy, offsets) => {
        const axis = timeAxis(busy)
        const places = offsets.sort((a, b) => a - b).map((offset) => axis.at(start + offset))
        for (const [index, x] of places.entries()) {
          expect(x).toBeGreaterThanOrEqual(places[index - 1] ?? 0)
          expect(x).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('has every moment in one part: what is folded and what is not add up to all of it', () => {
    fc.assert(
      fc.property(spans, (busy) => {
        const { parts, from, to } = timeAxis(busy)
        expect(from).toBe(Math.min(...busy.map((span) => span.from)))
        expect(to).toBe(Math.max(...busy.map((span) => span.to)))
        expect(parts.reduce((sum, part) => sum + (part.to - part.from), 0)).toBe(to - from)
        expect([parts[0]?.x0, parts.at(-1)?.x1]).toEqual([0, 1])
        for (const [index, part] of parts.entries()) {
          const next = parts[index + 1]
          expect(part.x1).toBeGreaterThanOrEqual(part.x0)
          if (next) expect([part.to, part.x1]).toEqual([next.from, next.x0])
        }
      }),
    )
  })

  it('folds all that is idle for longer than 30 s, and nothing that is busy', () => {
    fc.assert(
      fc.property(spans, (busy) => {
        const folds = timeAxis(busy).parts.filter(({ isFold }) => isFold)
        for (const fold of folds) {
          expect(fold.to - fold.from).toBeGreaterThan(foldOverMs)
          expect(busy.filter((span) => span.from < fold.to && span.to > fold.from)).toEqual([])
        }
        // As idle time is found another way: from each end to the next beginning.
        const sorted = [...busy].sort((a, b) => a.from - b.from)
        let [end, idle] = [sorted[0]?.to ?? 0, 0]
        for (const span of sorted) {
          if (span.from - end > foldOverMs) idle += span.from - end
          end = Math.max(end, span.to)
        }
        expect(folds.reduce((sum, fold) => sum + (fold.to - fold.from), 0)).toBe(idle)
      }),
    )
  })

  it('keeps an outage of 92 minutes from squeezing a minute of work to nothing', () => {
    const before = { from: start, to: start + 60 * second }
    const after = { from: before.to + 92 * 60 * second, to: before.to + 93 * 60 * second }
    const axis = timeAxis([before, after])
    expect(axis.at(before.to)).toBeGreaterThan(0.4)
    expect(axis.at(after.from) - axis.at(before.to)).toBeLessThan(0.06)
  })

  it('leaves room for the work however often it was idle', () => {
    const busy = Array.from({ length: 500 }, (_, index) => ({
      from: start + index * 100 * second,
      to: start + index * 100 * second + 5 * second,
    }))
    const { parts } = timeAxis(busy)
    const folded = parts.reduce((sum, part) => sum + (part.isFold ? part.x1 - part.x0 : 0), 0)
    expect(folded).toBeLessThanOrEqual(0.41)
    expect(parts.filter(({ isFold, x0, x1 }) => !isFold && x1 <= x0)).toEqual([])
  })
})
