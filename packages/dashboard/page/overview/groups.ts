/**
 * Which sessions are shown, in which groups and order. Pure.
 *
 * 1. Every session that matches is in exactly one group, the one that the server assigned.
 * 2. Sessions that need a person come first; among them, those that have waited longest.
 */
import type { SessionCard } from '../../src/overview.ts'

export type GroupName = SessionCard['group']

const groupNames: readonly GroupName[] = ['needs-you', 'waiting', 'recovered', 'running', 'done']

export interface Group {
  name: GroupName
  cards: readonly SessionCard[]
}

export function groupsOf(cards: Iterable<SessionCard>, search: string): Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const found = new Map<GroupName, SessionCard[]>(groupNames.map((name) => [name, []]))
  for (const card of cards) if (matches(card, words)) found.get(card.group)?.push(card)
  return [...found].map(([name, own]) => ({ name, cards: own.sort(orders[name]) }))
}

/** Every word must occur in what the row shows. */
function matches(card: SessionCard, words: readonly string[]): boolean {
  if (words.length === 0) return true
  const { sessionId, agent, model, fallback, cwd, reason, status } = card
  const text = [sessionId, agent, model, fallback, cwd, reason, status].join('\n').toLowerCase()
  return words.every((word) => text.includes(word))
}

type Order = (a: SessionCard, b: SessionCard) => number
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const byId: Order = (a, b) => byText(a.sessionId, b.sessionId)
const newest: Order = (a, b) => byText(b.updatedAt, a.updatedAt) || byId(a, b)
const orders: Readonly<Record<GroupName, Order>> = {
  'needs-you': (a, b) => byText(a.updatedAt, b.updatedAt) || byId(a, b),
  waiting: (a, b) => byText(a.dueAt ?? '~', b.dueAt ?? '~') || byId(a, b),
  recovered: (a, b) => byText(b.recovered?.at ?? '', a.recovered?.at ?? '') || byId(a, b),
  // Sorting live sessions by their last entry would make the rows jump.
  running: byId,
  done: newest,
}
