/**
 * What the session machine says about a session: its state, its context, and the effect it owes. Declared without
 * xstate, so that the public types of a session do not depend on it; a test keeps the states equal to the chart's.
 */

/**
 * The version of states and context. A head written under another version is a cache of something else: its snapshot is
 * ignored and the journal folded again. Raise it with every change of states or context, and with every change of
 * transitions by which a journal that is already written folds otherwise.
 */
export const machineVersion = '3'

export interface Context {
  /** Turns started, turns ended. */
  turn: number
  lastGoodTurn: number
  /** Tool calls of the last response that have no result yet: not started, or started. */
  calls: Record<string, 'open' | 'started'>
  /** Since the last progress: requests sent, faults seen, and when the first fault or hold was (epoch ms). */
  attempt: number
  faults: number
  firstFaultAt: number | null
  /** The kind of the last fault, and how many faults in a row were of that kind. */
  faultKind: string | null
  faultsOfKind: number
  /** The ladder rung in use; below, how many of the faults were seen on it, and when the first was. */
  rung: number
  /** The rung's model, because a deploy may change the ladder; null for the model that the caller asked for. */
  rungModel: string | null
  rungFaults: number
  rungFaultAt: number | null
  /** Repair rules that refusals of this request called for, in their order, and the tokens spent on broken answers. */
  tried: readonly string[]
  tokens: number
  /** Epoch ms of the next try, while backing off or suspended with a retry time. */
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

/** The effect that a session owes next. Nothing else is ever started for it. */
export type Effect =
  | { kind: 'rest' }
  | { kind: 'send-request' }
  | { kind: 'wait'; until: number }
  | { kind: 'run-tools' }
  | { kind: 'end-turn' }
  | { kind: 'ask-person' }
