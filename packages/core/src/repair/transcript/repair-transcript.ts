/**
 * Repair of faults that are visible before a request is sent: every rule in order, until none has anything to do.
 *
 * 1. A request that the API accepts is not touched: the very object comes back.
 * 2. The same request gives the same repair, and a repaired one needs none.
 * 3. What people and tools said is not dropped without being listed in `removed`.
 * 4. Where an edit precedes thinking that is signed against the edited messages, the request asks the API to drop what
 *    does not fit, or loses all thinking.
 */
import type { Message } from '../../journal/journal.ts'
import { editsBetween } from './edits.ts'
import { uniqueCalls, callsLast, results } from './pairs.ts'
import { callIds, callInputs, callNames, documents, emptyText, placesOfCalls, unicode } from './places.ts'
import type { Outgoing, Repair, RepairContext, Repaired } from '../outgoing.ts'
import { keepingSignatures } from '../request/kept-signatures.ts'
import { requestRules } from '../request/rules.ts'
import {
  firstUser,
  knownRoles,
  lastMessage,
  lastText,
  lastThinking,
  mergedAnswers,
  pausedLast,
  systemPlaces,
} from './roles.ts'
import type { LocalRule } from '../rule.ts'
import { compactions, fallbacks, references, serverPairs } from './server-blocks.ts'
import { signedThinking, thinkingFirst } from './thinking.ts'

/** Shape first, then places, then pairs, then ends: each rule may rely on the ones before it. */
export const transcriptRules: readonly LocalRule[] = [
  unicode,
  knownRoles,
  callInputs,
  callIds,
  callNames,
  placesOfCalls,
  documents,
  pausedLast,
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

/** Rules do not undo each other's work, so a few rounds suffice; more would mean a mistake in a rule. */
const mostRounds = 12

export function repairOutgoing(outgoing: Outgoing, context: RepairContext): Repaired {
  const repairs: Repair[] = []
  let now = outgoing
  let places: Places = outgoing.messages.map((_message, at) => at)
  for (let round = 0; round < mostRounds; round += 1) {
    const before = now
    for (const rule of localRules) {
      const repaired = rule.repair(now, context)
      if (!repaired) continue
      if (repaired.unrepairable) return { outgoing, repairs: [], unrepairable: repaired.unrepairable }
      for (const repair of repaired.repairs) {
        const { message: at, ...one } = repair
        const place = at === undefined ? undefined : places[at]
        repairs.push(place === undefined ? one : { ...one, message: place < 0 ? -1 - place : place })
      }
      places = placesAfter(places, now.messages, repaired.outgoing.messages)
      now = repaired.outgoing
    }
    if (now === before) break
  }
  if (now === outgoing) return { outgoing, repairs: [] }
  return keepingSignatures(outgoing, { outgoing: now, repairs }, context.card)
}

/**
 * Where each message was in the list that came in. A message that was inserted before or in place of the one at `n` has
 * `-1 - n`.
 */
type Places = readonly number[]

function placesAfter(places: Places, before: readonly Message[], after: readonly Message[]): Places {
  if (before === after) return places
  const moved: number[] = []
  let from = 0
  const near = (at: number) => places[Math.min(at, places.length - 1)] ?? 0
  for (const { from: start, to, insert } of editsBetween(before, after)) {
    moved.push(...places.slice(from, start))
    const isOneByOne = insert.length === to - start
    insert.forEach((_message, n) => {
      const place = near(isOneByOne ? start + n : start)
      moved.push(isOneByOne || place < 0 ? place : -1 - place)
    })
    from = to
  }
  return [...moved, ...places.slice(from)]
}
