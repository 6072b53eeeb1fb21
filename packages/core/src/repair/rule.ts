/**
 * A rule of repair: one demand of the API that can be checked before a request leaves, and the gentlest way to meet it.
 *
 * 1. A rule is pure. It gives undefined when there is nothing to do.
 * 2. Its result satisfies it: applied again, it gives undefined.
 * 3. It keeps the identity of every message that it did not change.
 */
import type { Block, Message } from '../journal/journal.ts'
import type { Outgoing, Repair, RepairContext, Repaired, Unrepairable } from './outgoing.ts'

export interface LocalRule {
  /** Kebab-case, unique; recorded in the journal. */
  readonly name: string
  /** Row of the invariant in docs/repairs.md. */
  readonly row: number
  /** The invariant in one line, for people. */
  readonly invariant: string
  /** Gives its own repairs only, with indexes into the list that it was given. */
  repair(outgoing: Outgoing, context: RepairContext): Repaired | undefined
}

/** What was done to one message. */
export interface Mend {
  /** Index in the list that the rule was given. */
  readonly message?: number
  /** Names, counts and sizes; no content. */
  readonly what: string
  readonly removed?: readonly Block[]
}

export interface Mended {
  readonly messages?: readonly Message[]
  readonly params?: Outgoing['params']
  readonly mends: readonly Mend[]
  readonly unrepairable?: Omit<Unrepairable, 'rule' | 'soundMessages'>
}

interface RuleText {
  readonly name: string
  readonly row: number
  readonly invariant: string
}

/** A rule from a function that says what to send instead; no mends and nothing unrepairable means nothing to do. */
export function localRule(
  { name, row, invariant }: RuleText,
  mend: (outgoing: Outgoing, context: RepairContext) => Mended,
): LocalRule {
  return {
    name,
    row,
    invariant,
    repair(outgoing, context) {
      const { messages, params, mends, unrepairable } = mend(outgoing, context)
      if (unrepairable)
        return { outgoing, repairs: [], unrepairable: { rule: name, soundMessages: 0, ...unrepairable } }
      if (mends.length === 0) return undefined
      const repairs = mends.map((each): Repair => ({ rule: name, row, ...each }))
      return { outgoing: { ...outgoing, ...(messages && { messages }), ...(params && { params }) }, repairs }
    },
  }
}
