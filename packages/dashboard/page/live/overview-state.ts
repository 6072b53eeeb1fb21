/**
 * What the page knows of everything: the last overview, and the changes since.
 *
 * 1. Signals are replaced, never changed inside, so that only what differs is drawn.
 * 2. Nothing is dropped when the connection is: the page shows what it knew, and says of when that is.
 */
import { computed, signal } from '@preact/signals'
import type { Overview, OverviewChange, SessionCard } from '../../src/overview.ts'
import { setServerTime } from './server-clock.ts'

/** All but the sessions, or nothing before the first overview. */
export const overview = signal<Omit<Overview, 'sessions'> | undefined>(undefined)
export const sessions = signal<ReadonlyMap<string, SessionCard>>(new Map())
/** How the page gets its news. */
export const connection = signal<Connection>({ kind: 'connecting' })
/** Of which instant, by the server's clock, the page shows the truth. */
export const shownAt = signal<number | undefined>(undefined)

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'lost'; since: number; why: string }
  | { kind: 'signed-out' }

/** Why nothing can be done from this page, or nothing. */
export const refusal = computed(() =>
  overview.value?.readOnly === true
    ? 'This dashboard is read-only: it was started with --read-only. Use the commands shown, in a terminal.'
    : undefined,
)

export function takeOverview({ sessions: cards, ...rest }: Overview): void {
  setServerTime(rest.at)
  shownAt.value = Date.parse(rest.at)
  overview.value = rest
  sessions.value = new Map(cards.map((card) => [card.sessionId, card]))
}

export function takeChange({ sessions: changed = [], removed = [], ...rest }: OverviewChange): void {
  setServerTime(rest.at)
  shownAt.value = Date.parse(rest.at)
  if (overview.value) overview.value = { ...overview.value, ...rest }
  if (changed.length + removed.length === 0) return
  const all = new Map(sessions.value)
  for (const card of changed) all.set(card.sessionId, card)
  for (const id of removed) all.delete(id)
  sessions.value = all
}
