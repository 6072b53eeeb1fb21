/**
 * What a status page says about the API, and what that may change. Pure.
 *
 * 1. It is advice. An incident is posted some 6 min after an outage began and closed 8 to 23 min after it ended, so the
 *    page never starts, stops or forbids a try, and never says that the API is back.
 * 2. No page is "unknown", never "operational".
 * 3. It can lengthen the pause between probes, never shorten it.
 */
import { incidentMatch, type IncidentMatch } from './incident-model.ts'
import type { Incident, StatusPage } from './page.ts'

export interface RelevantIncident {
  readonly incident: Incident
  /** How the incident's name relates to the model; `any` if no model was asked for. */
  readonly match: IncidentMatch
}

const closeness: readonly IncidentMatch[] = ['model', 'family', 'any']

/** The open incident of the API closest to the model, if any; one that names only other models does not count. */
export function relevantIncident(page: StatusPage, model?: string): RelevantIncident | undefined {
  const found = page.openIncidents
    .filter(({ isElsewhere }) => !isElsewhere)
    .map((incident) => ({
      incident,
      match: model === undefined ? ('any' as const) : incidentMatch(incident.name, model),
    }))
  return closeness.map((match) => found.find((one) => one.match === match)).find((one) => one !== undefined)
}

/**
 * An incident may be open while every component is operational. A degraded API may be due to another model's incident,
 * but no one can tell, so it counts as an incident. `unknown` without a page, or if the page does not mention the API.
 */
export function pageSays(page: StatusPage | undefined, model?: string): 'incident' | 'operational' | 'unknown' {
  if (!page) return 'unknown'
  if (relevantIncident(page, model)) return 'incident'
  if (page.api === undefined) return 'unknown'
  return page.api === 'operational' ? 'operational' : 'incident'
}

/** An older page says nothing about the present: two polls at the usual pace. */
const freshMs = 30 * 60_000

/**
 * The factor for the pause between probes: 2 while a page not older than 30 min reports a major outage of the API or an
 * incident of major or critical impact that is not yet being monitored after a fix, else 1.
 *
 * @param checkedAt when the page was read, epoch ms
 */
export function probeFactor(page: StatusPage | undefined, checkedAt: number | undefined, now: number): 1 | 2 {
  if (!page || checkedAt === undefined || now - checkedAt > freshMs) return 1
  const isMajor = ({ impact, status, isElsewhere }: Incident) =>
    !isElsewhere && /^(major|critical)$/.test(impact) && status !== 'monitoring'
  return page.api === 'major_outage' || page.openIncidents.some(isMajor) ? 2 : 1
}
