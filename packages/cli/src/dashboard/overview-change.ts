/** What differs between two overviews. Pure. */
import type { Overview, OverviewChange, SessionCard } from '@lastgood/dashboard'

const parts = ['store', 'verdict', 'providers', 'statusPage', 'staggered', 'actions'] as const

/** All of an overview but the sessions. */
export type Shared = Pick<Overview, (typeof parts)[number]>

/** Undefined where nothing differs. */
export function changeBetween(
  before: Shared,
  now: Shared,
  sessions: SessionCard[],
  removed: readonly string[],
  at: string,
): OverviewChange | undefined {
  const differing = parts.filter((part) => JSON.stringify(before[part]) !== JSON.stringify(now[part]))
  if (differing.length === 0 && sessions.length === 0 && removed.length === 0) return undefined
  return {
    at,
    ...Object.fromEntries(differing.map((part) => [part, now[part]])),
    ...(sessions.length > 0 && { sessions }),
    ...(removed.length > 0 && { removed }),
  }
}
