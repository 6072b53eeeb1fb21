/**
 * What other rungs refused, as a fold of the journal: the repairs after which a rung answered. They are made again in
 * every later request that it takes, so that it refuses the same thing once, and not once in each turn (P7).
 *
 * 1. They belong to the rung and its model: what one endpoint refuses, another may take.
 * 2. A repair may name a place. Places hold while nothing before them is rewound or repaired.
 */
import type { Edit, Entry } from './journal.ts'
import { isRefusal } from './answer.ts'

export interface RungRepair {
  readonly rule: string
  /** The number of messages among which its places are; undefined once those have moved. */
  readonly upTo: number | undefined
}

export class RungRepairs {
  /** By rung and model. */
  readonly #learnt = new Map<string, RungRepair[]>()
  /** The rung in use; undefined for the model that the caller asked for. */
  #rung: string | undefined
  /** What was tried there since it took over. */
  #tried: string[] = []
  #isAnswered = false

  /** Of the rung in use. */
  get current(): readonly RungRepair[] {
    return this.#learnt.get(this.#rung ?? '') ?? []
  }

  /** `count`: of the messages before the entry. */
  apply(entry: Entry, count: number): void {
    const wasAnswered = this.#isAnswered
    this.#isAnswered = false
    switch (entry.type) {
      case 'turn-started':
        this.#leave()
        break
      case 'rung-changed':
        this.#leave(entry.rung > 0 ? `${entry.rung} ${entry.model}` : undefined)
        break
      case 'rewound':
        this.#leave()
        this.#move(entry.messages)
        break
      case 'fault-observed':
        if (entry.decision.kind === 'repair') this.#tried.push(entry.decision.rule)
        else if (entry.decision.kind === 'suspend' || entry.decision.kind === 'fail') this.#tried = []
        break
      case 'session-suspended':
        this.#tried = []
        break
      case 'response-received':
        if (entry.message.content.length === 0 || isRefusal(entry.message)) break
        this.#isAnswered = true
        this.#learn(count)
        break
      case 'transcript-repaired':
        this.#move(firstChanged(entry))
        // These edits lay under the request that was answered.
        if (wasAnswered) this.#learn(count)
        break
      case 'repairs-reverted':
        this.#learnt.clear()
        this.#tried = []
        break
      default: // the rest says nothing of rungs
    }
  }

  #leave(next?: string): void {
    this.#rung = next
    this.#tried = []
  }

  #learn(upTo: number): void {
    if (this.#rung === undefined || this.#tried.length === 0) return
    const known = this.current
    const isPlaced = (rule: string) => known.some((one) => one.rule === rule && one.upTo !== undefined)
    const added = this.#tried.filter((rule) => !isPlaced(rule))
    const kept = known.filter(({ rule }) => !added.includes(rule))
    this.#learnt.set(this.#rung, [...kept, ...added.map((rule) => ({ rule, upTo }))])
  }

  /** The messages from `from` on have changed. */
  #move(from: number): void {
    for (const [rung, repairs] of this.#learnt) {
      const moved = repairs.map((one) => ((one.upTo ?? 0) > from ? { ...one, upTo: undefined } : one))
      this.#learnt.set(rung, moved)
    }
  }
}

/** The first recorded message in whose place a repair sends something else; a standing rule may do so anywhere. */
export function firstChanged({ edits, standing }: { edits: readonly Edit[]; standing: readonly string[] }): number {
  return standing.length > 0 ? 0 : Math.min(...edits.map(({ from }) => from))
}
