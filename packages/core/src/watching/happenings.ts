/**
 * Turns entries into happenings, from which the logs, the traces and the metrics of a session are all made, so that
 * they agree.
 *
 * 1. A recovery is an answer after a fault, or after an interruption of its turn; it lasts from the first fault, or
 *    from the last entry before the interruption, to that answer.
 * 2. A wait ends with whatever comes next: an attempt, another wait, another rung, or the end of trying.
 */
import { isRefusal } from '../journal/answer.ts'
import { withoutKey } from '../journal/recorded-steps.ts'
import { billedUsage, tokensIn, type Usage } from '../journal/usage.ts'
import type { SessionEvent } from '../session/events.ts'
import type { Fault } from '../faults/fault.ts'
import { heldBy, type HeldBecause } from '../health/held.ts'
import type { Entry } from '../journal/journal.ts'
import { nameOfRule } from '../repair/rule-name.ts'
import type { Head } from '../store/head.ts'
import type { FaultFacts, Happening, TurnOutcome, TurnTally, WaitReason } from './happening.ts'
import type { WatchedSession } from './watched-session.ts'

const waitReasons: Readonly<Record<HeldBecause, WaitReason>> = {
  breaker: 'circuit_open',
  server: 'retry_after',
  comeback: 'circuit_open',
  crowd: 'circuit_open',
  fault: 'backoff',
  limiter: 'limiter',
}

type FaultObserved = Extract<Entry, { type: 'fault-observed' }>
type Answered = Extract<Entry, { type: 'response-received' }>

/**
 * Turns the entries of a session into what a watcher tells of it: attempts, waits, recoveries, ends of turns. One for each
 * opened session; `take` gives what one event means.
 */
export class Happenings {
  readonly #session: WatchedSession
  #turn: number
  #attempt = 0
  #attempts = 0
  #model: string
  #requested: string | undefined
  #served: string | undefined
  /** The instant and the model of the first fault since the last answer, and the kind of the latest one. */
  #failing: { since: number; model: string; last: FaultFacts['fault'] | undefined } | undefined
  #wait: { reason: WaitReason; since: number } | undefined
  /** The instant of the last entry, or of the first fault, before the turn was interrupted. */
  #interruptedAt: number | undefined
  #lastAt: number | undefined
  #isCold: boolean
  /** Whether the turn had a fault. */
  #hasFailed = false
  #isElsewhere: boolean
  /** The open turn was asked for: one that another process only began, as `submit` of a fleet does, is not interrupted. */
  #isAsked: boolean

  constructor(session: WatchedSession, before: Head | undefined) {
    this.#session = session
    const { context, envelope } = session
    this.#turn = context.turn
    this.#model = context.rungModel ?? envelope?.body.model ?? ''
    this.#requested = envelope?.body.model
    this.#isElsewhere = context.rungModel !== null
    this.#lastAt = before?.updatedAt
    this.#isCold = before !== undefined
    const isAnswered = session.transcript.turns.at(-1)?.stopReason !== undefined
    this.#isAsked = session.state !== 'requesting' || context.attempt > 0 || isAnswered
  }

