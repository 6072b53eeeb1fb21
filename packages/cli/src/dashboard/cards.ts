/** The sessions as last seen, as rows and as cards, and the changes that nobody has been told of. */
import { LastgoodError, type FleetAgents, type SessionSummary } from '@lastgood/core'
import type { SessionCard } from '@lastgood/dashboard'
import type { SurvivedOutage } from '../outages/session-outages.ts'
import { rowOf, type SessionRow } from '../sessions/session-row.ts'
import { sessionCard, type CardFacts } from './session-card.ts'

export class Cards {
  readonly #facts: (sessionId: string) => CardFacts
  readonly #rows = new Map<string, SessionRow>()
  readonly #cards = new Map<string, SessionCard>()
  readonly #changed = new Set<string>()
  readonly #removed = new Set<string>()
  /** The agents of the fleets of the store. */
  fleet: FleetAgents = new Set()

  constructor(
    facts: Omit<CardFacts, 'now' | 'survived'>,
    now: () => number,
    survived: (id: string) => SurvivedOutage | undefined,
  ) {
    this.#facts = (sessionId) => ({ ...facts, now: now(), survived: survived(sessionId) })
  }

  get rows(): readonly SessionRow[] {
    return [...this.#rows.values()]
  }

  get ids(): readonly string[] {
    return [...this.#rows.keys()]
  }

  /** The sessions that are held. */
  get held(): readonly string[] {
    return this.rows.filter(({ holder }) => holder !== null).map(({ head }) => head.sessionId)
  }

  /** The newest first. */
  get all(): SessionCard[] {
    return [...this.#cards.values()].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
  }

  /** Errors: `journal-corrupt` if no card can be made of it; what was known before stays. */
  take(summary: SessionSummary): void {
    const { sessionId } = summary.head
    const row = rowOf(summary, this.fleet)
    const card = this.#cardOf(row)
    this.#rows.set(sessionId, row)
    const before = this.#cards.get(sessionId)
    if (before && JSON.stringify(before) === JSON.stringify(card)) return
    this.#cards.set(sessionId, card)
    this.#changed.add(sessionId)
    this.#removed.delete(sessionId)
  }

  /** Makes the card anew: it changes without an entry when a holder dies or a day is over. Errors: as of `take`. */
  show(sessionId: string): void {
    const known = this.#rows.get(sessionId)
    if (known) this.take(known)
  }

  drop(sessionId: string): void {
    this.#rows.delete(sessionId)
    this.#changed.delete(sessionId)
    if (this.#cards.delete(sessionId)) this.#removed.add(sessionId)
  }

  #cardOf(row: SessionRow): SessionCard {
    const { sessionId } = row.head
    try {
      return sessionCard(row, this.#facts(sessionId))
    } catch (cause) {
      throw new LastgoodError('journal-corrupt', `session ${sessionId} is damaged: what it says cannot be shown`, {
        hint: `see what can be read: lastgood show ${sessionId}`,
        cause,
        details: { sessionId },
      })
    }
  }

  /** What has changed since the last call. */
  news(): { changed: SessionCard[]; removed: string[] } {
    const changed = [...this.#changed].flatMap((id) => this.#cards.get(id) ?? [])
    const removed = [...this.#removed]
    this.#changed.clear()
    this.#removed.clear()
    return { changed, removed }
  }
}
