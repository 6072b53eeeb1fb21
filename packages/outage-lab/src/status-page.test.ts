import { describe, expect, test } from 'vitest'
import { createLab, reply, text, type LabOptions, type Outage, type StatusPageOptions } from './index.ts'

const MINUTE = 60_000
const opus: Outage = {
  when: { window: [10 * MINUTE, 40 * MINUTE], model: 'claude-opus-5-5', rate: 0.5 },
  fault: { kind: 'status', status: 529 },
}

interface Summary {
  readonly status: { readonly indicator: string; readonly description: string }
  readonly components: readonly { readonly id: string; readonly status: string }[]
  readonly incidents: readonly { readonly name: string; readonly status: string; readonly impact: string }[]
}

function open(statusPage: StatusPageOptions, options: Partial<LabOptions> = {}) {
  const startedAt = Date.parse('2026-11-22T12:00:00Z')
  let now = startedAt
  const lab = createLab({ model: () => reply(text('Hi.')), outages: [opus], now: () => now, statusPage, ...options })
  const at = async (minute: number, page = 'summary'): Promise<Summary> => {
    now = startedAt + minute * MINUTE
    return JSON.parse(await (await lab.fetch(lab.statusUrl.replace('summary', page))).text())
  }
  return { lab, at }
}

describe('the status page', () => {
  test('is late at the beginning and late at the end, and names the model only in the incident', async () => {
    const { at } = open({ onsetLagMs: 7 * MINUTE, endLagMs: 20 * MINUTE })
    const shown = async (minute: number): Promise<unknown> => {
      const { status, incidents, components } = await at(minute)
      return [
        status.indicator,
        incidents.map((incident) => incident.status),
        components.find(({ id }) => id === 'k8w3r06qmzrp')?.status,
      ]
    }
    expect(await shown(16)).toEqual(['none', [], 'operational'])
    expect(await shown(17)).toEqual(['minor', ['investigating'], 'degraded_performance'])
    expect(await shown(40)).toEqual(['minor', ['monitoring'], 'degraded_performance'])
    expect(await shown(59)).toEqual(['minor', ['monitoring'], 'degraded_performance'])
    expect(await shown(60)).toEqual(['none', [], 'operational'])
    expect((await at(20)).incidents[0]?.name).toBe('Elevated errors on Claude Opus 5.5')
    expect((await at(60, 'incidents')).incidents[0]).toMatchObject({
      status: 'resolved',
      resolved_at: '2026-11-22T13:00:00.000Z',
    })
    expect(await at(20, 'status')).toMatchObject({ page: { id: 'tymt9n04zgry' }, status: { indicator: 'minor' } })
  })

  test('never tells of what was over before anyone posted it', async () => {
    const { at } = open({ onsetLagMs: 31 * MINUTE })
    for (const minute of [20, 41, 100]) expect((await at(minute)).incidents).toEqual([])
  })

  test('tells what it is told to instead, true or not', async () => {
    const { at } = open({
      incidents: [{ name: 'Elevated errors on Claude Haiku', startsMs: 0, impact: 'critical' }],
      onsetLagMs: 0,
    })
    expect(await at(20)).toMatchObject({
      status: { indicator: 'critical', description: 'Major Service Outage' },
      incidents: [{ name: 'Elevated errors on Claude Haiku', impact: 'critical' }],
    })
  })

  test('calls an outage of everything critical, and one that has not ended open', async () => {
    const all: Outage = { when: { window: [0, null] }, fault: { kind: 'status', status: 500 } }
    const { at } = open({}, { outages: [all] })
    expect((await at(10_000)).incidents).toMatchObject([
      { name: 'Elevated errors on many models', impact: 'critical', status: 'investigating' },
    ])
  })

  test('can be blocked: by a challenge, by a page that is none, or altogether', async () => {
    const fetchOf = (blockedWith: StatusPageOptions['blockedWith']) => {
      const { lab } = open({ ...(blockedWith !== undefined && { blockedWith }) })
      return lab.fetch(lab.statusUrl)
    }
    expect((await fetchOf(405)).status).toBe(405)
    const html = await fetchOf('html')
    expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    await expect(fetchOf('unreachable')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  })

  test('needs no key and does not count as a message', async () => {
    const { lab, at } = open({})
    await at(0)
    expect(lab.requests).toMatchObject([{ n: 0, outcome: { kind: 'other', status: 200 } }])
  })
})
