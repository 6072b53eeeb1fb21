/**
 * What to do about a fault: `decide` applies the rule of its kind. Pure; the driver obeys.
 *
 * 1. `decide` never throws and never reads a clock: instants and randomness are arguments.
 * 2. A retry lies in `[now + retryAfterMs + minMs, now + retryAfterMs + minMs + cap]`.
 * 3. Immediate actions cannot loop: a repair is tried once, credentials once, and a rung leads to the next one down.
 * 4. Complete tool calls of a broken answer are kept, whatever broke it: a re-send could run them twice (P2).
 * 5. An exhausted budget suspends, with the reason and an instant for the next try; it never fails (P6).
 *
 * Users compose it: wrap `decide` in a function of the same shape, or override a row of the table with `policy.rules`.
 * A new action is one member of `Rule`, one case in `decide`, and the rows that use it.
 */
import { fullJitter } from '../backoff.ts'
import { formatDuration } from '../duration.ts'
import { LastgoodError } from '../errors.ts'
import { decisionSchema, type Decision, type Fault } from '../faults/fault.ts'
import { firstIssue } from '../journal/journal.ts'
import type { Policy } from './options.ts'
import type { FallbackRule, RepairRule, RetryRule, Rule } from './rules.ts'

/** What is known of the request's earlier attempts. */
export interface FaultHistory {
  /** Consecutive failed attempts of this request, this one included. */
  attempts: number
  /** The latest consecutive ones of this fault's kind, this one included; default: all. `maxResends` counts these. */
  attemptsOfKind?: number | undefined
  /** When the first of them failed, epoch ms. */
  firstFaultAt: number
  /** Those on the rung that failed, this one included, and when the first of these failed; default: all. */
  attemptsOnRung?: number | undefined
  firstFaultOnRungAt?: number | undefined
  /** Tokens that they cost, this one included, in full-price input tokens. Default 0. */
  tokens?: number | undefined
  /** Repair rules tried since the last progress. */
  tried?: readonly string[] | undefined
  /** How many texts of broken answers were kept for this request (`policy.cutText`). Default 0. */
  kept?: number | undefined
  /** The rungs that could take the turn: the next one, and the next one at another endpoint. */
  nextRung?: { model?: number | undefined; endpoint?: number | undefined } | undefined
  /** Epoch ms. */
  now: number
  /** Uniform in [0, 1). */
  random: number
}

/** Base of the jitter added to a `retry-after`: it grows like a back-off, so that `retry-after: 0` cannot spin. */
const retryAfterJitterMs = 1_000

/** What is done about a fault, by the policy; pure. `openSession(id, { decide })` takes a function of yours in its place. */
export function decide(fault: Fault, history: FaultHistory, policy: Policy): Decision {
  const rule = policy.rules[fault.kind]
  if (fault.complete === 'calls' || (fault.complete === 'text' && keepsText(history, policy))) {
    return { kind: 'keep-and-continue' }
  }
  if (isFirstDenial(rule, fault, history)) return { kind: 'resend' }
  switch (rule.action) {
    case 'retry':
      return fallBack(rule.fallback, history) ?? retryOrSuspend(rule, fault, history, policy)
    case 'repair':
      return repairOr(rule, fault, history)
    case 'suspend': {
      const retryAt = history.now + Math.max(rule.probeMs, fault.retryAfterMs ?? 0)
      return { kind: 'suspend', reason: withFacts(rule.reason, fault), retryAt }
    }
    case 'fail':
      return fallBack(rule.fallback, history) ?? { kind: 'fail', reason: withFacts(rule.reason, fault) }
  }
}

/** `own`, checked: a decision that a journal cannot hold would be waited for forever. Errors: `bad-option`. */
export function checkedDecide(own: typeof decide): typeof decide {
  return (fault, history, policy) => {
    const decision = own(fault, history, policy)
    const { error } = decisionSchema().safeParse(decision)
    if (!error) return decision
    throw new LastgoodError(
      'bad-option',
      `decide returned no valid decision about ${fault.kind} (${firstIssue(error)})`,
      {
        hint: 'the turn is still open; return synchronously what decide of @lastgood/core returns, with instants in epoch ms, then run it again',
      },
    )
  }
}

/** A model that breaks off again and again is not asked to go on forever. */
const keptTexts = 2

const keepsText = ({ kept = 0 }: FaultHistory, { cutText }: Policy): boolean => cutText === 'keep' && kept < keptTexts

