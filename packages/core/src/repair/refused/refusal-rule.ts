/** A rule that is applied only because the API refused a request, or because of the API's answer. */
import type { Block } from '../../journal/journal.ts'
import type { Outgoing, RepairContext, Repaired } from '../outgoing.ts'
import { replaceBlocks, type Placed } from '../blocks.ts'

/**
 * How long a repair is made for, once the API has accepted it: `turn`, for the rest of the turn, after which its cause
 * may be gone; `turns`, likewise once the turn has called for it twice, and in every further request once two turns in a
 * row have; `messages`,
 * while the messages that it edits are the same; `model`, in every further request for the model, since that will
 * refuse the same next time.
 */
export type Reach = 'turn' | 'turns' | 'messages' | 'model'

export interface RefusalRule<Name extends string = string> {
  /** Recorded in the journal with its argument, `clamp-max-tokens:64000`, so it is never given to another rule. */
  readonly name: Name
  /** Row of the invariant in docs/repairs.md; absent if the rule is for no invariant of a transcript. */
  readonly row?: number
  /** What it does, in one line, for people. */
  readonly does: string
  readonly reach: Reach
  /** The signatures after its edit fit what it sends: the answers are as recorded, or were given after that very edit. */
  readonly fitsSignatures?: true
  /** A later repair may undo it: what is refused in spite of it, or because of it, goes. */
  readonly yields?: true
  /**
   * Undefined if the rule does not apply. Without `argument` it takes what it needs from the API's refusal and puts it
   * into the name of its repair, so that the same repair can be applied again without the refusal.
   */
  repair(outgoing: Outgoing, context: RepairContext, argument?: string): Repaired | undefined
}

/** The rule, its name known to the compiler: that is how a fault calls for it. */
export const refusalRule = <const Name extends string>(rule: RefusalRule<Name>): RefusalRule<Name> => rule

/** One repair: `rule` with its argument, and what it changed. */
export function repairedBy(
  { name, row }: Pick<RefusalRule, 'name' | 'row'>,
  outgoing: Outgoing,
  what: string,
  more: { readonly argument?: string; readonly message?: number; readonly removed?: readonly Block[] } = {},
): Repaired {
  const { argument, message, removed } = more
  const repair = {
    rule: argument === undefined ? name : `${name}:${argument}`,
    ...(row !== undefined && { row }),
    ...(message !== undefined && { message }),
    what,
    ...(removed && removed.length > 0 && { removed }),
  }
  return { outgoing, repairs: [repair] }
}

/** The repair that puts `standIn` in place of the chosen blocks; undefined where there are none. */
export function replacedBy(
  rule: RefusalRule,
  outgoing: Outgoing,
  chosen: readonly Placed[],
  standIn: (block: Block) => Block,
  what: string,
  more: { readonly argument?: string; readonly message?: number },
): Repaired | undefined {
  if (chosen.length === 0) return undefined
  const messages = replaceBlocks(outgoing.messages, chosen, standIn)
  return repairedBy(rule, { ...outgoing, messages }, what, { ...more, removed: chosen.map(({ block }) => block) })
}
