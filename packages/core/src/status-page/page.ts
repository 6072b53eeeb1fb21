/**
 * A status page as data: what lastgood keeps of a `summary.json` from Atlassian Statuspage.
 *
 * 1. It is somebody else's document: unknown fields pass, a missing field costs only its own information, and only a
 *    document without `status` is no status page at all.
 * 2. Little is kept: a dozen incidents at most, each text cut, nothing of their updates.
 *
 * Source of the format: https://status.claude.com/api (Statuspage's public API, version 2).
 */
import { z } from 'zod'
import { lazily } from '../lazily.ts'

/** The component of the Messages API on Anthropic's page, and what it is called there. */
const apiComponent = { id: 'k8w3r06qmzrp', name: /\bapi\.anthropic\.com\b|^claude api\b/i }

const incidentSchema = lazily(() =>
  z.strictObject({
    name: z.string(),
    /** `investigating`, `identified`, `monitoring`, or a future word. */
    status: z.string(),
    /** `none`, `minor`, `major`, `critical`, or a future word. */
    impact: z.string(),
    /** Epoch ms. */
    startedAt: z.number().optional(),
    /** The incident names components, and the API is not among them. */
    isElsewhere: z.literal(true).optional(),
  }),
)
export type Incident = z.infer<ReturnType<typeof incidentSchema>>

/** What is kept of a page. The schema also reads it back from a shared record. */
export const statusPageSchema = lazily(() =>
  z.strictObject({
    /** For the whole page: `none`, `minor`, `major`, `critical`, `maintenance`, or a future word. */
    indicator: z.string(),
    /** The page's own words for it: `All Systems Operational`. */
    description: z.string(),
    /**
     * The Messages API's component: `operational`, `degraded_performance`, `partial_outage`, `major_outage`,
     * `under_maintenance`, or a future word; absent if the page has no such component.
     */
    api: z.string().optional(),
    openIncidents: z.array(incidentSchema()),
    /** When the page last changed, epoch ms. */
    updatedAt: z.number().optional(),
  }),
)
export type StatusPage = z.infer<ReturnType<typeof statusPageSchema>>

const largestCount = 12
const word = lazily(() => z.string().transform((text) => text.slice(0, 40)))
const words = lazily(() => z.string().transform((text) => text.slice(0, 200)))
const instant = lazily(() =>
  z.string().transform((text) => {
    const at = Date.parse(text)
    return Number.isFinite(at) ? at : undefined
  }),
)
const component = lazily(() =>
  z.looseObject({
    id: z.string().optional().catch(undefined),
    name: z.string().optional().catch(undefined),
    status: word().optional().catch(undefined),
  }),
)
const update = lazily(() =>
  z.looseObject({
    affected_components: z
      .array(
        z.looseObject({ code: z.string().optional().catch(undefined), name: z.string().optional().catch(undefined) }),
      )
      .nullish()
      .catch(undefined),
  }),
)
const incident = lazily(() =>
  z.looseObject({
    name: words(),
    status: word(),
    impact: word().catch('none'),
    started_at: instant().optional().catch(undefined),
    created_at: instant().optional().catch(undefined),
    components: z.array(component()).catch([]),
    incident_updates: z.array(update()).catch([]),
  }),
)
const summarySchema = lazily(() =>
  z.looseObject({
    page: z.looseObject({ updated_at: instant().optional().catch(undefined) }).catch({}),
    status: z.looseObject({ indicator: word(), description: words().catch('') }),
    components: z.array(component()).catch([]),
    incidents: z.array(z.unknown()).catch([]),
  }),
)

/** The page in a parsed body of `summary.json`; undefined if the body is something else. */
export function readStatusPage(body: unknown): StatusPage | undefined {
  const { success, data } = summarySchema().safeParse(body)
  if (!success) return undefined
  const { page, status, components, incidents } = data
  const api = components.find(({ id }) => id === apiComponent.id) ?? components.find(isApi)
  return {
    indicator: status.indicator,
    description: status.description,
    ...(api?.status !== undefined && { api: api.status }),
    openIncidents: incidents.flatMap(openIncident).slice(0, largestCount),
    ...(page.updated_at !== undefined && { updatedAt: page.updated_at }),
  }
}

/** An incident that cannot be read is left out: the others still count. */
function openIncident(value: unknown): Incident[] {
  const { success, data } = incident().safeParse(value)
  if (!success || /^(resolved|postmortem)$/.test(data.status)) return []
  const { name, status, impact, started_at: began, created_at: posted, components, incident_updates: updates } = data
  const startedAt = began ?? posted
  const named = [
    ...components,
    ...updates.flatMap(({ affected_components: affected }) =>
      (affected ?? []).map(({ code, name: called }) => ({ id: code, name: called })),
    ),
  ]
  const isElsewhere = named.length > 0 && !named.some(isApi)
  return [{ name, status, impact, ...(startedAt !== undefined && { startedAt }), ...(isElsewhere && { isElsewhere }) }]
}

function isApi({ id, name }: { id?: string | undefined; name?: string | undefined }): boolean {
  return id === apiComponent.id || (name !== undefined && apiComponent.name.test(name))
}