function fallBack(rule: FallbackRule | undefined, history: FaultHistory): Decision | undefined {
  const { attempts, firstFaultAt, now, nextRung } = history
  const rung = rule && nextRung?.[rule.to]
  if (!rule || rung === undefined) return undefined
  const { attemptsOnRung = attempts, firstFaultOnRungAt = firstFaultAt } = history
  const isReached = attemptsOnRung >= rule.attempts && now - firstFaultOnRungAt >= rule.afterMs
  return isReached ? { kind: 'fallback', rung } : undefined
}

function repairOr(rule: RepairRule, fault: Fault, { tried = [] }: FaultHistory): Decision {
  const next = fault.repairs?.find((name) => !tried.includes(name))
  if (next !== undefined) return { kind: 'repair', rule: next }
  const reason = withFacts(rule.reason, fault)
  if (rule.otherwise === 'fail') return { kind: 'fail', reason }
  // Without a time for a next try: time alone does not mend what is in the conversation.
  if (rule.otherwise === 'suspend') return { kind: 'suspend', reason }
  return { kind: 'keep-and-continue' }
}

function isFirstDenial(rule: Rule, { status }: Fault, history: FaultHistory): boolean {
  const { attempts, attemptsOfKind = attempts } = history
  return 'resendFirst' in rule && rule.resendFirst && status === 401 && attemptsOfKind === 1
}

function retryOrSuspend(rule: RetryRule, fault: Fault, history: FaultHistory, policy: Policy): Decision {
  const { attempts, attemptsOfKind = attempts, firstFaultAt, tokens = 0, now } = history
  const floorAt = now + (fault.retryAfterMs ?? 0) + (rule.minMs ?? 0)
  const at = floorAt + backOff(rule, fault, history, policy)
  const suspend = (reason: string, retryAt: number): Decision => ({
    kind: 'suspend',
    reason: withFacts(reason, fault),
    retryAt,
  })
  if (fault.retryAfterMs !== undefined && fault.retryAfterMs > policy.maxRetryAfterMs) {
    return suspend(`The server asks for a pause of ${formatDuration(fault.retryAfterMs)}`, at)
  }
  const probeAt = Math.max(at, now + policy.exhaustedProbeMs)
  if (fault.shouldRetry === false) return suspend('The server asks not to be retried now', probeAt)
  if (rule.maxResends !== undefined && attemptsOfKind > rule.maxResends) {
    return { kind: 'suspend', reason: withFacts(rule.exhausted ?? `Failed ${attemptsOfKind} times`, fault) }
  }
  if (attempts >= policy.maxAttempts) return suspend(`Gave up waiting after ${attempts} attempts`, probeAt)
  if (tokens > policy.maxRecoveryTokens) {
    return suspend(`Gave up: broken answers have cost ${Math.round(tokens / 1_000)}k tokens without progress`, probeAt)
  }
  // A wait that would pass the horizon ends there, with a last try.
  const endAt = firstFaultAt + policy.horizonMs
  if (now >= endAt || floorAt > endAt) return suspend(horizonPassed(now, endAt, policy), probeAt)
  return { kind: 'retry', at: Math.min(at, endAt) }
}

/** Why nothing is tried any more, although the horizon, which ends at `endAt`, may not be over. */
export function horizonPassed(now: number, endAt: number, { horizonMs }: Policy): string {
  const horizon = formatDuration(horizonMs)
  return now >= endAt
    ? `Gave up waiting: no progress within ${horizon}`
    : `Gave up waiting: the next try would be later than ${horizon} without progress`
}

function backOff(rule: RetryRule, fault: Fault, { attempts, firstFaultAt, now, random }: FaultHistory, policy: Policy) {
  const quick = rule.quickResends ?? 0
  if (attempts <= quick && fault.retryAfterMs === undefined) return fullJitter(1, rule.quickMs ?? 0, rule.capMs, random)
  const isLong = now - firstFaultAt >= policy.longOutageAfterMs
  const capMs = isLong ? (rule.longCapMs ?? rule.capMs) : rule.capMs
  const baseMs = fault.retryAfterMs === undefined ? rule.baseMs : Math.min(rule.baseMs, retryAfterJitterMs)
  return fullJitter(attempts - quick, baseMs, capMs, random)
}

/** The reason and what the server said: the person who reads it has to act on both. */
function withFacts(reason: string, { status, errorType, message }: Fault): string {
  const label = [status, errorType].filter((fact) => fact !== undefined).join(' ')
  const facts = [label, message].filter((fact) => fact !== undefined && fact !== '').join(': ')
  return facts === '' ? `${reason}.` : `${reason} (${facts}).`
}
