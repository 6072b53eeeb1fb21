/**
 * What the session machine says of a session: its state, what it knows there, and what is owed. In words of our own, so
 * that the types of those who use a session do not lead to xstate's; a test holds the states equal to the chart's.
 */

/**
 * Names the meaning of states and context. A head written under another version is a cache of something else: it is
 * dropped and the journal folded again. Raise it with every change of states, context or transitions.
 */
export const machineVersion = '2'

export interface Context {
  /** Turns started, turns ended. */
  turn: number
  lastGoodTurn: number
  /** Tool calls of the last response that have no result yet: not started, or started. */
  calls: Record<string, 'open' | 'started'>
  /** Requests sent since the last progress, faults seen since then, and when the first of them was (epoch ms). */
  attempt: number
  faults: number
  firstFaultAt: number | null
  /** The kind of the last of them, and how many in a row had it. */
  faultKind: string | null
  faultsOfKind: number
  /** The rung of the ladder that has the turn, those of the faults that were seen on it, and when the first was. */
  rung: number
  /** Its model, because a deploy may change the ladder; null for the model that was asked for. */
  rungModel: string | null
  rungFaults: number
  rungFaultAt: number | null
  /** Repair rules in force for this request, in the order they were tried, and the tokens that broken answers cost. */
  tried: readonly string[]
  tokens: number
  /** Epoch ms of the next try, while backing off or suspended with a time to come back. */
  wakeAt: number | null
  /** Why it waits or is parked, for people. */
  reason: string | null
}

/** The states of the chart. */
export type StateName =
  | 'idle'
  | 'requesting'
  | 'backingOff'
  | 'executingTools'
  | 'answered'
  | 'suspended'
  | 'refused'
  | 'needsInput'
  | 'restoring'

/** What a session owes next. Nothing else is ever started for it. */
export type Effect =
  | { kind: 'rest' }
  | { kind: 'send-request' }
  | { kind: 'wait'; until: number }
  | { kind: 'run-tools' }
  | { kind: 'end-turn' }
  | { kind: 'ask-person' }
