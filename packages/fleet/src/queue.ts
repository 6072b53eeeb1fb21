/**
 * The queues: one for each agent, of session ids and nothing else.
 *
 * 1. A job is a hint that a session is due. It has no payload and one attempt; who works on it asks the head first. What
 *    became of it is not kept: a job that got lost is queued again when the row of its session is due.
 * 2. A job's id names the session and the entry at which it was found due: the same find twice is one job, and one that
 *    its dead worker still holds does not stand in the way of the next find.
 * 3. Ids are prefixed: BullMQ keeps jobs beside keys of its own, and an id "wait" would be one of those.
 */
import { Queue, type JobsOptions } from 'bullmq'
import type { FleetConnection } from './connection.ts'
import type { Keys } from './keys.ts'
import { queueUnavailable } from './unavailable.ts'

/** What the queue of an agent holds. */
export interface QueueCounts {
  waiting: number
  /** Those of a worker that died count for five seconds more. */
  active: number
  paused: boolean
}

/** In their order: what a person waits for, what was begun (its prompt is in a cache that gets cold), what was not. */
export type Urgency = 'interactive' | 'begun' | 'batch'
const priorities: Readonly<Record<Urgency, number>> = { interactive: 1, begun: 5, batch: 10 }

const jobOptions: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true }

/** States of a job that nobody takes any more. Those that end go, unless what says so was deleted. */
const strays: ReadonlySet<string> = new Set(['unknown', 'failed', 'completed'])

/** Events of a queue that BullMQ keeps for whoever looks. */
const keptEvents = 100

const prefix = 'session-'

const jobIdOf = (sessionId: string, seq: number): string => `${prefix}${sessionId}.${seq}`

/** The session of a job; undefined for a job that is none of ours. */
export function sessionOf(jobId: string | undefined): string | undefined {
  const end = jobId?.lastIndexOf('.') ?? -1
  return jobId?.startsWith(prefix) === true && end > prefix.length ? jobId.slice(prefix.length, end) : undefined
}

/** What BullMQ calls the queue of an agent. */
export const queueNameOf = (agent: string): string => encodeURIComponent(agent)

/** What all of BullMQ's objects here have. */
export const bullOptions = (connection: FleetConnection, keys: Keys) => ({
  connection,
  prefix: keys.queues,
  skipVersionCheck: true,
})

export class Queues {
  readonly #connection: FleetConnection
  readonly #keys: Keys
  readonly #queues = new Map<string, Queue>()

  /** `connection` is the queues' own. */
  constructor(connection: FleetConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  /** Errors: `store-unavailable`; so for all that follow. */
  async add(agent: string, sessionId: string, seq: number, urgency: Urgency): Promise<void> {
    const [queue, jobId] = [this.#of(agent), jobIdOf(sessionId, seq)]
    await asked(this.#removeStray(queue, jobId))
    await asked(queue.add('session', {}, { ...jobOptions, jobId, priority: priorities[urgency] }))
  }

  /** What is left of a job where a part of the queue was deleted: nobody takes it, and it would keep the next one out. */
  async #removeStray(queue: Queue, jobId: string): Promise<void> {
    const isThere = (await this.#connection.exists(queue.toKey(jobId))) === 1
    if (isThere && strays.has(await queue.getJobState(jobId))) await queue.remove(jobId)
  }

  /** A person waits for it now: a job that was queued for less comes before those. */
  async hurry(agent: string, sessionId: string, seq: number): Promise<void> {
    const job = await asked(this.#of(agent).getJob(jobIdOf(sessionId, seq)))
    if (!job || job.priority <= priorities.interactive) return
    // Where it has just gone, somebody works on it.
    await job.changePriority({ priority: priorities.interactive }).catch(() => {})
  }

  async counts(agent: string): Promise<QueueCounts> {
    const queue = this.#of(agent)
    const [counts, active, paused] = await asked(
      Promise.all([queue.getJobCounts('wait', 'prioritized', 'delayed'), this.#active(queue), queue.isPaused()]),
    )
    return { waiting: Object.values(counts).reduce((sum, one) => sum + one, 0), active, paused }
  }

  /** Jobs whose worker lives and renews their locks: those of a dead one stay in the list until another one looks. */
  async #active(queue: Queue): Promise<number> {
    const ids = await queue.getRanges(['active'], 0, -1)
    return ids.length === 0 ? 0 : this.#connection.exists(ids.map((id) => `${queue.toKey(id)}:lock`))
  }

  /** For all workers of the fleet, until it is resumed. */
  async pause(agent: string): Promise<void> {
    await asked(this.#of(agent).pause())
  }

  async resume(agent: string): Promise<void> {
    await asked(this.#of(agent).resume())
  }

  async close(): Promise<void> {
    // Not waited for: a queue that looks for its server hears no end of it. The connection is all that there is to close.
    for (const queue of this.#queues.values()) queue.close().catch(() => {})
    this.#connection.disconnect()
  }

  #of(agent: string): Queue {
    const known = this.#queues.get(agent)
    if (known) return known
    const queue = new Queue(queueNameOf(agent), {
      ...bullOptions(this.#connection, this.#keys),
      streams: { events: { maxLen: keptEvents } },
    })
    // What fails is told to who asked.
    queue.on('error', () => {})
    this.#queues.set(agent, queue)
    return queue
  }
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw queueUnavailable(error)
  }
}
