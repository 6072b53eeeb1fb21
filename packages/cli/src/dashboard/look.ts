/**
 * One look at the heads of a store: what is new since the last one, and now and then all of them.
 *
 * 1. Thousands of idle sessions cost next to nothing: between two full looks only sessions that were written lately, or
 *    are held, are read. Removals are seen only by a full look.
 * 2. The cheaper a full look, the more often it comes: the pause after it is `restFactor` times as long as it took.
 * 3. What cannot be read does not hide the rest; it is reported.
 */
import { type Clock, type SessionFilter, type SessionSummary, type Store } from '@lastgood/core'

export interface Seen {
  /** The sessions that were read. */
  readonly summaries: readonly SessionSummary[]
  /** It was a full look: what is not among them is gone, or cannot be read. */
  readonly isFull: boolean
  /** The error that ended the look, or that of the first session that cannot be read. */
  readonly failure: unknown
}

/** How far a writer's clock may lag behind another one. */
const lateMs = 60_000
/** Full looks take a sixtieth of the time. */
const restFactor = 60
/** Holders come and go without an entry. */
const heldEveryMs = 3_000

export class Looker {
  readonly #clock: Clock
  /** When the last look began, in wall-clock time. */
  #lookedAt = -Infinity
  #fullDueAt = -Infinity
  #heldDueAt = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The next look is a full one. */
  startAnew(): void {
    this.#fullDueAt = -Infinity
  }

  /** `held`: the sessions that were held when they were seen last. */
  async look(store: Store, held: readonly string[]): Promise<Seen> {
    const startedAt = this.#clock.elapsed()
    const since = this.#lookedAt - lateMs
    this.#lookedAt = this.#clock.now()
    if (startedAt >= this.#fullDueAt) {
      const seen = await listed(store, {})
      const endedAt = this.#clock.elapsed()
      this.#fullDueAt = endedAt + restFactor * (endedAt - startedAt)
      this.#heldDueAt = endedAt + heldEveryMs
      return { ...seen, isFull: true }
    }
    const seen = await listed(store, { updatedSince: since })
    if (startedAt < this.#heldDueAt || seen.failure !== undefined) return { ...seen, isFull: false }
    this.#heldDueAt = startedAt + heldEveryMs
    const known = new Set(seen.summaries.map(({ head }) => head.sessionId))
    const others = await summariesOf(
      store,
      held.filter((id) => !known.has(id)),
    )
    return { ...others, summaries: [...seen.summaries, ...others.summaries], isFull: false }
  }
}

async function listed(store: Store, filter: SessionFilter): Promise<Omit<Seen, 'isFull'>> {
  const summaries: SessionSummary[] = []
  try {
    for await (const summary of store.list(filter)) summaries.push(summary)
    return { summaries, failure: undefined }
  } catch (failure) {
    return { summaries, failure }
  }
}

async function summariesOf(store: Store, ids: readonly string[]): Promise<Omit<Seen, 'isFull'>> {
  const found = await Promise.allSettled(ids.map((id) => store.summary(id)))
  return {
    summaries: found.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : [])),
    failure: found.find((one) => one.status === 'rejected')?.reason,
  }
}
