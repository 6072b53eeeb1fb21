import pc from 'picocolors'
import { describe, expect, test } from 'vitest'
import type { Entry } from '@lastgood/core'
import { widthOf } from '../text.ts'
import { goodEvidence } from './evidence.fixture.ts'
import { timeAxis } from './time-axis.ts'
import { timeline } from './timeline.ts'

const palette = pc.createColors(false)
const { atEnd } = await goodEvidence()
/** One entry each half second; the kill comes after the eleventh, a minute before the next. */
const entries = atEnd.entries.map((one): Entry => ({ ...one, at: one.seq * 500 + (one.seq > 11 ? 60_000 : 0) }))
const incidents = [
  { at: 5_600, mark: 'K' },
  { at: 65_800, mark: 'R' },
] as const

describe('the timeline', () => {
  test.each([60, 80, 120])('fits into %i columns', (columns) => {
    const lines = timeline(entries, { incidents, columns, palette })
    for (const line of lines.slice(0, -2)) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  })

  test('fits into 80 columns with its legend', () => {
    for (const line of timeline(entries, { incidents, columns: 80, palette }))
      expect(widthOf(line)).toBeLessThanOrEqual(80)
  })

  test('has rows for turns, tools and the process, marks that need no colour, and folds what was idle', () => {
    const lines = timeline(entries, { incidents, columns: 80, palette })
    const row = (label: string) => lines.find((line) => line.startsWith(label)) ?? ''
    expect(row('turn 1 500')).toMatch(/█✖░+█+ *◆/)
    expect(row('turn 2')).toMatch(/█.*╱╲.*█.*◆$/)
    expect(row('  run node scripts')).toMatch(/▓+ *╱╲ *\?$/)
    expect(row('  run git commit')).toContain('▓')
    expect(row('process')).toMatch(/K *╱╲ *R$/)
  })

  test('of nothing is nothing', () => {
    expect(timeline([], { incidents: [], columns: 80, palette })).toEqual([])
  })
})

describe('the time axis', () => {
  test('goes from the first column to the last, and folds a night to a zigzag', () => {
    const axis = timeAxis(
      [
        { from: 0, to: 1_000 },
        { from: 36_000_000, to: 36_001_000 },
      ],
      50,
    )
    expect([axis.column(0), axis.column(36_001_000)]).toEqual([0, 49])
    expect(axis.column(1_000)).toBeGreaterThan(8)
    expect(axis.background.join('').trim()).toBe('╱╲')
    expect(axis.scale()).toMatch(/^0\.0s.*10h/)
  })

  test('never turns back', () => {
    const axis = timeAxis(
      [
        { from: 0, to: 1_000 },
        { from: 9_000, to: 9_500 },
        { from: 30_000, to: 31_000 },
      ],
      40,
    )
    const columns = Array.from({ length: 320 }, (_, i) => axis.column(i * 100))
    expect(columns).toEqual([...columns].sort((a, b) => a - b))
  })
})
