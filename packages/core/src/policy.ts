/**
 * What to do about a fault: a table of rules by kind, and `decide`, which applies it. Both are pure; the driver obeys.
 *
 * 1. `decide` never throws and never asks for the time: instants and randomness are arguments.
 * 2. A retry lies in `[now + retryAfterMs, now + retryAfterMs + cap]`.
 * 3. Only kinds whose rule says `retry` are re-sent: spend, credentials, set-up and refused requests never are (P6), and
 *    no option can change that.
 * 4. A budget that is used up suspends, with the reason and an instant for a next try; it never fails (P6).
 *
 * Users compose it: wrap `decide` in a function of the same shape. A new way out (another model, a repaired transcript)
 * is one member of `Rule`, one line in `decide`, and the rows that use it.
 */
import { fullJitter } from './backoff.ts'
import { formatDuration } from './duration.ts'
import { LastgoodError } from './errors.ts'
import type { Decision, Fault, FaultKind } from './fault.ts'

/** What is known of the request's earlier attempts. */
export interface FaultHistory {
  /** Consecutive failed attempts of this request, this one included. */
  attempts: number
  /** The last of them in a row that had this fault's kind, this one included; default: all. `maxResends` counts these. */
  attemptsOfKind?: number | undefined
  /** When the first of them failed, epoch ms. */
  firstFaultAt: number
  /** Epoch ms. */
  now: number
  /** Uniform in [0, 1). */
  random: number
}

/** Waited out: each re-send after a uniform draw below `min(capMs, baseMs * 2^(attempt - 1))`. */
export interface RetryRule {
  action: 'retry'
  baseMs: number
  capMs: number
  /** The cap once the request has failed for `longOutageAfterMs`; without it `capMs` stays. */
  longCapMs?: number
  /** So many first re-sends are drawn below `quickMs` instead. */
  quickResends?: number
  quickMs?: number
  /** Re-sends before the session is suspended with `exhausted`; without it only the budgets of the policy count. */
  maxResends?: number
  exhausted?: string
}

/** Parked at once; a next try makes sense `probeMs` later. */
export interface SuspendRule {
  action: 'suspend'
  probeMs: number
  reason: string
}

/** Told at once. */
export interface FailRule {
  action: 'fail'
  reason: string
}

export type Rule = RetryRule | SuspendRule | FailRule

/** https://code.claude.com/docs/en/errors: a connection that dropped before anything was complete is re-issued at once. */
const streamBroke = { action: 'retry', baseMs: 1_000, capMs: 60_000, longCapMs: 300_000, quickMs: 250 } as const

const defaultRules = {
  'server-transient': { action: 'retry', baseMs: 1_000, capMs: 60_000, longCapMs: 300_000 },
  // Another request at once is what overload is made of; 5 min is Claude Code's own longest unattended wait.
  overloaded: { action: 'retry', baseMs: 2_000, capMs: 60_000, longCapMs: 300_000 },
  // Offline costs the server nothing, and a laptop that wakes up should go on soon.
  transport: { action: 'retry', baseMs: 500, capMs: 30_000 },
  'stream-cut': { ...streamBroke, quickResends: 2 },
  'stream-truncated': { ...streamBroke, quickResends: 2 },
  'stream-stalled': { ...streamBroke, quickResends: 1 },
  'bad-gateway': { action: 'retry', baseMs: 500, capMs: 30_000 },
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
    reason:
      'The API refused the credentials or the permission. Check key, organisation and workspace; ' +
      'an outage of the login system looks the same and passes by itself',
  },
  'transcript-invalid': {
    action: 'fail',
    reason: 'The API refused the conversation itself, so the same will be refused again. Rewind to an earlier turn',
  },
  'too-large': {
    action: 'fail',
    reason: 'The request is too large. Compact the conversation, shorten tool results or remove images, then continue',
  },
  // Reported as not deterministic: https://github.com/anthropics/claude-code/issues/25934
  'output-filtered': {
    action: 'retry',
    baseMs: 1_000,
    capMs: 30_000,
    maxResends: 2,
    exhausted: 'The content filter stopped the answer each time. Resume with other words, or rewind a turn',
  },
  'model-gone': {
    action: 'fail',
    reason: 'The model does not exist or is not open to this account. Choose another model, then continue',
  },
  config: {
    action: 'fail',
    reason:
      "This machine's set-up keeps the request from the API: certificates, proxy or base URL " +
      '(for a company certificate set NODE_EXTRA_CA_CERTS)',
  },
  'request-rejected': {
    action: 'fail',
    reason:
      'The API refused the request, and would refuse the same again. Correct its parameters or the base URL, then continue',
  },
} as const satisfies Record<FaultKind, Rule>

type KindsOf<A extends Rule['action']> = {
  [K in FaultKind]: (typeof defaultRules)[K]['action'] extends A ? K : never
}[FaultKind]

