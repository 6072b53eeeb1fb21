import pc from 'picocolors'
import { describe, expect, test } from 'vitest'
import type { Entry } from '@lastgood/core'
import { widthOf } from '../text.ts'
import { goodEvidence } from './evidence.fixture.ts'
import type { PageReading } from './status-page.ts'
import { timeAxis } from './time-axis.ts'
import { timeline } from './timeline.ts'

const palette = pc.createColors(false)
const { atKill, atEnd } = await goodEvidence()
const durable = atKill.entries.length
/** One entry each half second; the kill comes after the last durable one, a minute before the next. */
const entries = atEnd.entries.map((one): Entry => ({ ...one, at: one.seq * 500 + (one.seq > durable ? 60_000 : 0) }))
const killedAt = durable * 500 + 100
const incidents = [
  { at: killedAt, mark: 'K' },
  { at: killedAt + 60_200, mark: 'R' },
] as const
const readings: PageReading[] = [
  { at: 9_000, says: 'operational' },
  { at: 9_200, says: 'operational' },
  { at: killedAt + 64_000, says: 'incident', incident: "monitoring 'Elevated errors'" },
]
const options = { incidents, readings, columns: 80, palette }

describe('the timeline', () => {
  test.each([80, 120])('fits into %i columns', (columns) => {
    for (const line of timeline(entries, { ...options, columns })) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  })

  test('has rows for turns, tools and the process, marks that need no colour, and folds what was idle', () => {
    const row = rowsBy()
    expect(row('turn 1 500 400 529')).toMatch(/█✖█+ *█+✖█+✚ *█✖░+█+◆/)
    expect(row('turn 2')).toMatch(/█.*╱╲.*█.*◆/)
    expect(row('  run node scripts')).toMatch(/▓+ *╱╲ *\?$/)
    expect(row('  run git commit')).toContain('▓')
    expect(row('process')).toMatch(/K *╱╲ *R$/)
  })

  test('shows the turn that another model took, what the status page said, and says both in words', () => {
    const row = rowsBy()
    expect(row('  sonnet')).toMatch(/━+ *╱╲$/)
    expect(row('status page')).toMatch(/○+ *╱╲ *●$/)
    const lines = timeline(entries, options)
    const words = lines.slice(lines.indexOf('') + 1).map((line) => line.trim())
    expect(words).toEqual([
      '5s ✚ 400 image-rejected: left out 1 image; sent again, and accepted',
      '8s ⇄ 529 overloaded: sonnet takes the turn',
      '8s ○ status page: all is well',
      '10s ↑ opus takes back the next turn',
      "1m15s ● status page later: monitoring 'Elevated errors'",
    ])
  })

  test('without a status page has no row for it', () => {
    expect(timeline(entries, { incidents, columns: 80, palette }).join('\n')).not.toContain('status page')
  })

  test('of nothing is nothing', () => {
    expect(timeline([], { incidents: [], columns: 80, palette })).toEqual([])
  })
})

function rowsBy(): (label: string) => string {
  const lines = timeline(entries, options)
  return (label) => lines.find((line) => line.startsWith(label)) ?? ''
}

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
