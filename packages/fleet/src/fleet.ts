/**
 * A fleet as one process sees it: it works on the sessions of its agents, and helps to find those that are due.
 *
 * 1. All processes of a fleet are alike, and none is indispensable: what one does, any other can do.
 * 2. If Redis or the store cannot answer, it is asked again; nothing here gives up by itself.
 */
import { setMaxListeners } from 'node:events'
import { LastgoodError } from '@lastgood/core'
import { Agents } from './agents.ts'
import { agentWorker } from './agent-worker.ts'
import { clientOver, type FleetClient } from './client.ts'
import { copyOf, patientCopyOf } from './connection.ts'
import { DueIndex } from './due-index.ts'
import type { Tell } from './events.ts'
import { Feeder } from './feeder.ts'
import { keysUnder } from './keys.ts'
import { resolveFleet, type FleetOptions, type ResolvedFleet } from './options.ts'
import { Queues } from './queue.ts'
import { Recoveries } from './recoveries.ts'
import { RecoveryWatch } from './recovery-watch.ts'
import { repeat, troubleOf, type Repeated } from './repeat.ts'
import { Suspects } from './suspects.ts'
import { sweep } from './sweep.ts'
import { queueUnavailable } from './unavailable.ts'
import { Unreadable } from './unreadable.ts'
import type { Workplace } from './workplace.ts'

export interface Fleet extends FleetClient {
  /** Take no further session here; resolves when those under way here have ended or wait. Other processes go on. */
  drain(): Promise<void>
  /** Undoes `drain`, which resolves then, if it has not yet. */
  takeAgain(): Promise<void>
  /**
   * Stop: sessions under way are handed over to other workers; a tool that runs has `graceMs` to end. Resolves when the
   * last session was given back, or cannot be.
   */
  close(): Promise<void>
}

/** How often the health of models is looked at, while any session has a row. */
const watchEveryMs = 3_000
/** How long closing may take beyond the grace of tools. */
const closingMs = 3_000

/** Starts at once. Errors: `bad-option`. */
export function runFleet(given: FleetOptions): Fleet {
  const resolved = resolveFleet(given)
  const options: ResolvedFleet = { ...resolved, tell: seldom(resolved) }
  const keys = keysUnder(options.prefix)
  const { store, clock, connection, tell } = options
  const forAll = copyOf(connection)
  const [index, queues] = [new DueIndex(forAll, keys), new Queues(forAll, keys)]
  const own = [...options.agents.keys()]
  const agents = new Agents(forAll, keys, queues, options, own)
  const client = clientOver({ options, index, queues, agents })
  const forWorkers = patientCopyOf(connection)
  const recoveries = new Recoveries(store, clock)
  const unreadable = new Unreadable(tell)
  const stopping = new AbortController()
  // Each session under way listens to it.
  setMaxListeners(0, stopping.signal)
  const suspects = new Suspects(clock)
  const place: Workplace = { options, index, recoveries, unreadable, suspects, stopping: stopping.signal }

  const troubled = troubleAtQueue(tell)
  const workers = [...options.agents.values()].map((running) => agentWorker(place, running, forWorkers, keys, troubled))
  const loops = startLoops()
  let closing: Promise<void> | undefined

  function startLoops(): Promise<unknown> {
    const feeder = new Feeder({ store, index, queues, recoveries, unreadable })
    const watch = new RecoveryWatch({ store, clock, index, keys, recoveries })
    const { signal } = stopping
    const lock = { key: keys.sweep, ttlMs: options.sweepEveryMs * 0.9 }
    const again = (where: Repeated['where'], once: () => Promise<number>) =>
      repeat({ clock, tell, signal, where }, once)
    return Promise.all([
      again('due-index', async () => ((await feeder.pass()) ? 0 : options.pollMs)),
      again('sweep', async () => {
        await sweep({ store, clock, index, recoveries, agents, own, lock, signal })
        return options.sweepEveryMs
      }),
      again('recovery', async () => {
        if (feeder.rows > 0) await watch.look()
        return watchEveryMs
      }),
    ])
  }

  async function close(): Promise<void> {
    stopping.abort(stopped())
    const all = Promise.all([loops, ...workers.map((worker) => worker.close())])
    const late = new AbortController()
    const limit = clock.sleepUntil(clock.now() + options.graceMs + closingMs, { signal: late.signal })
    // A worker or loop that has not ended by then waits for a server that is away.
    await Promise.race([all, limit]).catch(() => {})
    late.abort()
    for (const worker of workers) worker.disconnect()
    forWorkers.disconnect()
    await client.close()
  }

  const stop = () => (closing ??= close())
  return {
    ...client,
    drain: async () => void (await Promise.all(workers.map((worker) => worker.drain()))),
    takeAgain: async () => void (await Promise.all(workers.map((worker) => worker.takeAgain()))),
    close: stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Tells the trouble that many sessions have at the same time once, and again while it lasts. */
function seldom({ tell, clock }: ResolvedFleet): Tell {
  const toldAt = new Map<string, number>()
  return (event) => {
    if (event.kind === 'trouble-over') toldAt.clear()
    if (event.kind === 'trouble') {
      const which = `${event.where} ${event.code}`
      if (clock.elapsed() - (toldAt.get(which) ?? -Infinity) < toldEveryMs) return
      toldAt.set(which, clock.elapsed())
    }
    tell(event)
  }
}

/** Reports the errors that BullMQ's workers have with Redis; the workers recover by themselves. */
const troubleAtQueue = (tell: Tell) => (error: unknown) => {
  if (!isOfLostJob(error)) tell(troubleOf('queue', queueUnavailable(error)))
}

/** This process slept, or lost its server, and its job is gone: no trouble, the session's head says what was done. */
const isOfLostJob = (error: unknown): boolean =>
  error instanceof Error && /^(Missing (lock|key)|Lock mismatch|could not renew lock)/.test(error.message)

const toldEveryMs = 10_000

function stopped(): LastgoodError {
  return new LastgoodError('session-closed', 'the fleet of this process was closed', {
    hint: 'another worker continues its sessions',
  })
}
