/**
 * What other rungs of the ladder have accepted only when it was repaired, as a fold of the journal. The repairs are made
 * again in their further requests, as long as they reach, so that a rung refuses the same thing once (P7).
 *
 * 1. They belong to the rung and its model: what one endpoint refuses, another may take.
 * 2. A repair of messages may name a place. Places hold while nothing before them is rewound or repaired.
 * 3. What is tried for a request that is not answered yet is the machine's `tried`, and in force beside these.
 */
import { reachOf } from '../repair/refused/refusal-rules.ts'
import type { Edit, Entry } from './journal.ts'
import { isRefusal } from './answer.ts'

interface RungRepair {
  readonly rule: string
  /** The number of messages among which its places are. */
  readonly upTo: number
}

export class RungRepairs {
  /** By rung and model. */
  readonly #accepted = new Map<string, readonly RungRepair[]>()
  /** The rung in use; undefined for the model that the caller asked for. */
  #rung: string | undefined
  /** What was tried there since the last answer, and for the answer that was the last entry. */
  #tried: readonly string[] = []
  #answered: readonly string[] = []

  /** On the rung in use, for a request that newly repairs messages from `changedFrom` on. */
  inForce(changedFrom: number): string[] {
    return this.#ofRung.filter(holds(changedFrom)).map(({ rule }) => rule)
  }

  /** On all rungs, by the model of each. */
  get all(): { readonly model: string; readonly rule: string }[] {
    return [...this.#accepted].flatMap(([rung, repairs]) =>
      repairs.map(({ rule }) => ({ model: rung.slice(rung.indexOf(' ') + 1), rule })),
    )
  }

  /** `count`: of the messages before the entry. */
  apply(entry: Entry, count: number): void {
    const answered = this.#answered
    this.#answered = []
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
        if (entry.decision.kind === 'repair') this.#tried = [...this.#tried, entry.decision.rule]
        else if (entry.decision.kind === 'suspend' || entry.decision.kind === 'fail') this.#tried = []
        break
      case 'turn-continued':
      case 'session-suspended':
        this.#tried = []
        break
      case 'response-received':
        if (entry.message.content.length > 0 && !isRefusal(entry.message)) this.#answered = this.#tried
        this.#tried = []
        this.#accept(this.#answered, count)
        break
      case 'transcript-repaired':
        this.#move(firstChanged(entry))
        // These edits lay under the request that was answered.
        this.#accept(answered, count)
        break
      case 'repairs-reverted':
        this.#accepted.clear()
        this.#tried = []
        break
      default: // the rest says nothing of rungs
    }
  }

  get #ofRung(): readonly RungRepair[] {
    return this.#accepted.get(this.#rung ?? '') ?? []
  }

  #leave(next?: string): void {
    this.#keep(this.#rung, ({ rule }) => reachOf(rule) !== 'request')
    this.#rung = next
    this.#tried = []
  }

  #accept(rules: readonly string[], upTo: number): void {
    if (this.#rung === undefined) return
    const others = this.#ofRung.filter(({ rule }) => !rules.includes(rule))
    this.#accepted.set(this.#rung, [...others, ...rules.map((rule) => ({ rule, upTo }))])
  }

  /** The messages from `from` on have changed. */
  #move(from: number): void {
    for (const rung of this.#accepted.keys()) this.#keep(rung, holds(from))
  }

  #keep(rung: string | undefined, isKept: (one: RungRepair) => boolean): void {
    if (rung !== undefined) this.#accepted.set(rung, (this.#accepted.get(rung) ?? []).filter(isKept))
  }
}

const holds =
  (changedFrom: number) =>
  ({ rule, upTo }: RungRepair): boolean =>
    reachOf(rule) !== 'messages' || upTo <= changedFrom

/** The first recorded message in whose place a repair sends something else; a standing rule may do so anywhere. */
export function firstChanged({ edits, standing }: { edits: readonly Edit[]; standing: readonly string[] }): number {
  return standing.length > 0 ? 0 : Math.min(...edits.map(({ from }) => from))
}
