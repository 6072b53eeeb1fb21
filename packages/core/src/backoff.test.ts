import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullJitter } from './backoff.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const durationMs = fc.nat(400_000)

test('full jitter is a whole number from zero up to the exponential bound, and never beyond the cap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), durationMs, durationMs, random, (attempt, baseMs, capMs, draw) => {
      const waitMs = fullJitter(attempt, baseMs, capMs, draw)
      expect(Number.isInteger(waitMs)).toBe(true)
      expect(waitMs).toBeGreaterThanOrEqual(0)
      expect(waitMs).toBeLessThanOrEqual(Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 60)))
    }),
  )
})

test('full jitter doubles its bound with each attempt until the cap', () => {
  const highest = [1, 2, 3, 4, 5, 500].map((attempt) => fullJitter(attempt, 1_000, 10_000, 0.999_999))
  expect(highest).toEqual([999, 1_999, 3_999, 7_999, 9_999, 9_999])
})

test('an attempt below one counts as the first', () => {
  expect(fullJitter(0, 1_000, 10_000, 0.5)).toBe(500)
  expect(fullJitter(-3, 1_000, 10_000, 0.5)).toBe(500)
})
