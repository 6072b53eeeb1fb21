/**
 * Which rung takes the next attempt, and when: the session's own wait, the circuit breakers, and the ladder.
 *
 * 1. A wait is an instant in the journal, and counts as time without progress; what the host sleeps beyond it does not.
 * 2. While the breaker of a rung is open only its one probe leaves; the others take another rung, or are held. A pause
 *    that the server asked for, or a staggered start, changes no rung: a switch costs a cold cache.
 */
import type { FaultKind } from '../faults/fault-kinds.ts'
import type { Health } from '../health/health.ts'
import type { EntryBody } from '../journal/journal.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { chooseRung, type Rung } from '../ladder/ladder.ts'
import type { TokenNeed } from '../ladder/token-need.ts'
import { horizonPassed } from '../policy/decide.ts'
import type { Session } from '../session/session.ts'
import { suspendedError } from './given-up.ts'
import type { WireRequest } from './messages-request.ts'
import type { RequestRung } from './rungs.ts'

export interface LadderWalkOptions<R extends WireRequest> {
  session: Session
  health: Health
  rungs: readonly RequestRung<R>[]
  /** The tokens that the request needs, for rungs with a smaller window. */
  neededTokens: () => Promise<TokenNeed>
}

/** A wait that ends this much too late means that the host has slept, or its clock was set forward. */
const sleptMs = 600_000

export class LadderWalk<R extends WireRequest> {
  readonly #it: LadderWalkOptions<R>
  /** One draw for all waits of the request, so that it keeps its place in the queue. */
  readonly #ticket: number
  #hasWaited = false

  constructor(options: LadderWalkOptions<R>) {
    this.#it = options
    this.#ticket = options.session.clock.random()
  }

  /** The rung in use. */
  get current(): RequestRung<R> {
    return this.#it.rungs[this.#at] as RequestRung<R>
  }

  /** Found by its model where the ladder was changed since; 0 when that model is no longer on it. */
  get #at(): number {
    const { rungs, session } = this.#it
    const { rung, rungModel } = session.context
    if (rungModel === null || rungs[rung]?.model === rungModel) return rung
    return Math.max(
      0,
      rungs.findIndex(({ model }) => model === rungModel),
    )
  }

  /** Waits out what the session owes, then until a rung lets it pass. Errors: `session-suspended`. */
  async waitForTurn(signal: AbortSignal): Promise<void> {
    const { session, health } = this.#it
    // What that rung refused, and how often it failed, says nothing of this model.
    if (this.#at === 0 && session.context.rung > 0) {
      await session.stage([this.changed(0, 'the model that had taken over is no longer on the ladder')])
    }
    for (;;) {
      signal.throwIfAborted()
      if (session.owed.kind === 'wait') {
        this.#hasWaited = true
        await session.record([])
        const { until } = session.owed
        await session.clock.sleepUntil(until, { signal })
        await this.wakeUp(session.clock.now() - until)
      }
      const asking = { waited: this.#hasWaited, random: this.#ticket }
      const admission = await health.admit(this.current, session.id, asking)
      if (admission.kind !== 'wait') return
      const other = admission.cause && (await this.#openRung(admission.cause))
      // At least one session found the model gone: without another rung, this one asks for itself.
      if (other === undefined && admission.cause === 'model-gone') return
      if (other !== undefined) await session.record([this.changed(other, admission.reason)])
      else await this.#hold(admission.until, admission.reason)
    }
  }

  /** The rungs further down that can take the request: the next one at all, and the next one at another endpoint. */
  async nextRungs(): Promise<{ model?: number | undefined; endpoint?: number | undefined }> {
    const { rungs, neededTokens } = this.#it
    if (rungs.length === 1) return {}
    const isDown = await this.#downRungs()
    const needsTokens = await neededTokens()
    const choose = (scope: 'model' | 'endpoint') =>
      chooseRung({ rungs, current: this.#at, isDown, needsTokens, cardOf, scope })
    return { model: choose('model'), endpoint: choose('endpoint') }
  }

  changed(rung: number, reason: string): EntryBody {
    return { type: 'rung-changed', rung, model: this.#it.rungs[rung]?.model ?? '', reason }
  }

  /** Nothing was tried while the host slept for `lateMs`: as after a restart, there is a new budget. */
  async wakeUp(lateMs: number): Promise<void> {
    const { session } = this.#it
    if (lateMs >= sleptMs && session.context.firstFaultAt !== null) {
      await session.record([{ type: 'session-resumed', owner: session.owner }])
    }
  }

  async #hold(until: number, reason: string): Promise<void> {
    const { session } = this.#it
    const { context, policy, clock } = session
    const held: EntryBody = { type: 'request-held', until, reason }
    const now = clock.now()
    const endAt = (context.firstFaultAt ?? now) + policy.horizonMs
    if (until <= endAt) return void (await session.record([held]))
    const detail = `${horizonPassed(now, endAt, policy)} (${reason})`
    const retryAt = Math.max(until, now + policy.exhaustedProbeMs)
    await session.record([held, { type: 'session-suspended', reason: 'exhausted', detail, retryAt }])
    throw suspendedError(session, { reason: detail, retryAt })
  }

  /** Another rung that helps against `cause` and takes requests: one further up, else the next one down. */
  async #openRung(cause: FaultKind): Promise<number | undefined> {
    const { rungs, session } = this.#it
    const rule = session.policy.rules[cause]
    const to = 'fallback' in rule ? rule.fallback?.to : undefined
    if (rungs.length === 1 || to === undefined) return undefined
    const isDown = await this.#downRungs()
    const helps = (rung: Rung) => to === 'model' || rung.endpoint !== this.current.endpoint
    const up = rungs.findIndex((rung, at) => at < this.#at && helps(rung) && !isDown(rung))
    return up < 0 ? (await this.nextRungs())[to] : up
  }

  async #downRungs(): Promise<(rung: Rung) => boolean> {
    const { rungs, health } = this.#it
    const down = await Promise.all(rungs.map(async (rung) => ((await health.isDown(rung)) ? [rung] : [])))
    const all: ReadonlySet<Rung> = new Set(down.flat())
    return (rung) => all.has(rung)
  }
}
