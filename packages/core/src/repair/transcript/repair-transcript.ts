/**
 * Repair of what can be seen to be broken before it is sent: every rule in its order, until none has anything to do.
 *
 * 1. A request that the API takes is not touched: the very object comes back.
 * 2. The same request gives the same repair, and a repaired one needs none.
 * 3. What people and tools said is not dropped without standing in `removed`.
 * 4. Where an edit lies before thinking that is signed against it, the request says so to the API, or loses all thinking.
 */
import type { Message } from '../../journal.ts'
import { cardOf } from '../../ladder/built-in-cards.ts'
import { uniqueCalls, callsLast, results } from './pairs.ts'
import { callIds, callInputs, documents, emptyText, placesOfCalls, unicode } from './places.ts'
import type { Outgoing, Repair, RepairContext, Repaired, Unrepairable } from '../outgoing.ts'
import { keepingSignatures } from '../request/kept-signatures.ts'
import { requestRules } from '../request/rules.ts'
import { firstUser, knownRoles, lastMessage, lastText, lastThinking, mergedAnswers, systemPlaces } from './roles.ts'
import type { LocalRule } from '../rule.ts'
import { compactions, fallbacks, references, serverPairs } from './server-blocks.ts'
import { signedThinking, thinkingFirst } from './thinking.ts'

/** Shape first, then places, then pairs, then ends: each may rely on the ones before it. */
export const transcriptRules: readonly LocalRule[] = [
  unicode,
  knownRoles,
  callInputs,
  callIds,
  placesOfCalls,
  documents,
  emptyText,
  signedThinking,
  compactions,
  fallbacks,
  uniqueCalls,
  callsLast,
  serverPairs,
  references,
  results,
  systemPlaces,
  mergedAnswers,
  firstUser,
  lastMessage,
  lastThinking,
  lastText,
  thinkingFirst,
]

export const localRules: readonly LocalRule[] = [...transcriptRules, ...requestRules]

/** Rules undo nothing of each other, so that a few rounds do; more would be a mistake in a rule. */
const mostRounds = 12

export function repairOutgoing(outgoing: Outgoing, context: RepairContext): Repaired {
  const repairs: Repair[] = []
  let now = outgoing
  for (let round = 0; round < mostRounds; round += 1) {
    const before = now
    for (const rule of localRules) {
      const repaired = rule.repair(now, context)
      if (!repaired) continue
      if (repaired.unrepairable) return { outgoing, repairs: [], unrepairable: repaired.unrepairable }
      now = repaired.outgoing
      repairs.push(...repaired.repairs)
    }
    if (now === before) break
  }
  if (now === outgoing) return { outgoing, repairs: [] }
  return keepingSignatures(outgoing, { outgoing: now, repairs }, context.card)
}

/** The same for a bare transcript, such as one in a file. Default card: that of a current large model. */
export function repairTranscript(
  messages: readonly Message[],
  context: Partial<RepairContext> = {},
): { messages: readonly Message[]; repairs: readonly Repair[]; unrepairable?: Unrepairable } {
  const card = context.card ?? cardOf('claude-opus-5-5')
  const outgoing: Outgoing = { params: {}, messages, betas: [] }
  const { outgoing: mended, repairs, unrepairable } = repairOutgoing(outgoing, { ...context, card })
  return { messages: mended.messages, repairs, ...(unrepairable && { unrepairable }) }
}
