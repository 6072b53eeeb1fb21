/**
 * Looks at sessions whose row is due, and queues those that can continue.
 *
 * 1. It reads heads and writes rows and jobs; it takes no lease.
 * 2. The row of a session that another process holds is looked at again when that lease would have expired: one look
 *    per lease. Both instants are those of Redis, so the clock of this process does not matter.
 */
import type { SessionSummary, Store } from '@lastgood/core'
import type { Verdict } from './assess.ts'
import type { DueIndex, Row, RowAction } from './due-index.ts'
import type { Queues } from './queue.ts'
import type { Recoveries } from './recoveries.ts'
import { allOf } from './repeat.ts'
import type { Unreadable } from './unreadable.ts'

export interface FeederParts {
  readonly store: Store
  readonly index: DueIndex
  readonly queues: Queues
  readonly recoveries: Recoveries
  readonly unreadable: Unreadable
}

/** Rows claimed in one look at a shard. */
const chunkLength = 25
/** A queued session is looked at again after this, in case the queue lost its job or a worker died with it. */
export const queuedLookMs = 10_000
/** Bounds for the wait of one that is held, however far the clocks of two servers differ. */
const [shortestHeldMs, longestHeldMs] = [500, 30_000]
/** When very many are queued, each is looked at less often: later by this for each row there is. */
const laterPerRowMs = 5

export class Feeder {
  readonly #it: FeederParts
  /** Rows of all shards at the last look. */
  rows = 0

  constructor(parts: FeederParts) {
    this.#it = parts
  }

  /** Looks once at every shard; whether more rows may be due. Errors: `store-unavailable`. */
  async pass(): Promise<boolean> {
    const { index } = this.#it
    const found = await allOf(
      index.shards.map(async (shard) => {
        const { size, rows } = await index.claim(shard, chunkLength)
        await allOf(rows.map((row) => this.#look(row)))
        return { size, isFull: rows.length === chunkLength }
      }),
    )
    this.rows = found.reduce((sum, { size }) => sum + size, 0)
    return found.some(({ isFull }) => isFull)
  }

  async #look(row: Row): Promise<void> {
    const { store, index, queues, recoveries, unreadable } = this.#it
    const { sessionId, score, priority } = row
    let summary: SessionSummary | undefined
    try {
      summary = await store.summary(sessionId)
    } catch (error) {
      const againInMs = unreadable.againInMs(sessionId, error)
      if (againInMs === undefined) throw error
      return index.settle(sessionId, score, againInMs, 'keep')
    }
    const verdict = await recoveries.assessFresh(summary)
    if (verdict.kind === 'due') {
      // A turn submitted a moment ago is in the queue already; any other session that is due here was begun before.
      const urgency = priority === 'interactive' ? 'interactive' : 'begun'
      await queues.add(verdict.agent, sessionId, verdict.seq, urgency)
    }
    await index.settle(sessionId, score, this.#actionOf(verdict, row), 'keep')
  }

  #actionOf(verdict: Verdict, { claimedAt }: Row): RowAction {
    switch (verdict.kind) {
      case 'nothing':
        return 'remove'
      case 'due':
        return Math.max(queuedLookMs, this.rows * laterPerRowMs)
      case 'held':
        return Math.min(Math.max(verdict.expiresAt - claimedAt, shortestHeldMs), longestHeldMs)
      case 'later':
        return verdict.inMs
    }
  }
}
