/**
 * The numbers and rows of a policy: the user's settings, checked and merged over the defaults.
 *
 * 1. Bad options throw at construction, naming the field, the value and the range.
 * 2. Any row of the fault table can be replaced or have its numbers changed. A fault that time does not mend is never
 *    waited out, whatever the options say (P6).
 */
import { checksOf, type OptionChecks } from '../option-checks.ts'
import { traitsOf, faultKinds, type FaultKind } from '../faults/fault-kinds.ts'
import { defaultRules, type Rule } from './rules.ts'

/** A row of the table: fields that override those of the default row, or a whole row with another `action`. */
export type RuleOptions = Partial<Rule>

export interface PolicyOptions {
  /**
   * How long one request may fail without progress before the session is suspended. Default 24 h: of 27 API incidents
   * read one by one, nine in ten were over within 5 h (https://github.com/zhenghu/AI-reliability-report), and a relapse
   * or a night may follow. 0 never waits, `Infinity` has no horizon.
   */
  horizonMs?: number | undefined
  /**
   * Attempts of one request before the session is suspended. Default `Infinity`: the horizon decides. An interactive
   * caller sets 10, as Claude Code does (https://code.claude.com/docs/en/errors).
   */
  maxAttempts?: number | undefined
  /**
   * What broken answers may cost without progress, in full-price input tokens, before the session is suspended. Default
   * 2,000,000: about twenty cold sends of a long conversation.
   */
  maxRecoveryTokens?: number | undefined
  /**
   * The longest `retry-after` that is waited out; a longer one suspends the session until then. Default 10 min: the
   * API's rate limits refill within about a minute; a longer wait is a usage window of the account.
   */
  maxRetryAfterMs?: number | undefined
  /** How long a request has failed when the outage counts as long and `longCapMs` applies. Default 15 min. */
  longOutageAfterMs?: number | undefined
  /** How long after its budget is exhausted a session may be tried again. Default 15 min. */
  exhaustedProbeMs?: number | undefined
  /**
   * What happens to an answer that broke off after complete text and no tool call. `resend` (default): it is dropped,
   * and the identical request sent again. `keep`: it is recorded, and the model is told to go on where it stopped.
   */
  cutText?: 'resend' | 'keep' | undefined
  /** Rows of the fault table, by kind. */
  rules?: { readonly [K in FaultKind]?: RuleOptions | undefined } | undefined
}

export interface Policy {
  readonly horizonMs: number
  readonly maxAttempts: number
  readonly maxRecoveryTokens: number
  readonly maxRetryAfterMs: number
  readonly longOutageAfterMs: number
  readonly exhaustedProbeMs: number
  readonly cutText: 'resend' | 'keep'
  readonly rules: Readonly<Record<FaultKind, Readonly<Rule>>>
}

const { inRange, oneOf, badOption, assertKnown }: OptionChecks = checksOf('Policy')

/** All present and in range; throws `bad-option`. */
export function resolvePolicy(options: PolicyOptions = {}): Policy {
  assertKnown('policy', options, Object.keys(optionNames))
  assertKnown('rules', options.rules, faultKinds)
  const rules: Record<FaultKind, Rule> = { ...defaultRules }
  for (const [kind, row] of Object.entries(options.rules ?? {}) as [FaultKind, RuleOptions | undefined][]) {
    if (row !== undefined) rules[kind] = ruleOver(kind, row)
  }
  return {
    horizonMs: inRange('horizonMs', options.horizonMs ?? 86_400_000, 0, Infinity),
    maxAttempts: inRange('maxAttempts', options.maxAttempts ?? Infinity, 1, Infinity),
    maxRecoveryTokens: inRange('maxRecoveryTokens', options.maxRecoveryTokens ?? 2_000_000, 0, Infinity),
    maxRetryAfterMs: inRange('maxRetryAfterMs', options.maxRetryAfterMs ?? 600_000),
    longOutageAfterMs: inRange('longOutageAfterMs', options.longOutageAfterMs ?? 900_000, 0, Infinity),
    exhaustedProbeMs: inRange('exhaustedProbeMs', options.exhaustedProbeMs ?? 900_000),
    cutText: oneOf('cutText', options.cutText ?? 'resend', ['resend', 'keep']),
    rules,
  }
}