/** The kinds that are waited out. */
export type RetriedKind = KindsOf<'retry'>
/** The kinds that park the session at once. */
export type SuspendedKind = KindsOf<'suspend'>

/** The numbers of a `RetryRule` that options may change. */
export type Wait = Partial<
  Pick<RetryRule, 'baseMs' | 'capMs' | 'longCapMs' | 'quickResends' | 'quickMs' | 'maxResends'>
>

export interface PolicyOptions {
  /**
   * How long one request may fail without progress before the session is suspended. Default 24 h: of 27 incidents of the
   * API read one by one, nine in ten were over within 5 h (https://github.com/zhenghu/AI-reliability-report), and a
   * relapse or a night may follow. 0 never waits, `Infinity` has no horizon.
   */
  horizonMs?: number | undefined
  /**
   * Attempts of one request before the session is suspended. Default `Infinity`: the horizon decides. An interactive
   * caller sets 10, as Claude Code does (https://code.claude.com/docs/en/errors).
   */
  maxAttempts?: number | undefined
  /**
   * The longest `retry-after` that is waited out; above it the session is suspended until then. Default 10 min: the
   * API's rate limits refill within about a minute, what takes longer is a window of the account.
   */
  maxRetryAfterMs?: number | undefined
  /** When a request counts as caught in a long outage, which raises the caps to `longCapMs`. Default 15 min. */
  longOutageAfterMs?: number | undefined
  /** When a session whose budget is used up may be tried again. Default 15 min. */
  exhaustedProbeMs?: number | undefined
  /** Back-off by kind, over the default table. */
  waits?: { readonly [K in RetriedKind]?: Wait } | undefined
  /** When a parked kind may be tried again. Default 1 h for spend, 5 min for credentials. */
  probes?: { readonly [K in SuspendedKind]?: number } | undefined
}

export interface Policy {
  readonly horizonMs: number
  readonly maxAttempts: number
  readonly maxRetryAfterMs: number
  readonly longOutageAfterMs: number
  readonly exhaustedProbeMs: number
  readonly rules: Readonly<Record<FaultKind, Readonly<Rule>>>
}

/** The jitter on top of a `retry-after`: it starts here and grows like a back-off, so that `retry-after: 0` cannot spin. */
const retryAfterJitterMs = 1_000

export function decide(fault: Fault, history: FaultHistory, policy: Policy): Decision {
  const rule = policy.rules[fault.kind]
  if (rule.action === 'retry') return retryOrSuspend(rule, fault, history, policy)
  const reason = withFacts(rule.reason, fault)
  if (rule.action === 'fail') return { kind: 'fail', reason }
  return { kind: 'suspend', reason, retryAt: history.now + Math.max(rule.probeMs, fault.retryAfterMs ?? 0) }
}

function retryOrSuspend(rule: RetryRule, fault: Fault, history: FaultHistory, policy: Policy): Decision {
  const { attempts, attemptsOfKind = attempts, firstFaultAt, now } = history
  const at = now + (fault.retryAfterMs ?? 0) + backOff(rule, fault, history, policy)
  const suspend = (reason: string, retryAt: number): Decision => ({
    kind: 'suspend',
    reason: withFacts(reason, fault),
    retryAt,
  })
  if (fault.retryAfterMs !== undefined && fault.retryAfterMs > policy.maxRetryAfterMs) {
    return suspend(`The server asks for a pause of ${formatDuration(fault.retryAfterMs)}`, at)
  }
  const probeAt = Math.max(at, now + policy.exhaustedProbeMs)
  if (fault.shouldRetry === false) return suspend('The server asks not to be sent the same again now', probeAt)
  if (rule.maxResends !== undefined && attemptsOfKind > rule.maxResends) {
    return { kind: 'suspend', reason: withFacts(rule.exhausted ?? `Failed ${attemptsOfKind} times`, fault) }
  }
  if (attempts >= policy.maxAttempts) return suspend(`Gave up waiting after ${attempts} attempts`, probeAt)
  if (at - firstFaultAt > policy.horizonMs) {
    return suspend(`Gave up waiting: no progress within ${formatDuration(policy.horizonMs)}`, probeAt)
  }
  return { kind: 'retry', at }
}

function backOff(rule: RetryRule, fault: Fault, { attempts, firstFaultAt, now, random }: FaultHistory, policy: Policy) {
  const quick = rule.quickResends ?? 0
  if (attempts <= quick && fault.retryAfterMs === undefined) return fullJitter(1, rule.quickMs ?? 0, rule.capMs, random)
  const isLong = now - firstFaultAt >= policy.longOutageAfterMs
  const capMs = isLong ? (rule.longCapMs ?? rule.capMs) : rule.capMs
  const baseMs = fault.retryAfterMs === undefined ? rule.baseMs : Math.min(rule.baseMs, retryAfterJitterMs)
  return fullJitter(attempts - quick, baseMs, capMs, random)
}

