/**
 * Takes the jobs of one agent's queue and works on their sessions.
 *
 * A job that stalls (its worker is gone) is simply dropped: the row of its session brings it back. So no BullMQ lock
 * protects anything here, and a short one costs nothing.
 */
import { Worker } from 'bullmq'
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
  const worker = new Worker(
    queueNameOf(running.agent.name),
    async ({ id }) => {
      const sessionId = sessionOf(id)
      if (sessionId !== undefined) await workOn(place, running, sessionId)
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
  let drained: Promise<void> | undefined
  let callOff = () => {}
  return {
    drain() {
      // Paused once: a second `pause` resolves at once. A race: otherwise a drain that is called off would wait until
      // this worker is idle.
      drained ??= Promise.race([worker.pause(), new Promise<void>((resolve) => (callOff = resolve))])
      return drained
    },
    async takeAgain() {
      drained = undefined
      callOff()
      await worker.resume()
    },
    close: () => worker.close(),
    // Not awaited: for a client that is looking for its server this may never resolve.
    disconnect: () => void worker.disconnect().catch(() => {}),
  }
}
