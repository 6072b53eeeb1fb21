/**
 * A rule of repair: one demand of the API that can be checked before a request leaves, and the gentlest way to meet it.
 *
 * 1. A rule is pure. It gives undefined when there is nothing to do.
 * 2. Its result satisfies it: applied again, it gives undefined.
 * 3. It keeps the identity of every message that it did not change.
 */
import type { Block, Message } from '../journal/journal.ts'
import type { Changed } from '../ladder/step.ts'
import type { Outgoing, Repair, RepairContext, Repaired, Unrepairable } from './outgoing.ts'

interface RuleText {
  /** Kebab-case, unique; recorded in the journal. */
  readonly name: string
  /** Row of the invariant in docs/repairs.md. */
  readonly row: number
  /** The invariant in one line, for people. */
  readonly invariant: string
}

export interface LocalRule extends RuleText {
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
  readonly mends?: readonly Mend[]
  readonly unrepairable?: Omit<Unrepairable, 'rule' | 'soundMessages'>
}

/** A rule from a function that says what to send instead; undefined, or no mends, where there is nothing to do. */
export function localRule(
  text: RuleText,
  mend: (outgoing: Outgoing, context: RepairContext) => Mended | undefined,
): LocalRule {
  const { name, row } = text
  return {
    ...text,
    repair(outgoing, context) {
      const { messages, params, mends = [], unrepairable } = mend(outgoing, context) ?? {}
      if (unrepairable)
        return { outgoing, repairs: [], unrepairable: { rule: name, soundMessages: 0, ...unrepairable } }
      if (mends.length === 0) return undefined
      const repairs = mends.map((each): Repair => ({ rule: name, row, ...each }))
      return { outgoing: { ...outgoing, ...(messages && { messages }), ...(params && { params }) }, repairs }
    },
  }
}

/** What a step of the ladder changes, as the work of a rule. */
export function mendedBy(changed: Changed | undefined): Mended | undefined {
  if (!changed) return undefined
  const { params, messages } = changed.outgoing
  return { params, messages, mends: [{ what: changed.what }] }
}