/** The reason, and what the other side said: the person who reads it has to act on both. */
function withFacts(reason: string, { status, errorType, message }: Fault): string {
  const label = [status, errorType].filter((fact) => fact !== undefined).join(' ')
  const facts = [label, message].filter((fact) => fact !== undefined && fact !== '').join(': ')
  return facts === '' ? `${reason}.` : `${reason} (${facts}).`
}

const yearMs = 366 * 86_400_000

/** All numbers present and in range; throws `bad-option`, naming field, value and range. */
export function resolvePolicy(options: PolicyOptions = {}): Policy {
  assertKnown('policy', options, Object.keys(optionNames))
  assertKnown('waits', options.waits, kindsWith('retry'))
  assertKnown('probes', options.probes, kindsWith('suspend'))
  const rules: Record<FaultKind, Rule> = { ...defaultRules }
  for (const [kind, wait] of Object.entries(options.waits ?? {}) as [RetriedKind, Wait | undefined][]) {
    rules[kind] = withWait(`waits.${kind}`, defaultRules[kind], wait)
  }
  for (const [kind, probeMs] of Object.entries(options.probes ?? {}) as [SuspendedKind, number | undefined][]) {
    rules[kind] = { ...defaultRules[kind], probeMs: inRange(`probes.${kind}`, probeMs ?? defaultRules[kind].probeMs) }
  }
  return {
    horizonMs: inRange('horizonMs', options.horizonMs ?? 86_400_000, 0, Infinity),
    maxAttempts: inRange('maxAttempts', options.maxAttempts ?? Infinity, 1, Infinity),
    maxRetryAfterMs: inRange('maxRetryAfterMs', options.maxRetryAfterMs ?? 600_000),
    longOutageAfterMs: inRange('longOutageAfterMs', options.longOutageAfterMs ?? 900_000, 0, Infinity),
    exhaustedProbeMs: inRange('exhaustedProbeMs', options.exhaustedProbeMs ?? 900_000),
    rules,
  }
}

// As objects, so that the compiler keeps them complete.
const optionNames: Record<keyof PolicyOptions, true> = {
  horizonMs: true,
  maxAttempts: true,
  maxRetryAfterMs: true,
  longOutageAfterMs: true,
  exhaustedProbeMs: true,
  waits: true,
  probes: true,
}
const waitNames: Record<keyof Wait, true> = {
  baseMs: true,
  capMs: true,
  longCapMs: true,
  quickResends: true,
  quickMs: true,
  maxResends: true,
}

function kindsWith(action: Rule['action']): string[] {
  return Object.entries(defaultRules).flatMap(([kind, rule]) => (rule.action === action ? [kind] : []))
}

function withWait(field: string, rule: RetryRule, wait: Wait = {}): RetryRule {
  assertKnown(field, wait, Object.keys(waitNames))
  const set = Object.fromEntries(Object.entries(wait).filter(([, value]) => value !== undefined)) as Wait
  const merged = { ...rule, ...set }
  inRange(`${field}.baseMs`, merged.baseMs)
  inRange(`${field}.capMs`, merged.capMs, merged.baseMs)
  // A cap above the default long cap takes that one along.
  if (merged.longCapMs !== undefined && set.longCapMs === undefined) {
    merged.longCapMs = Math.max(merged.longCapMs, merged.capMs)
  }
  inRange(`${field}.longCapMs`, merged.longCapMs ?? merged.capMs, merged.capMs)
  inRange(`${field}.quickMs`, merged.quickMs ?? 0)
  inRange(`${field}.quickResends`, merged.quickResends ?? 0, 0, Infinity)
  inRange(`${field}.maxResends`, merged.maxResends ?? 0, 0, Infinity)
  return merged
}

function inRange(field: string, value: unknown, min = 0, max = yearMs): number {
  // NaN fails both comparisons.
  if (typeof value === 'number' && value >= min && value <= max) return value
  const range = `a number from ${min} to ${max}`
  throw new LastgoodError('bad-option', `Policy option ${field} must be ${range}, got ${String(value)}`, {
    hint: `Set ${field} to ${range}, or leave it out for the default.`,
    details: { field, value: String(value), range },
  })
}

function assertKnown(field: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return
  const isObject = typeof options === 'object' && options !== null
  const unknown = isObject ? Object.keys(options).find((name) => !known.includes(name)) : `a ${typeof options}`
  if (unknown === undefined) return
  const range = isObject ? `one of ${known.join(', ')}` : `an object with ${known.join(', ')}`
  throw new LastgoodError('bad-option', `Policy option ${field} holds ${unknown}; it must be ${range}`, {
    hint: `Known in ${field}: ${known.join(', ')}.`,
    details: { field, value: unknown, range },
  })
}

export const defaultPolicy: Policy = resolvePolicy()
