/**
 * The agents of a fleet that have a queue, and whether workers take more of them.
 *
 * 1. A pause of all agents also holds for later ones: it is a key, and `enlist` pauses the queue of a new agent.
 * 2. `pause` and `enlist` both write first and read afterwards, so that at least one of the two sees the other.
 * 3. Who only reads the store learns of them from a note in it, so that a queued turn does not look interrupted.
 *
 * Errors: `store-unavailable`.
 */
import { LastgoodError, noteFleetAgent } from '@lastgood/core'
import type { FleetConnection } from './connection.ts'
import type { Keys } from './keys.ts'
import type { ResolvedClient, ResolvedFleet } from './options.ts'
import type { Queues } from './queue.ts'
import { asked } from './unavailable.ts'

/** A note is looked at again after `noteEveryMs`; it holds for several of them, and of sweeps: clocks of hosts differ. */
const [noteEveryMs, sweepsNoted, shortestNoteMs] = [60_000, 5, 300_000]

type NoteParts = Pick<ResolvedClient, 'store' | 'clock'> & Partial<Pick<ResolvedFleet, 'sweepEveryMs'>>

export class Agents {
  readonly #redis: FleetConnection
  readonly #keys: Keys
  readonly #queues: Queues
  readonly #options: NoteParts
  readonly #own: ReadonlySet<string>
  /** By agent: when its note was looked at. */
  readonly #noted = new Map<string, number>()

  /** `own`: the agents that this process runs; they are known before anything has enlisted them. */
  constructor(redis: FleetConnection, keys: Keys, queues: Queues, options: NoteParts, own: Iterable<string> = []) {
    this.#redis = redis
    this.#keys = keys
    this.#queues = queues
    this.#options = options
    this.#own = new Set(own)
  }

  /** To be called before the first job of the agent is queued. */
  async enlist(name: string): Promise<void> {
    await this.#note(name)
    const isNew = (await asked(this.#redis, this.#redis.sadd(this.#keys.agents, name))) === 1
    if (!isNew || !(await this.isPaused())) return
    await this.#queues.pause(name)
    if (!(await this.isPaused())) await this.#queues.resume(name)
  }

  async names(): Promise<string[]> {
    return (await asked(this.#redis, this.#redis.smembers(this.#keys.agents))).sort()
  }

  /** Whether all agents are paused, including later ones. */
  async isPaused(): Promise<boolean> {
    return (await asked(this.#redis, this.#redis.exists(this.#keys.paused))) === 1
  }

  /** Without a name: all agents, including later ones. Errors: `bad-option` for an unknown agent. */
  async pause(name?: string): Promise<void> {
    if (name === undefined) await asked(this.#redis, this.#redis.set(this.#keys.paused, '1'))
    for (const one of await this.#named(name)) await this.#queues.pause(one)
  }

  /** As `pause`. */
  async resume(name?: string): Promise<void> {
    if (name === undefined) await asked(this.#redis, this.#redis.del(this.#keys.paused))
    for (const one of await this.#named(name)) await this.#queues.resume(one)
  }

  async #note(name: string): Promise<void> {
    const { store, clock, sweepEveryMs = 0 } = this.#options
    if (clock.elapsed() - (this.#noted.get(name) ?? -Infinity) < noteEveryMs) return
    await noteFleetAgent(store.shared, name, clock.now(), Math.max(shortestNoteMs, sweepsNoted * sweepEveryMs))
    this.#noted.set(name, clock.elapsed())
  }

  async #named(name: string | undefined): Promise<string[]> {
    if (name !== undefined && this.#own.has(name)) await this.enlist(name)
    const names = await this.names()
    if (name === undefined) return names
    if (names.includes(name)) return [name]
    const there = names.length === 0 ? 'no agent has had a session yet' : `it has ${names.join(', ')}`
    throw new LastgoodError('bad-option', `the fleet has no agent ${JSON.stringify(name)}; ${there}`, {
      hint: 'name one that exists; lastgood fleet lists them',
      details: { field: 'agent', agents: names },
    })
  }
}
