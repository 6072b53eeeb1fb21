/**
 * Pulls sessions forward when the model that they wait for answers again, instead of letting each sleep to its own instant.
 *
 * 1. Each comes at its own place on a ramp (`comeback.ts`), so that recovery is not the second outage.
 * 2. One worker of all does it for each recovery, until it is done. If it dies half-way, the others wait for their own
 *    instants.
 * 3. A session that cannot be read does not stop it.
 */
import { isJournalError, type Clock, type Store } from '@lastgood/core'
import type { DueIndex } from './due-index.ts'
import type { Keys } from './keys.ts'
import type { Recoveries } from './recoveries.ts'

export interface WatchParts {
  readonly store: Store
  readonly clock: Clock
  readonly index: DueIndex
  readonly keys: Keys
  readonly recoveries: Recoveries
}

/** What is older was told by a worker before. */
const newsMs = 600_000
const lockMs = 60_000
/** Heads of one round trip. */
const chunkLength = 100

export class RecoveryWatch {
  readonly #it: WatchParts
  readonly #seen = new Map<string, number>()
  /** The recovery of a model that is this worker's, and not done yet: the store was away, for one. */
  readonly #begun = new Map<string, number>()

  constructor(parts: WatchParts) {
    this.#it = parts
  }

  /** The rows that were pulled forward. Errors: `store-unavailable`. */
  async look(): Promise<number> {
    const { clock, index, keys, recoveries } = this.#it
    await recoveries.refresh(0)
    let pulled = 0
    for (const [model, { at }] of recoveries.all) {
      if (at <= (this.#seen.get(model) ?? clock.now() - newsMs)) continue
      if (this.#begun.get(model) === at || (await index.lock(keys.recovery(model, at), lockMs))) {
        this.#begun.set(model, at)
        pulled += await this.#pull(model)
        this.#begun.delete(model)
      }
      this.#seen.set(model, at)
    }
    return pulled
  }

  async #pull(model: string): Promise<number> {
    const { index } = this.#it
    let pulled = 0
    for (const shard of index.shards) {
      // All at once: rows that are moved would change the places of those after them.
      const ids = await index.sessionsOf(shard)
      for (let from = 0; from < ids.length; from += chunkLength) {
        const moved = await Promise.all(ids.slice(from, from + chunkLength).map((id) => this.#pullOne(id, model)))
        pulled += moved.filter(Boolean).length
      }
    }
    return pulled
  }

  async #pullOne(sessionId: string, model: string): Promise<boolean> {
    const { store, index, recoveries } = this.#it
    const summary = await store.summary(sessionId).catch((error: unknown) => {
      // The feeder tells of it.
      if (isJournalError(error)) return undefined
      throw error
    })
    if (summary?.head.model !== model || summary.head.status !== 'waiting') return false
    const verdict = recoveries.assess(summary)
    if (verdict.kind === 'nothing') return false
    return index.putEarlier(sessionId, verdict.kind === 'due' ? 0 : verdict.inMs)
  }
}
