/** A summary.json as Statuspage writes it, with the parts that a test overrides. */
export interface SummaryChanges {
  indicator?: string
  description?: string
  api?: string
  incidents?: readonly object[]
}

export function summary(changes: SummaryChanges = {}): Record<string, unknown> {
  const { indicator = 'none', description = 'All Systems Operational', api = 'operational', incidents = [] } = changes
  const component = (id: string, name: string, status: string) => ({
    id,
    name,
    status,
    group: false,
    group_id: null,
    position: 3,
    only_show_if_degraded: false,
    showcase: true,
    start_date: '2023-07-11',
    page_id: 'tymt9n04zgry',
    description: null,
  })
  return {
    page: {
      id: 'tymt9n04zgry',
      name: 'Claude',
      url: 'https://status.claude.com',
      time_zone: 'Etc/UTC',
      updated_at: '2026-01-01T00:00:00.000Z',
    },
    status: { indicator, description },
    components: [
      component('rwppv331jlwc', 'claude.ai', 'operational'),
      component('k8w3r06qmzrp', 'Claude API (api.anthropic.com)', api),
    ],
    incidents,
    scheduled_maintenances: [],
  }
}

export function incident(name: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'inc',
    name,
    status: 'investigating',
    impact: 'minor',
    started_at: '2026-01-01T00:00:00.000Z',
    monitoring_at: null,
    resolved_at: null,
    shortlink: 'https://stspg.io/x',
    components: [],
    incident_updates: [],
    ...changes,
  }
}
