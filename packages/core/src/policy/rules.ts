/**
 * The fault table: what to do about each kind of fault. Data only; `decide` applies it, `resolvePolicy` overrides rows
 * with the user's.
 */
import type { FaultKind } from '../faults/fault-kinds.ts'

/** Waited out: each re-send after `minMs` and a uniform draw below `min(capMs, baseMs * 2^(attempt - 1))`. */
export interface RetryRule {
  action: 'retry'
  baseMs: number
  capMs: number
  /** Added to every wait. Default 0. */
  minMs?: number
  /** A first 401 is sent once more at once, with fresh credentials if there is a way to get them. */
  resendFirst?: boolean
  /** The cap once the request has failed for `longOutageAfterMs`; without it `capMs` stays. */
  longCapMs?: number
  /** How many first re-sends are drawn below `quickMs` instead. */
  quickResends?: number
  quickMs?: number
  /** Re-sends before the session is suspended with `exhausted`; without it only the budgets of the policy count. */
  maxResends?: number
  exhausted?: string
  fallback?: FallbackRule
}

/** When another rung of the ladder may take the turn: the failing rung has to reach both limits. */
export interface FallbackRule {
  attempts: number
  afterMs: number
  /** What helps: another model, or only another endpoint, because the models of one host fail together. */
  to: 'model' | 'endpoint'
}

/** Parked; a next try makes sense `probeMs` later. */
export interface SuspendRule {
  action: 'suspend'
  probeMs: number
  reason: string
  /** A first 401 is sent once more, with fresh credentials if there is a way to get them. */
  resendFirst?: boolean
}

/** Fails at once, with the reason. */
export interface FailRule {
  action: 'fail'
  reason: string
  fallback?: FallbackRule
}

/** Repaired by the rules that the fault names, each once; then failed, suspended, or the answer is kept as it is. */
export interface RepairRule {
  action: 'repair'
  otherwise: 'fail' | 'suspend' | 'keep'
  reason: string
}

export type Rule = RetryRule | SuspendRule | FailRule | RepairRule

/** Fall back after a short window: a switch costs a cold cache, there and back. */
const whenItLasts = { attempts: 3, afterMs: 60_000, to: 'model' } as const
/** https://code.claude.com/docs/en/errors: a request that dropped before anything was complete is re-issued at once. */
const streamBroke = {
  action: 'retry',
  baseMs: 1_000,
  capMs: 60_000,
  longCapMs: 300_000,
  quickMs: 250,
  fallback: whenItLasts,
} as const

export const defaultRules = {
  'server-transient': { action: 'retry', baseMs: 1_000, capMs: 60_000, longCapMs: 300_000, fallback: whenItLasts },
  // Immediate re-sends make an overload worse; 5 min is Claude Code's own longest unattended wait. Other models have
  // other capacity, so the window is one re-send.
  overloaded: {
    action: 'retry',
    baseMs: 2_000,
    capMs: 60_000,
    longCapMs: 300_000,
    fallback: { attempts: 2, afterMs: 0, to: 'model' },
  },
  'compaction-unavailable': { action: 'retry', baseMs: 2_000, capMs: 60_000, longCapMs: 300_000 },
  // Retries while offline cost the server nothing, and a laptop that wakes up should go on soon.
  transport: { action: 'retry', baseMs: 500, capMs: 30_000, fallback: { ...whenItLasts, to: 'endpoint' } },
  'stream-cut': { ...streamBroke, quickResends: 2 },
  'stream-truncated': { ...streamBroke, quickResends: 2 },
  'stream-stalled': { ...streamBroke, quickResends: 1 },
  'bad-gateway': { action: 'retry', baseMs: 500, capMs: 30_000, fallback: { ...whenItLasts, to: 'endpoint' } },
  // The API's buckets refill continuously: https://platform.claude.com/docs/en/api/rate-limits
  'rate-limited': { action: 'retry', baseMs: 5_000, capMs: 60_000 },
  'spend-blocked': {
    action: 'suspend',
    probeMs: 3_600_000,
    reason: "The account's spend limit or balance is used up. Raise it, then resume",
  },
  'auth-blocked': {
    action: 'suspend',
    probeMs: 300_000,
    resendFirst: true,
    reason:
      'The API refused the credentials or the permission. Check the key, organisation and workspace; ' +
      'an outage of the login system looks the same and passes on its own',
  },
  // 78 minutes of such errors on 2026-04-28: https://status.claude.com/history
  'auth-outage': { action: 'retry', resendFirst: true, minMs: 60_000, baseMs: 60_000, capMs: 240_000 },
  'transcript-invalid': {
    action: 'repair',
    otherwise: 'fail',
    reason: 'The API refused the conversation itself, and no repair helped. Go back to an earlier turn',
  },
  'params-incompatible': {
    action: 'repair',
    otherwise: 'fail',
    reason: 'The API refused a parameter of the request. Correct it, then continue',
  },
  'image-rejected': {
    action: 'repair',
    otherwise: 'fail',
    reason: 'The API refused an image or a document, and leaving it out did not help. Go back to an earlier turn',
  },
  'too-large': {
    action: 'repair',
    otherwise: 'fail',
    reason: 'The request is too large even without old images and tool results. Go back to an earlier turn',
  },
  'context-overflow': {
    action: 'repair',
    otherwise: 'fail',
    reason: 'The conversation does not fit the window even without old tool results. Go back to an earlier turn',
  },
  'server-object-lost': {
    action: 'repair',
    otherwise: 'fail',
    reason: 'The request names a container, file or thread that the server no longer has',
  },
  poisoned: {
    action: 'repair',
    otherwise: 'suspend',
    reason: 'The API fails on this conversation but answers others, and no repair helped. Go back to an earlier turn',
  },
  // Reported as not deterministic: https://github.com/anthropics/claude-code/issues/25934
  'output-filtered': {
    action: 'retry',
    baseMs: 1_000,
    capMs: 30_000,
    maxResends: 2,
    exhausted: 'The content filter stopped every answer. Rephrase and resume, or rewind a turn',
    fallback: { attempts: 3, afterMs: 0, to: 'model' },
  },
  'broken-call': {
    action: 'retry',
    baseMs: 1_000,
    capMs: 30_000,
    maxResends: 2,
    exhausted: 'Every answer had a tool call that cannot be run. Resume, or rephrase',
    fallback: { attempts: 3, afterMs: 0, to: 'model' },
  },
  'output-cut': { action: 'repair', otherwise: 'keep', reason: 'max_tokens cut the tool call' },
  'empty-answer': { action: 'repair', otherwise: 'keep', reason: 'The answer is empty' },
  'model-gone': {
    action: 'fail',
    reason: 'The model does not exist or is not available to this account. Choose another model, then continue',
    fallback: { attempts: 1, afterMs: 0, to: 'model' },
  },
  config: {
    action: 'fail',
    reason:
      "This machine's setup keeps the request from reaching the API: certificates, proxy or base URL " +
      '(for a company certificate set NODE_EXTRA_CA_CERTS)',
  },
  'request-rejected': {
    action: 'fail',
    reason:
      'The API refused the request and would refuse it again. Correct its parameters or the base URL, then continue',
  },
} as const satisfies Record<FaultKind, Rule>
