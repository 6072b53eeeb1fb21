/** What failed in the last hours, as the journals tell it. Pure. */
import type { HealthRecord } from '@lastgood/core'
import type { OutagesDocument, SessionOutageRow } from '@lastgood/dashboard'
import { iso, isoOrNull } from '../durations.ts'
import type { RecentJournals } from './recent-journals.ts'

export interface OutagesAsked {
  readonly journals: RecentJournals
  readonly sessionIds: readonly string[]
  readonly records: readonly HealthRecord[]
  readonly now: number
  /** Epoch ms. */
  readonly since: number
}

export function outagesDocument({ journals, sessionIds, records, now, since }: OutagesAsked): OutagesDocument {
  return {
    schema: 'lastgood.outages/v1',
    at: iso(now),
    since: iso(since),
    complete: journals.isComplete,
    providers: [...journals.minutes()]
      .map(([model, minutes]) => ({
        endpoint: endpointOf(model, records),
        model,
        minutes: minutes
          .filter(({ at }) => at >= since)
          .map(({ at, answered, failed }) => ({ at: iso(at), answered, failed })),
      }))
      .filter(({ minutes }) => minutes.length > 0),
    outages: sessionIds
      .flatMap((sessionId) => rowsOf(sessionId, journals, since))
      .sort((a, b) => (a.since < b.since ? 1 : -1)),
  }
}

function rowsOf(sessionId: string, journals: RecentJournals, after: number): SessionOutageRow[] {
  const outages = journals.of(sessionId)?.all ?? []
  return outages
    .filter(({ until }) => until === null || until >= after)
    .map(({ since, until, cause, model, attempts, end }) => ({
      sessionId,
      since: iso(since),
      until: isoOrNull(until),
      cause,
      model,
      attempts,
      end,
    }))
}

/** A journal does not say at which endpoint a model was asked. */
function endpointOf(model: string, records: readonly HealthRecord[]): string | null {
  const endpoints = new Set(records.filter((record) => record.model === model).map(({ endpoint }) => endpoint))
  const [endpoint, ...others] = endpoints
  return endpoint !== undefined && others.length === 0 ? endpoint : null
}
