/**
 * What happens in a session, in the words of logs, traces and metrics: names, numbers and kinds, never content.
 *
 * The journal's entries are facts for a machine; happenings are what a person asks about. `happenings.ts` makes them.
 */
import type { InDoubtDid } from '../session/events.ts'
import type { FaultKind } from '../faults/fault-kinds.ts'
import type { Decision } from '../faults/fault.ts'

/** Why nothing is sent: the session's own back-off, the server's word, a long outage, an open breaker, or a limiter. */
export type WaitReason = 'backoff' | 'retry_after' | 'outage' | 'circuit_open' | 'limiter'

/** How an answer came after a failure: from the model that failed, from another rung, or after a resume. */
export type RecoveryMode = 'same_model' | 'fallback' | 'resume'

export type TurnOutcome = 'ok' | 'ok_after_retry' | 'ok_after_fallback' | 'suspended' | 'failed' | 'interrupted'

/** What failed. `errorType` is the API's word, if it looks like one. */
export interface FaultFacts {
  fault: FaultKind
  status?: number
  errorType?: string
}

/** Totals of the turn that is open or has just ended, as far as this process has seen it. */
export interface TurnTally {
  turn: number
  attempts: number
  /** The model that was asked for, and the one that answered last. */
  requested: string | undefined
  served: string | undefined
}

/** `at` is epoch ms, by the session's clock. */
export type Happening = { at: number } & (
  | { kind: 'resumed'; turn: number; isRefolded: boolean; downtimeMs: number | undefined }
  | { kind: 'turn-started'; turn: number; agent: string | undefined }
  | { kind: 'attempt'; model: string; attempt: number }
  | ({ kind: 'attempt-failed'; model: string; attempt: number; decision: Decision['kind'] } & FaultFacts)
  | ({ kind: 'waiting'; reason: WaitReason; until: number; attempt: number } & Partial<FaultFacts>)
  | { kind: 'waited'; reason: WaitReason; since: number }
  | { kind: 'fallback'; from: string; to: string; rung: number; reason: FaultKind | undefined }
  | { kind: 'answered'; model: string; attempt: number; usage: Usage; isFirstAfterResume: boolean }
  | { kind: 'recovered'; mode: RecoveryMode; durationMs: number; attempt: number }
  | { kind: 'repaired'; rules: readonly string[] }
  | { kind: 'in-doubt'; tool: string; toolUseId: string; did: InDoubtDid }
  /** A step of the caller's own; the id does not contain the caller's key. */
  | { kind: 'step-in-doubt'; step: string; stepId: string; did: InDoubtDid }
  | { kind: 'suspended'; reason: string; attempts: number; retryAt: number | undefined }
  | { kind: 'failed'; reason: FaultKind | 'refused' }
  | ({ kind: 'turn-ended'; outcome: TurnOutcome } & TurnTally)
  | { kind: 'rewound'; turns: number }
  /** The store had acknowledged as many entries and lost them; they were appended again. */
  | { kind: 'backfilled'; entries: number }
)

/** Tokens, as far as the answer said. `uncached` ones cost full price or more: they are the cost of a cold cache. */
export interface Usage {
  uncachedInput: number
}
