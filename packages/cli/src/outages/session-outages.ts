/**
 * The outages of one session: from when to when, why, and how each ended. Pure.
 *
 * It takes entries one by one, in order, so that a follower of the journal need not read it again; and it keeps no
 * content, and only the newest outages: its memory does not grow with a session that lives for weeks.
 */
import type { Entry } from '@lastgood/core'
import { shorten } from '../text.ts'
import { isOutageKind } from './outage-kinds.ts'
import { survivedBy, Troubles, type SessionOutage } from './trouble.ts'

/** An outage that the session came through. */
export type SurvivedOutage = SessionOutage & { until: number; end: (typeof survivedBy)[number] }
const isSurvived = (one: SessionOutage): one is SurvivedOutage => survivedBy.some((end) => end === one.end)

/** The most that is kept of a session, the newest. */
const kept = 100

export class SessionOutages {
  readonly #troubles = new Troubles()
  #past: SessionOutage[] = []

  /** The oldest first; the last one may still last. */
  get all(): readonly SessionOutage[] {
    const { outage } = this.#troubles.open ?? {}
    return outage ? [...this.#past, outage] : this.#past
  }

  /** The model that was asked last. */
  get model(): string | null {
    return shorten(this.#troubles.model, 60) || null
  }

  /** The last outage that the session came through. */
  get lastSurvived(): SurvivedOutage | undefined {
    return this.#past.findLast(isSurvived)
  }

  /** What `entry` means for outages; undefined if it is about something else. */
  take(entry: Entry): 'failed' | 'answered' | undefined {
    const outage = this.#troubles.take(entry)?.outage
    if (outage) this.#past = [...this.#past, outage].slice(-kept)
    if (entry.type === 'fault-observed') return isOutageKind(entry.fault.kind) ? 'failed' : undefined
    if ((entry.type === 'kept-apart' ? entry.of : entry.type) !== 'response-received') return undefined
    const last = this.#past.at(-1)
    if (last?.answeredAt === null) this.#past = [...this.#past.slice(0, -1), { ...last, answeredAt: entry.at }]
    return 'answered'
  }
}
