/** A rule that is applied only because the API refused a request, or because of what it answered. */
import type { Block } from '../../journal/journal.ts'
import type { Outgoing, RepairContext, Repaired } from '../outgoing.ts'

export interface RejectedRule {
  /** Stands in the journal, with what it was applied with: `clamp-max-tokens:64000`. */
  readonly name: string
  /** Row of the invariant in docs/repairs.md; absent for what is no invariant of a transcript. */
  readonly row?: number
  /** What it does, in one line, for people. */
  readonly does: string
  /**
   * Undefined when it does not apply. Without `argument` it takes what it needs from the API's refusal; the name of the
   * repair that it gives carries it, so that the same can be done again without the refusal.
   */
  repair(outgoing: Outgoing, context: RepairContext, argument?: string): Repaired | undefined
}

/** One repair: `rule` with its argument, and what it changed. */
export function repairedBy(
  { name, row }: Pick<RejectedRule, 'name' | 'row'>,
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
