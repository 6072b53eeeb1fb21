/**
 * A status page as Statuspage serves it, modelled on Claude's: https://status.claude.com/api/v2/summary.json
 * 1. It shows what was posted, not what is: incidents come `onsetLagMs` late and stay `endLagMs` too long.
 * 2. No component is a model. Only the incident's name says which model is down.
 * 3. `summary.json` has the open incidents, `incidents.json` also the resolved ones.
 */
import { digest } from './digest.ts'
import type { JsonObject } from './json.ts'
import type { Outage } from './outage.ts'

export const STATUS_SUMMARY = '/api/v2/summary.json'
const PAGES = ['summary', 'status', 'incidents', 'components'] as const
/** https://status.claude.com/incidents: first posts came 6 to 7 minutes after the impact began. */
const ONSET_LAG_MS = 6 * 60_000
/** Incidents were resolved 8 to 23 minutes after the impact was over. */
const END_LAG_MS = 10 * 60_000
const API = { code: 'k8w3r06qmzrp', name: 'Claude API (api.anthropic.com)' }
const COMPONENTS = [
  { code: 'rwppv331jlwc', name: 'claude.ai' },
  { code: '0qbwn08sd68x', name: 'Claude Console (platform.claude.com)' },
  API,
  { code: 'yyzkbfz2thpt', name: 'Claude Code' },
]

export type Impact = 'none' | 'minor' | 'major' | 'critical'

/** Times are in milliseconds since the lab's start; without an end it lasts for ever. */
export interface StatusIncident {
  readonly name: string
  readonly startsMs: number
  readonly endsMs?: number
  /** Default minor. */
  readonly impact?: Impact
}

export interface StatusPageOptions {
  /** What really happens. Default: the windows of the outages. */
  readonly incidents?: readonly StatusIncident[]
  /** Default 6 minutes. */
  readonly onsetLagMs?: number
  /** Default 10 minutes. */
  readonly endLagMs?: number
  /** What blocks the page: a challenge, an HTML page with a 200, or no connection at all. Default: nothing. */
  readonly blockedWith?: 405 | 'html' | 'unreachable'
}

export interface StatusQuery {
  readonly outages: readonly Outage[]
  /** The instants of the lab's start and of now. */
  readonly startedAt: number
  readonly at: number
}

export function isStatusPath(path: string): boolean {
  return PAGES.some((page) => path === `/api/v2/${page}.json`)
}

export function statusBody(path: string, options: StatusPageOptions, query: StatusQuery): JsonObject {
  const all = (options.incidents ?? incidentsOf(query.outages)).flatMap((incident) => post(incident, options, query))
  const open = all.filter(({ status }) => status !== 'resolved')
  const worst = (['critical', 'major', 'minor'] as const).find((impact) => open.some((one) => one.impact === impact))
  const page = { id: 'tymt9n04zgry', name: 'Claude', url: 'https://status.claude.com', time_zone: 'Etc/UTC' }
  const status = { indicator: worst ?? 'none', description: worst ? DESCRIPTIONS[worst] : 'All Systems Operational' }
  const bodies: { readonly [path: string]: JsonObject } = {
    '/api/v2/status.json': { status },
    '/api/v2/incidents.json': { incidents: all },
    '/api/v2/components.json': { components: components(worst) },
  }
  const summary = { components: components(worst), incidents: open, scheduled_maintenances: [], status }
  return { page: { ...page, updated_at: iso(query.at) }, ...(bodies[path] ?? summary) }
}

const DESCRIPTIONS = {
  minor: 'Minor Service Outage',
  major: 'Partial System Outage',
  critical: 'Major Service Outage',
} as const
const API_STATUS = { minor: 'degraded_performance', major: 'partial_outage', critical: 'major_outage' } as const

function components(worst: 'minor' | 'major' | 'critical' | undefined): readonly JsonObject[] {
  return COMPONENTS.map((component, at) => ({
    id: component.code,
    name: component.name,
    status: component === API && worst ? API_STATUS[worst] : 'operational',
    group: false,
    group_id: null,
    position: at + 1,
    only_show_if_degraded: false,
    showcase: true,
    page_id: 'tymt9n04zgry',
    description: null,
  }))
}

interface PostedIncident extends JsonObject {
  readonly status: 'investigating' | 'monitoring' | 'resolved'
  readonly impact: Impact
}

function post(
  { name, startsMs, endsMs = Infinity, impact = 'minor' }: StatusIncident,
  { onsetLagMs = ONSET_LAG_MS, endLagMs = END_LAG_MS }: StatusPageOptions,
  { startedAt, at }: StatusQuery,
): readonly PostedIncident[] {
  const postedAt = startedAt + startsMs + onsetLagMs
  const overAt = startedAt + endsMs
  // An incident that was over before it would have been posted is never shown.
  if (at < postedAt || overAt < postedAt) return []
  const status = at < overAt ? 'investigating' : at < overAt + endLagMs ? 'monitoring' : 'resolved'
  const id = digest('incident', name, startsMs).toLowerCase().slice(0, 12)
  return [
    {
      id,
      name,
      status,
      impact,
      started_at: iso(startedAt + startsMs),
      created_at: iso(postedAt),
      monitoring_at: status === 'investigating' ? null : iso(overAt),
      resolved_at: status === 'resolved' ? iso(overAt + endLagMs) : null,
      shortlink: `https://stspg.io/${id}`,
      components: components(undefined).filter((component) => component['id'] === API.code),
      incident_updates: [
        { id: `${id}u`, status: 'investigating', body: 'We are investigating this issue.', display_at: iso(postedAt) },
      ],
    },
  ]
}

/** One incident for each window, by what it hits. */
function incidentsOf(outages: readonly Outage[]): readonly StatusIncident[] {
  const found = outages.flatMap(({ when }): readonly StatusIncident[] => {
    if (!('window' in when)) return []
    const [startsMs, endsMs] = when.window
    const whole = when.model === undefined && (when.rate ?? 1) === 1
    const name = `Elevated errors on ${when.model === undefined ? 'many models' : titleOf(when.model)}`
    return [{ name, startsMs, endsMs: endsMs ?? Infinity, impact: whole ? 'critical' : 'minor' }]
  })
  return found.filter(
    (one, at) => found.findIndex(({ name, startsMs }) => name === one.name && startsMs === one.startsMs) === at,
  )
}

/** `claude-opus-5-5` is written Claude Opus 5.5. */
function titleOf(model: string): string {
  return model
    .replace(/-(\d+)-(\d)\b/, ' $1.$2')
    .replaceAll('-', ' ')
    .replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())
}

function iso(at: number): string {
  return new Date(at).toISOString()
}