// Objects rather than arrays, so that the compiler checks that they are complete.
const optionNames: Record<keyof PolicyOptions, true> = {
  horizonMs: true,
  maxAttempts: true,
  maxRecoveryTokens: true,
  maxRetryAfterMs: true,
  longOutageAfterMs: true,
  exhaustedProbeMs: true,
  cutText: true,
  rules: true,
}
type FieldsOf<A extends Rule['action']> = Record<keyof Extract<Rule, { action: A }>, Field>
type Field = 'ms' | 'count' | 'text' | 'flag' | 'fallback' | 'otherwise' | 'action'
const fields: { [A in Rule['action']]: FieldsOf<A> } = {
  retry: {
    action: 'action',
    baseMs: 'ms',
    capMs: 'ms',
    minMs: 'ms',
    resendFirst: 'flag',
    longCapMs: 'ms',
    quickResends: 'count',
    quickMs: 'ms',
    maxResends: 'count',
    exhausted: 'text',
    fallback: 'fallback',
  },
  suspend: { action: 'action', probeMs: 'ms', reason: 'text', resendFirst: 'flag' },
  fail: { action: 'action', reason: 'text', fallback: 'fallback' },
  repair: { action: 'action', otherwise: 'otherwise', reason: 'text' },
}
const required: { [A in Rule['action']]: readonly string[] } = {
  retry: ['baseMs', 'capMs'],
  suspend: ['probeMs', 'reason'],
  fail: ['reason'],
  repair: ['otherwise', 'reason'],
}

function ruleOver(kind: FaultKind, row: RuleOptions): Rule {
  const field = `rules.${kind}`
  assertKnown(
    field,
    row,
    Object.values(fields).flatMap((one) => Object.keys(one)),
  )
  const base: Rule = defaultRules[kind]
  const action = oneOf(`${field}.action`, row.action ?? base.action, Object.keys(fields) as Rule['action'][])
  if (action === 'retry' && traitsOf(kind).isLasting) {
    throw badOption(`${field}.action`, action, 'suspend, fail or repair: waiting does not fix it')
  }
  assertKnown(field, row, Object.keys(fields[action]))
  const set = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))
  const merged: Record<string, unknown> = action === base.action ? { ...base, ...set } : set
  for (const name of required[action]) {
    if (merged[name] === undefined) throw badOption(`${field}.${name}`, undefined, `set for action ${action}`)
  }
  for (const [name, is] of Object.entries(fields[action])) {
    if (merged[name] !== undefined) checkField(`${field}.${name}`, is, merged[name])
  }
  if (merged['action'] === 'retry') checkCaps(field, merged, set)
  if (merged['otherwise'] === 'keep' && !traitsOf(kind).isOfAnswer) {
    throw badOption(`${field}.otherwise`, 'keep', 'fail or suspend: there is no answer to keep')
  }
  return merged as unknown as Rule
}

function checkField(field: string, is: Field, value: unknown): void {
  if (is === 'ms') inRange(field, value)
  if (is === 'count') inRange(field, value, 0, Infinity)
  if (is === 'text' && typeof value !== 'string') throw badOption(field, value, 'a text')
  if (is === 'flag' && typeof value !== 'boolean') throw badOption(field, value, 'true or false')
  if (is === 'otherwise') oneOf(field, value, ['fail', 'suspend', 'keep'])
  if (is === 'fallback') checkFallback(field, value)
}

function checkFallback(field: string, value: unknown): void {
  assertKnown(field, value, ['attempts', 'afterMs', 'to'])
  const { attempts, afterMs, to } = value as Record<string, unknown>
  inRange(`${field}.attempts`, attempts, 1, Infinity)
  inRange(`${field}.afterMs`, afterMs)
  oneOf(`${field}.to`, to, ['model', 'endpoint'])
}

function checkCaps(field: string, merged: Record<string, unknown>, set: Record<string, unknown>): void {
  inRange(`${field}.capMs`, merged['capMs'], Number(merged['baseMs']))
  // A cap above the default long cap raises that too.
  if (merged['longCapMs'] !== undefined && set['longCapMs'] === undefined) {
    merged['longCapMs'] = Math.max(Number(merged['longCapMs']), Number(merged['capMs']))
  }
  inRange(`${field}.longCapMs`, merged['longCapMs'] ?? merged['capMs'], Number(merged['capMs']))
}

/** The policy of a session that is opened without one. */
export const defaultPolicy: Policy = resolvePolicy()
