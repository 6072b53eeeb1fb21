/** What the status page says, as its card: a page that could not be read lately is unknown, never green. Pure. */
import { pageSays } from '@lastgood/core'
import type { StatusPageCard } from '@lastgood/dashboard'
import { isoOrNull } from '../durations.ts'
import { pageWords } from '../status/page-words.ts'
import type { StatusReport } from '../status/verdict.ts'
import { safeLine } from '../text.ts'

export function statusPageCard(reading: StatusReport['page']): StatusPageCard {
  if ('off' in reading) {
    return { says: 'not-asked', text: `not asked (${reading.off})`, checkedAt: null, incidents: [] }
  }
  const { page, checkedAt, failure } = reading
  const { says } = pageWords(reading)
  const isKnown = says !== 'unknown'
  return {
    says: isKnown ? pageSays(page) : 'unknown',
    // Without the age: with it the text would change every second, and the page has the instant.
    text: isKnown || failure === undefined ? says : `${says} (last try: ${safeLine(failure)})`,
    checkedAt: isoOrNull(checkedAt),
    incidents: (page?.openIncidents ?? []).map(({ name, status, impact, startedAt, isElsewhere }) => ({
      name: safeLine(name),
      status: safeLine(status),
      impact: safeLine(impact),
      startedAt: isoOrNull(startedAt),
      concernsApi: isElsewhere !== true,
    })),
  }
}
