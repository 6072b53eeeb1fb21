/**
 * The status page of the demo's API, and what it said when it was read.
 *
 * 1. It lags, as real ones do: it reports the outage of a model only once that model answers again.
 * 2. It takes what really happened from the lab's records; nobody tells it.
 * 3. Readings are kept in memory: the store's shared records belong to the user.
 */
import { memoryStore, pageSays, relevantIncident, statusPage, type Clock, type StatusPagePoller } from '@lastgood/core'
import type { Lab, RecordedRequest, StatusPageOptions } from '@lastgood/outage-lab'
import { demoModels } from './outages.ts'

/** What a read of the page said, and when. */
export interface PageReading {
  /** Epoch ms. */
  readonly at: number
  readonly says: 'incident' | 'operational' | 'unknown'
  /** Status and name of the incident. */
  readonly incident?: string
}

/** When the model was first refused as overloaded, and when it answered again. */
export interface ModelOutage {
  readonly from: number
  readonly to: number
}

export interface LabCall {
  readonly at: number
  readonly model: string
  readonly kind: string
  readonly status?: number | undefined
}

/** The outage of `model` as the API's calls show it; undefined while it lasts, or if there was none. */
export function outageOf(model: string, calls: readonly LabCall[]): ModelOutage | undefined {
  const own = calls.filter((call) => call.model === model)
  const first = own.findIndex(({ status }) => status === 529)
  const end = own.find(({ kind }, at) => at > first && kind === 'ok')
  const from = own[first]?.at
  return from === undefined || !end ? undefined : { from, to: end.at }
}

export function labCall({ at, body, outcome }: RecordedRequest): LabCall {
  return { at, model: body?.model ?? '', kind: outcome.kind, status: outcome.status }
}

/** Longer than the demo lasts: the incident stays on the page. */
const endLagMs = 600_000

/** The page of the lab, for as long as the lab exists. */
export function laggingPage(lab: () => Pick<Lab, 'requests' | 'startedAt'> | undefined): StatusPageOptions {
  return {
    onsetLagMs: 0,
    endLagMs,
    // Computed anew for each request.
    get incidents() {
      const { requests = [], startedAt = 0 } = lab() ?? {}
      const outage = outageOf(demoModels[0], requests.map(labCall))
      if (!outage) return []
      const [startsMs, endsMs] = [outage.from - startedAt, outage.to - startedAt]
      return [{ name: 'Elevated errors on Claude Opus 5.5', startsMs, endsMs }]
    },
  }
}

export interface PageReader extends Pick<StatusPagePoller, 'poll'> {
  readonly readings: readonly PageReading[]
}

/** Reads the lab's page, and keeps what it says. */
export function pageReader({ statusUrl }: Lab, clock: Clock): PageReader {
  const poller = statusPage({ shared: memoryStore().shared, clock, urls: [statusUrl], everyMs: 1 })
  const readings: PageReading[] = []
  return {
    readings,
    async poll(options) {
      const reading = await poller.poll({ ...options, urgent: true })
      const [model] = demoModels
      const { page, checkedAt = clock.now() } = reading
      const open = page && relevantIncident(page, model)?.incident
      const incident = open && `${open.status} '${open.name}'`
      readings.push({ at: checkedAt, says: pageSays(page, model), ...(incident && { incident }) })
      return reading
    },
  }
}
