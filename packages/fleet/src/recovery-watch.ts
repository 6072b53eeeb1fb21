/**
 * Pulls sessions forward when the model they wait for answers again, instead of leaving each to its own instant.
 *
 * 1. Each comes at its own place on a ramp (`comeback.ts`), so that recovery is not the second outage.
 * 2. For each recovery one worker of the fleet does it, until it is done. If it dies half-way, the remaining sessions
 *    wait for their own instants.
 * 3. A session that cannot be read, or not now, does not keep the others waiting, whatever their model.
 */
import type { Clock, Store } from '@lastgood/core'
import type { DueIndex } from './due-index.ts'
import type { Keys } from './keys.ts'
import type { Recoveries } from './recoveries.ts'
import { allOf } from './repeat.ts'
import { readable } from './unreadable.ts'

export interface WatchParts {
  readonly store: Store
  readonly clock: Clock
  readonly index: DueIndex
  readonly keys: Keys
  readonly recoveries: Recoveries
}

/** An older recovery was handled by an earlier worker. */
const newsMs = 600_000
const lockMs = 60_000
/** Heads read at a time. */
const chunkLength = 100

export class RecoveryWatch {
  readonly #it: WatchParts
  readonly #seen = new Map<string, number>()
  /** By model: the recovery that this worker has taken and not finished, for instance because the store was away. */
  readonly #begun = new Map<string, number>()

  constructor(parts: WatchParts) {
    this.#it = parts
  }

  /** Errors: `store-unavailable`. */
  async look(): Promise<void> {
    const { recoveries } = this.#it
    await recoveries.refresh(0)
    await allOf([...recoveries.all].map(([model, { at }]) => this.#follow(model, at)))
  }

  async #follow(model: string, at: number): Promise<void> {
    const { clock, index, keys } = this.#it
    if (at <= (this.#seen.get(model) ?? clock.now() - newsMs)) return
    if (this.#begun.get(model) === at || (await index.lock(keys.recovery(model, at), lockMs))) {
      this.#begun.set(model, at)
      await this.#pull(model)
      this.#begun.delete(model)
    }
    this.#seen.set(model, at)
  }

  async #pull(model: string): Promise<void> {
    const { index } = this.#it
    const failures: unknown[] = []
    const note = (error: unknown) => void failures.push(error)
    for (const shard of index.shards) {
      // The ids all at once: a row that is moved changes the ranks of those after it.
      const ids = (await index.sessionsOf(shard).catch(note)) ?? []
      for (let from = 0; from < ids.length; from += chunkLength) {
        await Promise.all(ids.slice(from, from + chunkLength).map((id) => this.#pullOne(id, model).catch(note)))
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  async #pullOne(sessionId: string, model: string): Promise<void> {
    const { store, index, recoveries } = this.#it
    const summary = await readable(store, sessionId)
    if (summary?.head.model !== model || summary.head.status !== 'waiting') return
    const verdict = recoveries.assess(summary)
    if (verdict.kind === 'due') await index.putEarlier(sessionId, 0)
    if (verdict.kind === 'later') await index.putEarlier(sessionId, verdict.inMs)
  }
}
