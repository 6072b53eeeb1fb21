/** The bands under the timeline of a session: how the provider did for it, and what the status page says. Pure. */
import { relevantIncident } from '@lastgood/core'
import type { Band, SessionDocument } from '@lastgood/dashboard'
import { iso } from '../durations.ts'
import type { SessionOutage } from '../outages/trouble.ts'
import { pageWords } from '../status/page-words.ts'
import type { StatusReport } from '../status/verdict.ts'
import { safeLine } from '../text.ts'

type ProviderBand = SessionDocument['bands']['provider'][number]

/** Shorter outages are hiccups. */
const downAfterMs = 10_000

/** From the session's first request on; `endedAt` is the instant of its last entry. */
export function providerBands(
  outages: readonly SessionOutage[],
  firstRequestAt: number | undefined,
  endedAt: number,
): ProviderBand[] {
  if (firstRequestAt === undefined) return []
  const starts: { at: number; state: ProviderBand['state']; text: string }[] = [
    { at: firstRequestAt, state: 'up', text: 'it answers' },
  ]
  for (const { since, until, cause, end, answeredAt } of outages) {
    // An outage that suspended a session lasts, as far as the session knows.
    const isOver = until !== null && end !== 'suspended'
    const lastedMs = (isOver ? until : endedAt) - since
    const state = lastedMs >= downAfterMs || end === 'suspended' ? 'down' : 'degraded'
    starts.push({ at: Math.max(since, firstRequestAt), state, text: cause })
    if (answeredAt !== null) starts.push({ at: answeredAt, state: 'up', text: 'it answers' })
  }
  const kept = starts.filter(({ at, state }, i) => starts[i + 1]?.at !== at && starts[i - 1]?.state !== state)
  return kept.map(({ at, state, text }, i) => {
    const next = kept[i + 1]
    return { from: iso(at), to: next ? iso(next.at) : null, state, text }
  })
}

/** What is known now; an incident, from its own beginning on. */
export function statusPageBands(reading: StatusReport['page'], model: string | undefined): Band<string>[] {
  if ('off' in reading || !reading.page || reading.checkedAt === undefined) return []
  const { says } = pageWords(reading, model)
  if (says === 'unknown') return []
  const incident = relevantIncident(reading.page, model)?.incident
  const from = incident?.startedAt ?? reading.checkedAt
  const state = incident?.status ?? reading.page.api ?? 'operational'
  return [{ from: iso(from), to: null, state: safeLine(state), text: says }]
}
