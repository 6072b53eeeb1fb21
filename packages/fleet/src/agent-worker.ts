/**
 * Takes the jobs of one agent's queue and works on their sessions.
 *
 * 1. A job that stalls (its worker is gone) is simply dropped: the row of its session brings it back. So no BullMQ lock
 *    protects anything here, and a short one costs nothing.
 * 2. A drain counts what is under way itself. BullMQ would close its blocking connection and wait for that, for ever if
 *    the server is away just then. So one more job may come, which is handed back.
 */
import { Worker } from 'bullmq'
import { handBack } from './begin.ts'
import type { FleetConnection } from './connection.ts'
import type { Keys } from './keys.ts'
import type { RunningAgent } from './options.ts'
import { bullOptions, queueNameOf, sessionOf } from './queue.ts'
import { workOn } from './work.ts'
import type { Workplace } from './workplace.ts'

/** How long a worker holds a job without renewing its lock, and how often BullMQ looks for jobs without a lock. */
const [lockDuration, stalledInterval] = [5_000, 2_500]
/** The pause after a lost connection. */
const runRetryDelay = 1_000

export interface AgentWorker {
  /** Take no further job here; resolves when the jobs under way have ended, or the drain is called off. */
  drain(): Promise<void>
  /** Calls a drain off. */
  takeAgain(): Promise<void>
  /** Resolves when the jobs under way have ended. */
  close(): Promise<void>
  /** For a server that is gone. */
  disconnect(): void
}

/** `connection` comes from `patientCopyOf`. */
export function agentWorker(
  place: Workplace,
  running: RunningAgent,
  connection: FleetConnection,
  keys: Keys,
  onError: (error: unknown) => void,
): AgentWorker {
  const underWay = new Set<Promise<void>>()
  let isDraining = false
  const worker = new Worker(
    queueNameOf(running.agent.name),
    async ({ id }) => {
      const sessionId = sessionOf(id)
      if (sessionId === undefined) return
      // Where its row cannot be written, the one from before is looked at again.
      if (isDraining) return handBack(place, sessionId).catch(() => {})
      const work = workOn(place, running, sessionId)
      underWay.add(work)
      await work.finally(() => underWay.delete(work))
    },
    {
      ...bullOptions(connection, keys),
      concurrency: running.concurrency,
      maxStalledCount: 0,
      lockDuration,
      stalledInterval,
      runRetryDelay,
    },
  )
  worker.on('error', onError)
  let drained: Promise<unknown> | undefined
  let callOff = () => {}
  const ended = () => worker.pause(true).then(() => Promise.allSettled(underWay))
  return {
    async drain() {
      isDraining = true
      drained ??= Promise.race([ended(), new Promise<void>((resolve) => (callOff = resolve))])
      await drained
    },
    async takeAgain() {
      isDraining = false
      drained = undefined
      callOff()
      await worker.resume()
    },
    close: () => worker.close(),
    // Not awaited: for a client that is looking for its server this may never resolve.
    disconnect: () => void worker.disconnect().catch(() => {}),
  }
}
