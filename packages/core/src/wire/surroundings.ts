/**
 * What is known beyond one attempt: how this very request has fared, and what other sessions of the store see
 * meanwhile. Before a conversation is called poisoned, several pings in a row have to be answered.
 */
import { classify, type Elsewhere, type Wire } from '../faults/classify.ts'
import type { Health } from '../health/health.ts'
import type { Session } from '../session/session.ts'
import type { WireRequest } from './messages-request.ts'
import { pingProvider } from './ping.ts'
import type { RequestRung } from './rungs.ts'

/** How many pings in a row have to be answered, one for each failure of our own. */
const pings = 5
/** How long after an unanswered ping the model is not pinged again. */
const pingPauseMs = 300_000
/** How long after an answer its credentials count as good. */
const goodForMs = 3_600_000

export class Surroundings<R extends WireRequest> {
  readonly #it: { session: Session; health: Health; sent: R; system: unknown }
  #pinged = { at: -Infinity, answers: 0 }

  constructor(it: { session: Session; health: Health; sent: R; system: unknown }) {
    this.#it = it
  }

  /** Around the failure that was seen as `wire`. */
  async of(wire: Wire, rung: RequestRung<R>, signal: AbortSignal): Promise<Elsewhere> {
    const { session, health } = this.#it
    const { context, transcript, clock } = session
    const now = clock.now()
    const since = context.firstFaultAt ?? now
    const evidence = await health.evidence(rung, session.id, since)
    // Once it counts as poisoned it does so until something else happens.
    const isPoisoned = context.faultKind === 'poisoned'
    const failuresOfKind = context.faultKind === 'server-transient' ? context.faultsOfKind + 1 : 1
    const seen = {
      failures: isPoisoned ? context.faults + 1 : failuresOfKind,
      failingForMs: now - since,
      ...evidence,
      workedBefore: transcript.answeredAt !== undefined && now - transcript.answeredAt < goodForMs,
    }
    const seemsPoisoned = classify({ ...wire, elsewhere: { ...seen, othersSucceed: true } }).kind === 'poisoned'
    if (!seemsPoisoned) return seen
    // One success is no proof: a partial outage answers now and then. Several in a row, over minutes, are.
    const { at, answers } = this.#pinged
    const mayAsk = answers < pings && (answers > 0 || now - at >= pingPauseMs)
    if (mayAsk) {
      const isAnswered = await pingProvider(this.#it, rung, clock, signal)
      this.#pinged = { at: now, answers: isAnswered ? answers + 1 : 0 }
    }
    return { ...seen, othersSucceed: this.#pinged.answers >= pings }
  }
}
