/**
 * Goes over the heads and writes missing rows: those of sessions whose own program died outside the fleet, and those
 * that a server lost.
 *
 * 1. One worker of the fleet does it at a time, for the agents of all workers, and paced. It reads heads, and writes
 *    only where there is no row.
 * 2. A session that cannot be read does not stop it.
 */
import { isJournalError, type Clock, type Store } from '@lastgood/core'
import type { Agents } from './agents.ts'
import type { DueIndex } from './due-index.ts'
import type { Recoveries } from './recoveries.ts'

export interface SweepParts {
  readonly store: Store
  readonly clock: Clock
  readonly index: DueIndex
  readonly recoveries: Recoveries
  readonly agents: Agents
  /** Names of the agents that this worker runs. */
  readonly own: Iterable<string>
  /** The key that marks a sweep under way or just done, and how long it lasts. */
  readonly lock: { readonly key: string; readonly ttlMs: number }
  readonly signal: AbortSignal
}

/** A pause of `pauseMs` after every `chunkLength` heads. */
const [chunkLength, pauseMs] = [100, 20]

/** Does nothing if another worker sweeps. Errors: `store-unavailable`. */
export async function sweep(parts: SweepParts): Promise<void> {
  const { store, clock, index, recoveries, agents, own, lock, signal } = parts
  // A server may have lost the names of the agents: each worker writes its own again, since no other would.
  await Promise.all([...own].map((name) => agents.enlist(name)))
  if (!(await index.lock(lock.key, lock.ttlMs))) return
  const known = new Set(await agents.names())
  let seen = 0
  try {
    for await (const summary of store.list()) {
      if (signal.aborted) break
      const { agent, sessionId } = summary.head
      const verdict = recoveries.assess(summary)
      if (agent !== undefined && known.has(agent) && verdict.kind !== 'nothing') {
        await index.putIfMissing(sessionId, verdict.kind === 'later' ? verdict.inMs : 0)
      }
      seen += 1
      if (seen % chunkLength === 0) await clock.sleepUntil(clock.now() + pauseMs, { signal, background: true })
    }
  } catch (error) {
    // The list yields all readable sessions first; `lastgood doctor` reports the one that failed.
    if (!signal.aborted && !isJournalError(error)) throw error
  }
}
