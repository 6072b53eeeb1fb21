/** What one rule for transcripts makes of messages. */
import { cardOf } from '../../ladder/built-in-cards.ts'
import type { Message } from '../../journal/journal.ts'
import type { RepairContext } from '../outgoing.ts'
import type { LocalRule } from '../rule.ts'

export function mendedBy(
  rule: LocalRule,
  messages: readonly Message[],
  params: Readonly<Record<string, unknown>> = {},
  context: Partial<RepairContext> = {},
) {
  const given = { params, messages, betas: [] }
  const mended = rule.repair(given, { card: cardOf('claude-opus-5-5'), ...context })
  const { outgoing, repairs } = mended ?? { outgoing: given, repairs: [] }
  return {
    ...outgoing,
    isSame: outgoing === given,
    places: repairs.map(({ message }) => message),
    removed: repairs.flatMap(({ removed = [] }) => removed),
  }
}
