import { expect, test } from 'vitest'
import { formatDuration } from './duration.ts'

test.each([
  [0, '0 ms'],
  [1_500, '1500 ms'],
  [2_000, '2 s'],
  [90_000, '90 s'],
  [600_000, '10 min'],
  [5_400_000, '90 min'],
  [86_400_000, '24 h'],
  [7 * 86_400_000, '7 d'],
  [Infinity, 'for ever'],
])('%d ms reads %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text)
})
