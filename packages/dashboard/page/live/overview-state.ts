/**
 * What the page knows: the last overview, and the changes since.
 *
 * 1. Signals are replaced, never mutated, so that only what differs is redrawn.
 * 2. Nothing is dropped when the connection is lost: the page shows what it knew, and as of when.
 */
import { computed, signal } from '@preact/signals'
import type { Overview, OverviewChange, SessionCard } from '../../src/overview.ts'
import { setServerTime } from './server-clock.ts'

/** All but the sessions; undefined before the first overview. */
export const overview = signal<Omit<Overview, 'sessions'> | undefined>(undefined)
export const sessions = signal<ReadonlyMap<string, SessionCard>>(new Map())
/** The state of the page's connection to the server. */
export const connection = signal<Connection>({ kind: 'connecting' })
/** The instant, by the server's clock, at which what is shown was true. */
export const shownAt = signal<number | undefined>(undefined)

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'lost'; since: number; why: string }
  | { kind: 'signed-out' }

/** Why no action is possible from this page, or undefined. */
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
