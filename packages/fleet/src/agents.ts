/**
 * The agents of a fleet that have a queue, and whether workers take more of them.
 *
 * 1. A pause of all agents also holds for later ones: it is a key, and `enlist` pauses the queue of a new agent.
 * 2. `pause` and `enlist` both write first and read afterwards, so that at least one of the two sees the other.
 *
 * Errors: `store-unavailable`.
 */
import { LastgoodError } from '@lastgood/core'
import type { DueIndex } from './due-index.ts'
import type { Queues } from './queue.ts'

export class Agents {
  readonly #index: DueIndex
  readonly #queues: Queues
  readonly #own: ReadonlySet<string>

  /** `own`: the agents that this process runs; they are known before anything has enlisted them. */
  constructor(index: DueIndex, queues: Queues, own: Iterable<string> = []) {
    this.#index = index
    this.#queues = queues
    this.#own = new Set(own)
  }

  /** To be called before the first job of the agent is queued. */
  async enlist(name: string): Promise<void> {
    if (!(await this.#index.enlist(name)) || !(await this.#index.isPaused())) return
    await this.#queues.pause(name)
    if (!(await this.#index.isPaused())) await this.#queues.resume(name)
  }

  names(): Promise<string[]> {
    return this.#index.agents()
  }

  /** Without a name: all agents, including later ones. Errors: `bad-option` for an unknown agent. */
  async pause(name?: string): Promise<void> {
    if (name === undefined) await this.#index.setPaused(true)
    for (const one of await this.#named(name)) await this.#queues.pause(one)
  }

  /** As `pause`. */
  async resume(name?: string): Promise<void> {
    if (name === undefined) await this.#index.setPaused(false)
    for (const one of await this.#named(name)) await this.#queues.resume(one)
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
