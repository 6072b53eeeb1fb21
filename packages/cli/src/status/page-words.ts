/** What the status page says, in words for one line. A page that could not be read lately is unknown, never fine. */
import { pageSays, relevantIncident, type StatusReading } from '@lastgood/core'
import { spent } from '../durations.ts'
import { safeLine } from '../text.ts'

export interface PageWords {
  /** What it says; the same words for as long as nothing changes. */
  readonly says: string
  /** How far that can be trusted. */
  readonly note: string | undefined
}

/** An older reading says nothing of the present: two polls at the usual pace. */
const staleMs = 30 * 60_000

export function pageWords(reading: StatusReading, model?: string): PageWords {
  const { page, ageMs } = reading
  if (!page) return { says: 'unknown', note: undefined }
  const age = `${spent(ageMs)} old`
  if (ageMs > staleMs) return { says: 'unknown', note: `the last one is ${age}` }
  const relevant = relevantIncident(page, model)
  if (relevant) {
    const { incident, match } = relevant
    const note = match === 'family' ? `it may mean ${model ?? 'this model'}; ${age}` : age
    return { says: safeLine(`${incident.status} '${incident.name}'`), note: safeLine(note) }
  }
  switch (pageSays(page, model)) {
    case 'operational':
      return { says: 'API operational', note: 'may lag by ~10 min' }
    case 'incident':
      return { says: safeLine(`API ${(page.api ?? '').replaceAll('_', ' ')}`), note: age }
    case 'unknown':
      return { says: 'unknown', note: 'it does not mention the API' }
  }
}

/** `status page: investigating 'Elevated errors' (6m00s old)`. */
export function pageLine({ says, note }: PageWords): string {
  return `status page: ${says}${note === undefined ? '' : ` (${note})`}`
}
