import { expect, it } from 'vitest'
import { ago, iso, left, parseDuration, spent } from './durations.ts'

it.each([
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['20ms', 20],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text, '--max-wait')).toBe(ms)
})

it.each(['', '10 m', '-1', 'soon', '1x', '1h 2m', 'Infinity'])('%j is no duration, and the option is named', (text) => {
  expect(() => parseDuration(text, '--since')).toThrow('--since takes a duration')
})

it.each([
  [380, '0.4s'],
  [5_000, '5s'],
  [59_700, '1m00s'],
  [192_000, '3m12s'],
  [3_725_000, '1h02m'],
  [183_600_000, '2d03h'],
])('%i ms took %s', (ms, text) => {
  expect(spent(ms)).toBe(text)
})

it('a countdown never shows 0', () => {
  expect([left(4_001), left(10), left(-5)]).toEqual(['5s', '1s', '1s'])
})

it('an age has one unit, and none is negative', () => {
  expect([ago(0, 59_000), ago(0, 7_200_000), ago(9, 0)]).toEqual(['59s ago', '2h ago', '0s ago'])
})

it('an instant that no date can say is told as it is', () => {
  expect([0, 1e300, NaN].map(iso)).toEqual(['1970-01-01T00:00:00.000Z', '1e+300', 'NaN'])
})
