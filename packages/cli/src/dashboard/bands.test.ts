import { describe, expect, test } from 'vitest'
import type { SessionOutage } from '../outages/trouble.ts'
import { providerBands, statusPageBands } from './bands.ts'

const start = Date.UTC(2026, 10, 1, 12)
const at = (seconds: number) => start + seconds * 1000
const outage = (
  since: number,
  until: number | null,
  end: SessionOutage['end'],
  answered = end === 'suspended' || end === 'given-up' ? null : until,
): SessionOutage => ({
  since: at(since),
  until: until === null ? null : at(until),
  cause: '529 overloaded',
  model: 'm',
  attempts: 2,
  end,
  answeredAt: answered === null ? null : at(answered),
})
const bandsOf = (outages: SessionOutage[], endedAt = 600) =>
  providerBands(outages, at(0), at(endedAt)).map(({ from, to, state }) => {
    const second = (instant: string | null) => (instant === null ? null : (Date.parse(instant) - start) / 1000)
    return [state, second(from), second(to)]
  })

describe('the provider, as a session met it', () => {
  test('answers from the first request on, and again after an outage', () => {
    expect(bandsOf([])).toEqual([['up', 0, null]])
    expect(bandsOf([outage(10, 70, 'same-model')])).toEqual([
      ['up', 0, 10],
      ['down', 10, 70],
      ['up', 70, null],
    ])
    expect(providerBands([], undefined, at(600))).toEqual([])
  })

  test('is degraded by what was over soon, and down while it lasts', () => {
    expect(bandsOf([outage(10, 13, 'same-model'), outage(100, null, null)])).toEqual([
      ['up', 0, 10],
      ['degraded', 10, 13],
      ['up', 13, 100],
      ['down', 100, null],
    ])
  })

  test('is down from the beginning where the first request failed, and as far as anybody knows while a session is parked', () => {
    expect(bandsOf([outage(0, 5, 'suspended')])).toEqual([['down', 0, null]])
  })

  test.each(['suspended', 'given-up'] as const)('answers again with the first answer after one that was %s', (end) => {
    expect(bandsOf([outage(10, 70, end, 100)])).toEqual([
      ['up', 0, 10],
      ['down', 10, 100],
      ['up', 100, null],
    ])
  })
})

describe('the status page', () => {
  const page = { indicator: 'major', description: 'Outage', api: 'major_outage', openIncidents: [] }
  test('is told of from the beginning of its incident, and not at all where it is not known', () => {
    const incident = { name: 'Elevated errors', status: 'identified', impact: 'major', startedAt: at(30) }
    const told = { page: { ...page, openIncidents: [incident] }, checkedAt: at(90), ageMs: 1_000 }
    expect(statusPageBands(told, undefined)).toEqual([
      { from: '2026-11-01T12:00:30.000Z', to: null, state: 'identified', text: "identified 'Elevated errors'" },
    ])
    expect(statusPageBands({ ...told, ageMs: 3_600_000 }, undefined)).toEqual([])
    expect(statusPageBands({ off: '--no-page' }, undefined)).toEqual([])
  })
})
