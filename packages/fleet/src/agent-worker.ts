/**
 * Takes the jobs of one agent's queue and works on their sessions.
 *
 * A job that stalls (its worker is gone) just goes: the row of its session finds it. So no lock of BullMQ protects
 * anything here, and a short one costs nothing.
 */
import { Worker } from 'bullmq'
import type { FleetConnection } from './connection.ts'
import type { Keys } from './keys.ts'
import type { RunningAgent } from './options.ts'
import { bullOptions, queueNameOf, sessionOf } from './queue.ts'
import { workOn } from './work.ts'
import type { Workplace } from './workplace.ts'

/** How long a job is its worker's without renewal, and how often those without are looked for. */
const [lockDuration, stalledInterval] = [5_000, 2_500]
/** After a connection was lost. */
const runRetryDelay = 1_000

export interface AgentWorker {
  /** Take no further job here; resolves when what is under way has ended, or it is called off. */
  drain(): Promise<void>
  /** Calls a drain off. */
  takeAgain(): Promise<void>
  /** Resolves when what is under way has ended. */
  close(): Promise<void>
  /** For a server that is gone. */
  disconnect(): void
}

/** `connection` is one of a patient copy. */
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
      // Asked once: a second pause is over at once, and one that is called off would wait until this worker is idle.
      drained ??= Promise.race([worker.pause(), new Promise<void>((resolve) => (callOff = resolve))])
      return drained
    },
    async takeAgain() {
      drained = undefined
      callOff()
      await worker.resume()
    },
    close: () => worker.close(),
    // Not waited for: of a client that looks for its server there is no end to hear.
    disconnect: () => void worker.disconnect().catch(() => {}),
  }
}
