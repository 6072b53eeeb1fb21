import fc from 'fast-check'
import { expect, it } from 'vitest'
import { testEpoch } from '../testing/entries.ts'
import { incident, summary } from './page.fixture.ts'
import { readStatusPage, statusPageSchema } from './page.ts'

it('what is kept of a page: its indicator, the API, the open incidents and when it changed', () => {
  const open = incident('Elevated errors on Claude Opus 5', { impact: 'major' })
  const body = summary({ indicator: 'major', description: 'Partial outage', api: 'partial_outage', incidents: [open] })
  expect(readStatusPage(body)).toEqual({
    indicator: 'major',
    description: 'Partial outage',
    api: 'partial_outage',
    openIncidents: [
      { name: 'Elevated errors on Claude Opus 5', status: 'investigating', impact: 'major', startedAt: testEpoch },
    ],
    updatedAt: testEpoch,
  })
})

it('an incident that is over is not open', () => {
  const incidents = ['resolved', 'postmortem', 'monitoring'].map((status) => incident(status, { status }))
  expect(readStatusPage(summary({ incidents }))?.openIncidents.map(({ name }) => name)).toEqual(['monitoring'])
})

it.each([
  ['no component', {}, false],
  ['claude.ai', { components: [{ id: 'rwppv331jlwc', name: 'claude.ai', status: 'partial_outage' }] }, true],
  ['the API by its id', { components: [{ id: 'k8w3r06qmzrp', name: 'Renamed' }] }, false],
  ['the API by its name', { components: [{ id: 'new', name: 'Claude API (api.anthropic.com)' }] }, false],
  [
    'the API in an update',
    {
      components: [{ id: 'rwppv331jlwc', name: 'claude.ai' }],
      incident_updates: [{ body: 'x', affected_components: [{ code: 'k8w3r06qmzrp', name: 'Claude API' }] }],
    },
    false,
  ],
  ['nothing in its updates', { incident_updates: [{ body: 'x', affected_components: null }] }, false],
])('an incident that names %s is elsewhere: %3$s', (_what, changes, isElsewhere) => {
  const page = readStatusPage(summary({ incidents: [incident('x', changes)] }))
  expect(page?.openIncidents[0]?.isElsewhere ?? false).toBe(isElsewhere)
})

it('of many incidents the first dozen is kept', () => {
  const incidents = Array.from({ length: 20 }, (_, n) => incident(`no ${n}`))
  expect(
    readStatusPage(summary({ incidents }))
      ?.openIncidents.map(({ name }) => name)
      .at(-1),
  ).toBe('no 11')
})

it('a part that is broken costs that part only', () => {
  const body = summary({ incidents: [{ name: 7 }, incident('Readable', { started_at: 'soon', impact: null })] })
  expect(readStatusPage({ ...body, components: 'none', page: null })).toEqual({
    indicator: 'none',
    description: 'All Systems Operational',
    openIncidents: [{ name: 'Readable', status: 'investigating', impact: 'none' }],
  })
})

it.each([[null], ['<html>'], [[]], [{}], [{ status: 'ok' }], [{ status: { description: 'x' } }]])(
  '%j is no status page',
  (body) => {
    expect(readStatusPage(body)).toBeUndefined()
  },
)

it('whatever is in it, a page is small, and can be stored and read back', () => {
  const text = fc.oneof(fc.string(), fc.constant('x'.repeat(5_000)))
  const pages = fc.record({
    status: fc.record({ indicator: text, description: text }),
    components: fc.oneof(fc.anything(), fc.array(fc.anything())),
    incidents: fc.array(fc.oneof(fc.anything(), fc.record({ name: text, status: text, impact: fc.anything() })), {
      maxLength: 40,
    }),
  })
  fc.assert(
    fc.property(pages, (body) => {
      const page = readStatusPage(body)
      expect(page?.openIncidents.length).toBeLessThanOrEqual(12)
      expect(JSON.stringify(page).length).toBeLessThan(16_384)
      expect(statusPageSchema().parse(JSON.parse(JSON.stringify(page)))).toEqual(page)
    }),
  )
})
