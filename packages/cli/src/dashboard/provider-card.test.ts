import type { HealthRecord } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { providerState } from '../status/provider-state.ts'
import { providerCard } from './provider-card.ts'
import { statusPageCard } from './status-page-card.ts'

const now = Date.UTC(2026, 10, 1, 12)
const minute = 60_000
const minutesAgo = (ago: number, ok: number, failed: number) => ({ at: now - ago * minute, ok, failed })
const open = {
  state: 'open',
  since: now - 5 * minute,
  cause: 'overloaded',
  probes: 1,
  failedBy: 'x',
  probeAt: now + 9_000,
} as const

function stateFor(changes: Partial<HealthRecord>) {
  const record: HealthRecord = {
    v: 1,
    endpoint: 'https://api.anthropic.com',
    model: 'm',
    breaker: { state: 'closed', failures: 0 },
    successes: [],
    denials: [],
    minutes: [],
    ...changes,
  }
  return providerCard(record, providerState(record, now), now)
}

describe('a model is', () => {
  test.each([
    ['unknown', {}],
    ['up', { minutes: [minutesAgo(8, 3, 0)] }],
    ['unknown', { minutes: [minutesAgo(11, 3, 0)] }],
    ['degraded', { minutes: [minutesAgo(2, 30, 1)] }],
    ['up', { minutes: [minutesAgo(7, 0, 4), minutesAgo(2, 3, 0)] }],
    ['held', { held: { since: now, until: now + minute }, minutes: [minutesAgo(1, 0, 4)] }],
    ['down', { breaker: open, minutes: [minutesAgo(1, 0, 4)] }],
    ['unknown', { breaker: { ...open, probeAt: now - 90 * minute } }],
  ] satisfies [string, Partial<HealthRecord>][])('%s: %o', (state, record) => {
    expect(stateFor(record).state).toBe(state)
  })

  test('told of with the numbers of five minutes and an hour, and when it is asked next', () => {
    const minutes = [minutesAgo(61, 9, 9), minutesAgo(30, 5, 1), minutesAgo(2, 3, 2)]
    expect(stateFor({ breaker: open, minutes })).toMatchObject({
      last5Min: { answered: 3, failed: 2 },
      lastHour: { answered: 8, failed: 3 },
      minutes: [
        { answered: 5, failed: 1 },
        { answered: 3, failed: 2 },
      ],
      cause: 'overloaded',
      nextProbeAt: '2026-11-01T12:00:09.000Z',
    })
  })
})

describe('the status page', () => {
  const page = { indicator: 'none', description: 'All Systems Operational', api: 'operational', openIncidents: [] }

  test('is green only while it was read lately', () => {
    expect(statusPageCard({ page, checkedAt: now, ageMs: 1_000 })).toMatchObject({ says: 'operational' })
    expect(statusPageCard({ page, checkedAt: now, ageMs: 31 * minute })).toMatchObject({ says: 'unknown' })
    expect(statusPageCard({ ageMs: Infinity, failure: 'no\nanswer' })).toMatchObject({
      says: 'unknown',
      text: 'unknown (last try: no answer)',
    })
    expect(statusPageCard({ off: '--no-page' })).toMatchObject({ says: 'not-asked', text: 'not asked (--no-page)' })
  })

  test('says the same words as long as nothing changes', () => {
    const incident = { name: 'Elevated errors', status: 'investigating', impact: 'major', startedAt: now - 1_000 }
    const told = (ageMs: number) =>
      statusPageCard({ page: { ...page, openIncidents: [incident] }, checkedAt: now, ageMs })
    expect(told(1_000)).toEqual(told(90_000))
    expect(told(1_000)).toMatchObject({ says: 'incident', text: "investigating 'Elevated errors'" })
  })
})
