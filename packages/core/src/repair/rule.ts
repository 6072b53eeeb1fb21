/**
 * A rule of repair: one demand of the API that can be checked before a request leaves, and the gentlest way to meet it.
 *
 * 1. A rule is pure. It gives undefined when there is nothing to do.
 * 2. Its result satisfies it: applied again, it gives undefined.
 * 3. It keeps the identity of every message that it did not change.
 */
import type { Block, Message } from '../journal/journal.ts'
import { blocksOf } from '../journal/message.ts'
import type { Changed } from '../ladder/step.ts'
import { withBlocks } from './block-kinds.ts'
import type { Outgoing, Params, Repair, RepairContext, Repaired, Unrepairable } from './outgoing.ts'

interface RuleText<Name extends string> {
  /** Kebab-case, unique; recorded in the journal, so it is never given to another rule. */
  readonly name: Name
  /** Row of the invariant in docs/repairs.md. */
  readonly row: number
  /** The invariant in one line, for people. */
  readonly invariant: string
}

export interface LocalRule<Name extends string = string> extends RuleText<Name> {
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
  readonly params?: Params
  readonly mends?: readonly Mend[]
  readonly unrepairable?: Omit<Unrepairable, 'rule' | 'soundMessages'>
}

/** A rule from a function that says what to send instead; undefined, or no mends, where there is nothing to do. */
export function localRule<const Name extends string>(
  text: RuleText<Name>,
  mend: (outgoing: Outgoing, context: RepairContext) => Mended | undefined,
): LocalRule<Name> {
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

/** What becomes of one message: what stands in its place, and what was done. */
interface MessageMended extends Omit<Mend, 'message'> {
  readonly instead: readonly Message[]
}

/** A rule that looks at one message after the other; undefined for a message that stays. */
export function messageRule<const Name extends string>(
  text: RuleText<Name>,
  mendingOf: (
    outgoing: Outgoing,
    context: RepairContext,
  ) => (message: Message, at: number) => MessageMended | undefined,
): LocalRule<Name> {
  return localRule(text, (outgoing, context) => mendEach(outgoing.messages, mendingOf(outgoing, context)))
}

/** One message after the other; see `messageRule`. */
export function mendEach(
  all: readonly Message[],
  mending: (message: Message, at: number) => MessageMended | undefined,
): { messages: Message[]; mends: Mend[] } {
  const messages: Message[] = []
  const mends: Mend[] = []
  for (const [at, message] of all.entries()) {
    const mended = mending(message, at)
    if (!mended) {
      messages.push(message)
      continue
    }
    const { instead, ...mend } = mended
    messages.push(...instead)
    mends.push({ message: at, ...mend })
  }
  return { messages, mends }
}

/** The message without these of its blocks; undefined where there are none. */
export function withoutBlocks(message: Message, removed: readonly Block[], what: string): MessageMended | undefined {
  if (removed.length === 0) return undefined
  const rest = blocksOf(message).filter((block) => !removed.includes(block))
  return { instead: rest.length > 0 ? [withBlocks(message, rest)] : [], what, removed }
}

/** What a step of the ladder changes, as the work of a rule. */
export function mendedBy(changed: Changed | undefined): Mended | undefined {
  if (!changed) return undefined
  const { params, messages } = changed.outgoing
  return { params, messages, mends: [{ what: changed.what }] }
}
