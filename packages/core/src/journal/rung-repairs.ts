/**
 * What each rung of the ladder has accepted only when it was repaired, as a fold of the journal. The repairs are made
 * again in its further requests, as long as they reach, so that a rung refuses the same thing once (P7).
 *
 * 1. They belong to the rung and its model: what one endpoint refuses, another may take. Of the model that was asked for
 *    only those of its turns are kept here; the others are edits of the transcript and its standing rules.
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
  /** How often the turn in hand has called for it; 0: the one before did. */
  readonly calls: number
  /** Two turns in a row have called for it. */
  readonly isHabit: boolean
}

const rungOf = (rung: number, model: string): string => `${rung} ${model}`

export class RungRepairs {
  /** By rung and model. */
  readonly #accepted = new Map<string, readonly RungRepair[]>()
  /** The model that the caller asks for, and the rung in use. */
  #home = rungOf(0, '')
  #rung = this.#home
  #hasAnswered = false
  /** What was tried there since the last answer, and for the answer that was the last entry. */
  #tried: readonly string[] = []
  #answered: readonly string[] = []

  /** On the rung in use, for a request that newly repairs messages from `changedFrom` on. */
  inForce(changedFrom: number): string[] {
    return this.#ofRung.filter((one) => isInForce(one) && holds(changedFrom)(one)).map(({ rule }) => rule)
  }

  /** On other rungs, by the model of each. */
  get ofOthers(): { readonly model: string; readonly rule: string }[] {
    return [...this.#accepted].flatMap(([rung, repairs]) => {
      const [at, model] = [rung.slice(0, rung.indexOf(' ')), rung.slice(rung.indexOf(' ') + 1)]
      return at === '0' ? [] : repairs.filter(isInForce).map(({ rule }) => ({ model, rule }))
    })
  }

  /** On the model that was asked for. */
  get ofHome(): string[] {
    return (this.#accepted.get(this.#home) ?? []).filter(isInForce).map(({ rule }) => rule)
  }

  /** `count`: of the messages before the entry. */
  apply(entry: Entry, count: number): void {
    const answered = this.#answered
    this.#answered = []
    switch (entry.type) {
      case 'envelope-changed': {
        const isHome = this.#rung === this.#home
        this.#home = rungOf(0, entry.envelope.body.model)
        if (isHome && this.#rung !== this.#home) this.#leave(this.#home)
        break
      }
      case 'turn-started':
      case 'turn-ended':
        this.#leave(this.#home)
        break
      case 'rung-changed':
        this.#leave(entry.rung > 0 ? rungOf(entry.rung, entry.model) : this.#home)
        break
      case 'rewound':
        this.#leave(this.#home)
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
        if (entry.message.content.length > 0 && !isRefusal(entry.message)) {
          this.#answered = this.#tried
          this.#hasAnswered = true
        }
        this.#tried = []
        this.#accept(this.#answered, count)
        break
      case 'transcript-repaired':
        this.#move(firstChanged(entry))
        // These edits lay under the request that was answered: its places are those after them.
        this.#accept(answered.filter(hasPlaces), count)
        break
      case 'repairs-reverted':
        this.#accepted.clear()
        this.#tried = []
        break
      default: // the rest says nothing of rungs
    }
  }

  get #ofRung(): readonly RungRepair[] {
    return this.#accepted.get(this.#rung) ?? []
  }

  /** The turn ends on the rung in use. */
  #leave(next: string): void {
    const isLeftOut = ({ rule, calls, isHabit }: RungRepair) =>
      reachOf(rule) === 'turn' || (reachOf(rule) === 'turns' && !isHabit && calls === 0 && this.#hasAnswered)
    const kept = this.#ofRung.filter((one) => !isLeftOut(one))
    this.#accepted.set(
      this.#rung,
      kept.map((one) => ({ ...one, calls: 0 })),
    )
    this.#rung = next
    this.#hasAnswered = false
    this.#tried = []
  }

  #accept(rules: readonly string[], upTo: number): void {
    const own = this.#rung === this.#home ? rules.filter(endsWithTurn) : rules
    const before = this.#ofRung
    const accepted = own.map((rule): RungRepair => {
      const known = before.find((one) => one.rule === rule)
      const isHabit = known !== undefined && (known.isHabit || known.calls === 0)
      return { rule, upTo, calls: (known?.calls ?? 0) + 1, isHabit }
    })
    const others = before.filter(({ rule }) => !own.includes(rule))
    this.#accepted.set(this.#rung, [...others, ...accepted])
  }

  /** The messages from `from` on have changed. */
  #move(from: number): void {
    for (const [rung, repairs] of this.#accepted) this.#accepted.set(rung, repairs.filter(holds(from)))
  }
}

const hasPlaces = (rule: string): boolean => reachOf(rule) === 'messages'

const endsWithTurn = (rule: string): boolean => reachOf(rule) === 'turn' || reachOf(rule) === 'turns'

/** What was refused once may have been about what is gone by now; the thinking of the next answer is not. */
const isInForce = ({ rule, calls, isHabit }: RungRepair): boolean =>
  reachOf(rule) === 'turns' ? isHabit || calls > 1 : reachOf(rule) !== 'turn' || calls > 0

const holds =
  (changedFrom: number) =>
  ({ rule, upTo }: RungRepair): boolean =>
    !hasPlaces(rule) || upTo <= changedFrom

/** The first recorded message in whose place a repair sends something else; a standing rule may do so anywhere. */
export function firstChanged({ edits, standing }: { edits: readonly Edit[]; standing: readonly string[] }): number {
  return standing.length > 0 ? 0 : Math.min(...edits.map(({ from }) => from))
}
