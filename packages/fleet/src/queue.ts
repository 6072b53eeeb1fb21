/**
 * The queues: one for each agent, holding session ids and nothing else.
 *
 * 1. A job is a hint that a session is due. It has no payload and one attempt; its worker reads the head first. Its
 *    outcome is not kept: a lost job is queued again when the row of its session is due.
 * 2. A job's id names the session and the entry at which it was found due: found twice at the same entry it is one job,
 *    and a job that a dead worker still holds does not block the one for a later entry.
 * 3. Ids are prefixed: BullMQ keeps jobs beside keys of its own, and an id "wait" would be one of those.
 */
import { Queue, type JobsOptions } from 'bullmq'
import { closeCopy, type FleetConnection } from './connection.ts'
import type { Keys } from './keys.ts'
import { asked } from './unavailable.ts'

/** What the queue of an agent holds. */
export interface Queued {
  readonly waiting: number
  /** Sessions whose job a worker has; those of a dead one for five seconds more. */
  readonly taken: readonly string[]
  readonly paused: boolean
}

/** In order: a person waits for it; it was begun (its prompt is in a cache that gets cold); neither. */
export type Urgency = 'interactive' | 'begun' | 'batch'
const priorities: Readonly<Record<Urgency, number>> = { interactive: 1, begun: 5, batch: 10 }

const jobOptions: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true }

/** States of a job that no worker takes any more. Ended jobs are removed, unless the key that says so was deleted. */
const strays: ReadonlySet<string> = new Set(['unknown', 'failed', 'completed'])

/** How many events of a queue BullMQ keeps. */
const keptEvents = 100

const prefix = 'session-'

const jobIdOf = (sessionId: string, seq: number): string => `${prefix}${sessionId}.${seq}`

/** The session of a job; undefined for a job that is not ours. */
export function sessionOf(jobId: string | undefined): string | undefined {
  const end = jobId?.lastIndexOf('.') ?? -1
  return jobId?.startsWith(prefix) === true && end > prefix.length ? jobId.slice(prefix.length, end) : undefined
}

/** The name of an agent's queue in BullMQ. */
export const queueNameOf = (agent: string): string => encodeURIComponent(agent)

/** The options of every BullMQ object here. */
export const bullOptions = (connection: FleetConnection, keys: Keys) => ({
  connection,
  prefix: keys.queues,
  skipVersionCheck: true,
})

export class Queues {
  readonly #connection: FleetConnection
  readonly #keys: Keys
  readonly #queues = new Map<string, Queue>()

  /** `connection` belongs to the queues, which close it. */
  constructor(connection: FleetConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  /** Errors: `store-unavailable`, as for all methods below. */
  async add(agent: string, sessionId: string, seq: number, urgency: Urgency): Promise<void> {
    const [queue, jobId] = [this.#of(agent), jobIdOf(sessionId, seq)]
    await this.#ask(this.#removeStray(queue, jobId))
    await this.#ask(queue.add('session', {}, { ...jobOptions, jobId, priority: priorities[urgency] }))
  }

  /** The remains of a job of a partly deleted queue: no worker takes it, and it would keep the next one out. */
  async #removeStray(queue: Queue, jobId: string): Promise<void> {
    const isThere = (await this.#connection.exists(queue.toKey(jobId))) === 1
    if (isThere && strays.has(await queue.getJobState(jobId))) await queue.remove(jobId)
  }

  /** A person waits for it now: a job queued with a lower priority moves ahead. */
  async hurry(agent: string, sessionId: string, seq: number): Promise<void> {
    const job = await this.#ask(this.#of(agent).getJob(jobIdOf(sessionId, seq)))
    if (!job || job.priority <= priorities.interactive) return
    // If the job has just left the queue, a worker has it.
    await job.changePriority({ priority: priorities.interactive }).catch(() => {})
  }

  async look(agent: string): Promise<Queued> {
    const queue = this.#of(agent)
    const [counts, taken, paused] = await this.#ask(
      Promise.all([queue.getJobCounts('wait', 'prioritized', 'delayed'), this.#taken(queue), queue.isPaused()]),
    )
    return { waiting: Object.values(counts).reduce((sum, one) => sum + one, 0), taken, paused }
  }

  /** Of jobs whose lock a living worker renews: those of a dead one stay in the list until another worker looks. */
  async #taken(queue: Queue): Promise<string[]> {
    const ids = await queue.getRanges(['active'], 0, -1)
    const locks = ids.length === 0 ? [] : await this.#connection.mget(ids.map((id) => `${queue.toKey(id)}:lock`))
    return ids.flatMap((id, i) => (locks[i] === null ? [] : (sessionOf(id) ?? [])))
  }

  /** For all workers of the fleet, until `resume`. */
  async pause(agent: string): Promise<void> {
    await this.#ask(this.#of(agent).pause())
  }

  async resume(agent: string): Promise<void> {
    await this.#ask(this.#of(agent).resume())
  }

  async close(): Promise<void> {
    // Not awaited: while a queue looks for its server this may never resolve. Only the connection needs closing.
    for (const queue of this.#queues.values()) queue.close().catch(() => {})
    closeCopy(this.#connection)
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return asked(this.#connection, answer)
  }

  #of(agent: string): Queue {
    const known = this.#queues.get(agent)
    if (known) return known
    const queue = new Queue(queueNameOf(agent), {
      ...bullOptions(this.#connection, this.#keys),
      streams: { events: { maxLen: keptEvents } },
    })
    // A failed command throws to its caller.
    queue.on('error', () => {})
    this.#queues.set(agent, queue)
    return queue
  }
}
