import { describe, expect, it } from 'vitest'
import { testEpoch } from '../testing/entries.ts'
import { pageSays, probeFactor, relevantIncident } from './advice.ts'
import { incidentMatch, type IncidentMatch } from './incident-model.ts'
import { incident, summary, type SummaryChanges } from './page.fixture.ts'
import { readStatusPage } from './page.ts'

const page = (changes: SummaryChanges = {}) => readStatusPage(summary(changes))!

it.each<[string, string, IncidentMatch]>([
  ['Elevated errors on Claude Opus 5.5', 'claude-opus-5-5', 'model'],
  ['Elevated errors on Claude Opus 5', 'claude-opus-5-5', 'family'],
  ['Elevated errors on Claude Opus 5', 'claude-opus-5', 'model'],
  ['Elevated errors on Claude Opus 5.5', 'claude-opus-5', 'others'],
  ['Elevated errors on Claude Opus 55', 'claude-opus-5-5', 'others'],
  ['Opus is slow', 'claude-opus-5-5', 'family'],
  ['Elevated errors on all Sonnets and Opus', 'claude-opus-5-5', 'family'],
  ['Elevated errors on Opus 4.8', 'claude-opus-5-5', 'others'],
  ['Elevated errors on Opus 4.8, 4.7 and 5.5', 'claude-opus-5-5', 'model'],
  ['Elevated errors on Sonnet 5.5', 'claude-opus-5-5', 'others'],
  ['Errors on Sonnet 4.6 & Opus 5.5', 'us.anthropic.claude-opus-5-5-v1:0', 'model'],
  ['Errors on Sonnet 4.5', 'claude-sonnet-4-5-20250929', 'model'],
  ['Errors on Sonnet 4', 'claude-sonnet-4-20250514', 'model'],
  ['Errors on Sonnet 3.5', 'claude-3-5-sonnet-20241022', 'model'],
  ['Errors on Haiku 3', 'claude-3-haiku-20240307', 'model'],
  ['Elevated errors on the Claude API', 'claude-opus-5-5', 'any'],
  ['Octopus 5 is slow', 'claude-opus-5-5', 'any'],
  ['Elevated errors on Opus 5.5', 'my-gateway-model', 'family'],
])('%s, for %s: %s', (name, model, match) => {
  expect(incidentMatch(name, model)).toBe(match)
})

describe('what a page says', () => {
  it.each([
    ['nothing without a page', undefined, 'unknown'],
    ['operational when the API is and no incident is open', page(), 'operational'],
    ['incident when the API is degraded', page({ api: 'degraded_performance' }), 'incident'],
    ['incident when one is open, with every component operational', page({ incidents: [incident('x')] }), 'incident'],
    [
      'operational when the incident is not of the API',
      page({
        indicator: 'major',
        incidents: [incident('x', { components: [{ id: 'rwppv331jlwc', name: 'claude.ai' }] })],
      }),
      'operational',
    ],
    ['nothing when it has no word on the API', readStatusPage({ ...summary(), components: [] }), 'unknown'],
  ] as const)('%s', (_what, read, says) => {
    expect(pageSays(read)).toBe(says)
  })

  it('the incident of another model is no incident for this one, unless the API is degraded', () => {
    const incidents = [incident('Elevated errors on Sonnet 5.5')]
    expect(pageSays(page({ incidents }), 'claude-opus-5-5')).toBe('operational')
    expect(pageSays(page({ incidents }), 'claude-sonnet-5-5')).toBe('incident')
    expect(pageSays(page({ incidents, api: 'degraded_performance' }), 'claude-opus-5-5')).toBe('incident')
  })

  it('of several incidents the one closest to the model is told', () => {
    const names = ['Elevated errors', 'Sonnet 5 is slow', 'Opus is slow', 'Opus 5.5 is slow']
    const read = page({ incidents: names.map((name) => incident(name)) })
    const closest = (model?: string) => {
      const found = relevantIncident(read, model)
      return found && [found.incident.name, found.match]
    }
    expect(closest('claude-opus-5-5')).toEqual(['Opus 5.5 is slow', 'model'])
    expect(closest('claude-opus-4-8')).toEqual(['Opus is slow', 'family'])
    expect(closest('claude-haiku-5-5')).toEqual(['Elevated errors', 'any'])
    expect(closest()).toEqual(['Elevated errors', 'any'])
  })
})

describe('a probe', () => {
  const minutes = (count: number) => testEpoch + count * 60_000
  it.each([
    ['pauses as it would without a page', undefined, testEpoch, minutes(0), 1],
    ['pauses as it would while all is well', page(), testEpoch, minutes(1), 1],
    ['pauses longer in a major outage', page({ api: 'major_outage' }), testEpoch, minutes(30), 2],
    ['pauses as it would when the page is old', page({ api: 'major_outage' }), testEpoch, minutes(31), 1],
    ['pauses as it would for a minor incident', page({ incidents: [incident('x')] }), testEpoch, minutes(1), 1],
    [
      'pauses longer for a critical incident',
      page({ incidents: [incident('x', { impact: 'critical' })] }),
      testEpoch,
      minutes(1),
      2,
    ],
    [
      'pauses as it would once a fix is being monitored',
      page({ incidents: [incident('x', { impact: 'critical', status: 'monitoring' })] }),
      testEpoch,
      minutes(1),
      1,
    ],
    [
      'pauses as it would for an incident elsewhere',
      page({ incidents: [incident('x', { impact: 'major', components: [{ id: 'rwppv331jlwc' }] })] }),
      testEpoch,
      minutes(1),
      1,
    ],
  ] as const)('%s', (_what, read, checkedAt, now, factor) => {
    expect(probeFactor(read, checkedAt, now)).toBe(factor)
  })
})