  get tally(): TurnTally {
    return { turn: this.#turn, attempts: this.#attempts, requested: this.#requested, served: this.#served }
  }

  take(event: SessionEvent): readonly Happening[] {
    if (event.type === 'in-doubt') {
      const { name, toolUseId, did, isStep } = event
      const at = this.#session.clock.now()
      if (isStep) return [{ kind: 'step-in-doubt', at, step: name, stepId: withoutKey(toolUseId), did }]
      return [{ kind: 'in-doubt', at, tool: name, toolUseId, did }]
    }
    if (event.type === 'backfilled') {
      return [{ kind: 'backfilled', at: this.#session.clock.now(), entries: event.entries }]
    }
    if (event.type !== 'entry') return []
    const told = [...this.#of(event.entry)]
    this.#lastAt = event.entry.at
    return told
  }

  *#of(entry: Entry): Generator<Happening> {
    const { at } = entry
    switch (entry.type) {
      case 'session-resumed':
        if (this.#session.hasOpenTurn && this.#isAsked) this.#interruptedAt ??= this.#failing?.since ?? this.#lastAt
        yield {
          kind: 'resumed',
          at,
          turn: this.#turn,
          isRefolded: entry.refolded === true,
          downtimeMs: this.#lastAt === undefined ? undefined : Math.max(0, at - this.#lastAt),
        }
        return
      case 'turn-started':
        yield* this.#stopWaiting(at)
        this.#begin(entry.turn)
        yield { kind: 'turn-started', at, turn: entry.turn, agent: entry.agent }
        return
      case 'envelope-changed':
        this.#requested = entry.envelope.body.model
        if (!this.#isElsewhere) this.#model = this.#requested
        return
      case 'request-sent':
        yield* this.#stopWaiting(at)
        this.#isAsked = true
        this.#attempts += 1
        this.#attempt = entry.attempt
        this.#model = entry.model
        if (!this.#isElsewhere) this.#requested = entry.model
        yield { kind: 'attempt', at, model: entry.model, attempt: entry.attempt }
        return
      case 'request-held': {
        const { because, fault } = heldBy(entry.reason)
        yield* this.#stopWaiting(at)
        this.#isAsked = true
        // A limiter's wait is no failure.
        if (because !== 'limiter') this.#failing ??= { since: at, model: this.#model, last: fault }
        yield this.#startWaiting(at, waitReasons[because], entry.until)
        return
      }
      case 'fault-observed':
        yield* this.#fault(entry)
        return
      case 'rung-changed':
        yield* this.#stopWaiting(at)
        this.#isElsewhere = entry.rung > 0
        yield {
          kind: 'fallback',
          at,
          from: this.#model,
          to: entry.model,
          rung: entry.rung,
          reason: this.#failing?.last,
        }
        this.#model = entry.model
        return
      case 'transcript-repaired':
        yield { kind: 'repaired', at, rules: entry.repairs.map(({ rule }) => nameOfRule(rule)) }
        return
      case 'response-received':
        yield* this.#answer(entry)
        return
      case 'session-suspended':
        yield* this.#stopWaiting(at)
        this.#failing = undefined
        yield { kind: 'suspended', at, reason: entry.reason, attempts: this.#attempts, retryAt: entry.retryAt }
        return
      case 'turn-ended':
        yield { kind: 'turn-ended', at, outcome: this.#outcome(), ...this.tally }
        return
      case 'rewound': {
        const turns = Math.max(0, this.#turn - entry.turn)
        yield* this.#stopWaiting(at)
        this.#begin(entry.turn)
        yield { kind: 'rewound', at, turns }
        return
      }
      default:
    }
  }

  *#fault({ at, fault, decision }: FaultObserved): Generator<Happening> {
    const facts = factsOf(fault)
    const failing = (this.#failing ??= { since: at, model: this.#model, last: fault.kind })
    failing.last = fault.kind
    this.#hasFailed = true
    yield {
      kind: 'attempt-failed',
      at,
      model: this.#model,
      attempt: this.#attempt,
      decision: decision.kind,
      ...facts,
    }
    if (decision.kind === 'retry') {
      yield this.#startWaiting(at, this.#reasonOf(fault, at, failing.since), decision.at, facts)
    } else if (decision.kind === 'suspend') {
      this.#failing = undefined
      yield { kind: 'suspended', at, reason: fault.kind, attempts: this.#attempts, retryAt: decision.retryAt }
    } else if (decision.kind === 'fail') {
      this.#failing = undefined
      yield { kind: 'failed', at, reason: fault.kind }
    }
  }

  *#answer({ at, message }: Answered): Generator<Happening> {
    yield* this.#stopWaiting(at)
    const [failing, interruptedAt, isFirstAfterResume] = [this.#failing, this.#interruptedAt, this.#isCold]
    this.#failing = undefined
    this.#interruptedAt = undefined
    this.#isCold = false
    this.#served = message.model
    const [model, attempt] = [this.#model, this.#attempt]
    yield { kind: 'answered', at, model, attempt, usage: usageOf(message.usage), isFirstAfterResume }
    if (isRefusal(message)) yield { kind: 'failed', at, reason: 'refused' }
    else if (interruptedAt !== undefined || failing) {
      const mode = interruptedAt !== undefined ? 'resume' : failing?.model === model ? 'same_model' : 'fallback'
      const since = interruptedAt ?? failing?.since ?? at
      yield { kind: 'recovered', at, mode, durationMs: Math.max(0, at - since), attempt }
    }
  }

  #begin(turn: number): void {
    this.#turn = turn
    this.#attempts = 0
    this.#hasFailed = false
    this.#isAsked = false
    this.#isElsewhere = false
    this.#model = this.#requested ?? this.#model
    this.#failing = undefined
    this.#interruptedAt = undefined
    this.#served = undefined
  }

  #startWaiting(at: number, reason: WaitReason, until: number, facts: Partial<FaultFacts> = {}): Happening {
    this.#wait = { reason, since: at }
    return { kind: 'waiting', at, reason, until, attempt: this.#attempt, ...facts }
  }

  *#stopWaiting(at: number): Generator<Happening> {
    // A wall clock may be set back meanwhile, but no wait is negative.
    if (this.#wait) yield { kind: 'waited', at, reason: this.#wait.reason, since: Math.min(this.#wait.since, at) }
    this.#wait = undefined
  }

  #reasonOf({ retryAfterMs }: Fault, at: number, since: number): WaitReason {
    if (retryAfterMs !== undefined) return 'retry_after'
    const { context, policy } = this.#session
    return at - (context.firstFaultAt ?? since) >= policy.longOutageAfterMs ? 'outage' : 'backoff'
  }

  #outcome(): TurnOutcome {
    if (this.#isElsewhere) return 'ok_after_fallback'
    return this.#hasFailed ? 'ok_after_retry' : 'ok'
  }
}

function factsOf({ kind, status, errorType }: Fault): FaultFacts {
  // A gateway between here and the API may put anything there.
  const isWord = errorType !== undefined && /^[a-z][a-z0-9_.-]{0,63}$/i.test(errorType)
  return { fault: kind, ...(status !== undefined && { status }), ...(isWord && { errorType }) }
}

function usageOf(usage: Usage | undefined): { uncachedInput: number } {
  const { input, cacheRead } = tokensIn(billedUsage(usage))
  return { uncachedInput: input - cacheRead }
}
