/** The turns of a session, for programs and pages. Content is quoted in one short line, or left empty. */

export interface Tokens {
  /** All input, cached or not. */
  input: number
  /** Read from the prompt cache. */
  cacheRead: number
  output: number
}

/** One line of a turn's history; `at` is when the step ended, for a tool call when it began. */
export type Step = { seq: number; at: string } & (
  | {
      kind: 'answer'
      attempt: number
      durationMs: number
      model: string
      stopReason: string | null
      salvaged: boolean
      text: string
    }
  | {
      kind: 'tool'
      name: string
      input: string
      outcome: 'ok' | 'error' | 'in-doubt' | 'refused' | 'none'
      durationMs: number | null
      result: string
      /** Run once more under the same idempotency key, because the outcome of the earlier run was unknown. */
      again?: true
    }
  | {
      kind: 'fault'
      fault: string
      message: string
      attempt: number
      /** Since the failed request was sent. */
      durationMs: number
      decision: 'retry' | 'resend' | 'repair' | 'fallback' | 'keep-and-continue' | 'suspend' | 'fail'
      reason: string
      waitMs: number | null
    }
  | { kind: 'held'; reason: string; waitMs: number }
  | { kind: 'rung'; model: string; reason: string }
  | { kind: 'repaired'; repairs: readonly { rule: string; what: string }[] }
  | { kind: 'repairs-reverted'; reason: string }
  | { kind: 'added'; messages: number }
  | { kind: 'suspended'; reason: string; detail: string }
  | { kind: 'resumed'; host: string; pid: number; refolded: boolean }
  /** To the end of turn `to`, or into `turn`, if that is later. */
  | { kind: 'rewound'; to: number; turn: number; reason: string }
  | { kind: 'step'; stepId: string; outcome: 'ran' | 'verified' | 'failed' | 'in-doubt' | 'none' }
  | { kind: 'forked'; from: string; entry: number; reason: string }
  | { kind: 'imported'; from: string; entries: number }
  | { kind: 'retention'; ttlMs: number | null; pinned: boolean }
)
export type StepOf<Kind extends Step['kind']> = Step & { kind: Kind }

export interface TurnReport {
  turn: number
  /** `rewound`: no longer part of the conversation. */
  state: 'ended' | 'open' | 'rewound'
  /** It is in the journal of a session that this one was forked from. */
  inherited: boolean
  agent: string | null
  startedAt: string
  /** When it was checkpointed as the last good turn. */
  endedAt: string | null
  durationMs: number
  requests: number
  faults: number
  tools: number
  tokens: Tokens
  message: string
  steps: Step[]
}
