import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SessionOutageRow } from '../../src/outages.ts'
import { columnsOf } from './columns.ts'
import { outageGroups } from './outage-groups.ts'

const start = Date.parse('2026-11-29T10:00:00Z')
const iso = (ms: number): string => new Date(start + ms).toISOString()
const facts = fc.record({
  since: fc.integer({ min: 0, max: 4_000_000 }),
  length: fc.option(fc.integer({ min: 0, max: 500_000 }), { nil: null }),
  model: fc.constantFrom('a', 'b'),
})
const rows = fc.array(facts, { maxLength: 40 }).map((all) =>
  all.map(({ since, length, model }, index): SessionOutageRow => {
    const until = length === null ? null : iso(since + length)
    return { sessionId: `s${index}`, since: iso(since), until, cause: 'x', model, attempts: 1, end: null }
  }),
)

it('every session’s outage is in one group, and groups of one model do not touch', () => {
  fc.assert(
    fc.property(rows, (all) => {
      const groups = outageGroups(all)
      expect(groups.reduce((sum, group) => sum + group.rows.length, 0)).toBe(all.length)
      for (const [i, one] of groups.entries()) {
        for (const other of groups.slice(i + 1).filter(({ model }) => model === one.model)) {
          expect(one.from - (other.to ?? Infinity)).toBeGreaterThan(60_000)
        }
      }
    }),
  )
})

it('a session that met an outage again and again is one of its sessions, as it came out last', () => {
  const met = (sessionId: string, since: number, end: SessionOutageRow['end']): SessionOutageRow => {
    const until = end === null ? null : iso(since + 1_000)
    return { sessionId, since: iso(since), until, cause: 'x', model: 'a', attempts: 1, end }
  }
  const [group] = outageGroups([met('s', 60_000, 'same-model'), met('t', 30_000, null), met('s', 0, 'suspended')])
  expect(group?.rows).toHaveLength(3)
  expect(group?.sessions.map(({ sessionId, end }) => [sessionId, end])).toEqual([
    ['s', 'same-model'],
    ['t', null],
  ])
})

it('columns lose no request, whatever their number', () => {
  const minutes = fc.array(
    fc.record({ minute: fc.integer({ min: 0, max: 1439 }), answered: fc.nat(50), failed: fc.nat(50) }),
    { maxLength: 80 },
  )
  fc.assert(
    fc.property(minutes, fc.integer({ min: 1, max: 400 }), (all, most) => {
      const columns = columnsOf(
        all.map(({ minute, ...count }) => ({ at: iso(minute * 60_000), ...count })),
        start,
        start + 1439 * 60_000,
        most,
      )
      const sum = (side: 'answered' | 'failed') => (list: readonly Record<typeof side, number>[]) =>
        list.reduce((total, one) => total + one[side], 0)
      expect([sum('answered')(columns), sum('failed')(columns)]).toEqual([sum('answered')(all), sum('failed')(all)])
      expect(columns.length).toBeLessThanOrEqual(most + 1)
    }),
  )
})
