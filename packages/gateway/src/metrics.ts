/**
 * What happens in the sessions of a gateway, counted for Prometheus: https://prometheus.io/docs/practices/naming/
 *
 * 1. Labels have few values: no session ids, and of models only those that lastgood knows.
 * 2. A recovery is an answer after a fault of the same session; it lasts from its first fault to that answer.
 */
import { builtInCards, isSameModel, type Clock, type Entry, type SessionEvent } from '@lastgood/core'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What is so at the moment when the page is asked for. */
interface Standing {
  /** Requests that are being answered. */
  waiting: number
  /** Ids of the sessions that are open. */
  sessions: readonly string[]
}

/** Of a session that has not had its answer yet. */
interface Failing {
  since: number
  isElsewhere: boolean
}

export class Metrics {
  readonly #clock: Clock
  readonly #registry = new Registry()
  readonly #models = new Map<string, string>()
  readonly #failing = new Map<string, Failing>()
  #isScraped = false
  readonly #attempts = this.#counter('attempts', 'Attempts at an answer, by what came of them', ['model', 'outcome'])
  readonly #recoveries = this.#counter('recoveries', 'Answers after a fault, by how they came', ['mode'])
  readonly #givenUp = this.#counter('given_up', 'Requests that were given up, by the last fault', ['reason'])
  readonly #repairs = this.#counter('repairs', 'Repairs of requests that were accepted, by rule', ['rule'])
  readonly #tokens = this.#counter('tokens', 'Tokens that answers were billed for', ['model', 'kind'])
  readonly #responses = this.#counter('responses', 'Responses to clients, by status', ['status'])
  readonly #duration = new Histogram({
    name: 'lastgood_recovery_seconds',
    help: 'Time from the first fault to the answer',
    buckets: [1, 5, 30, 60, 300, 900, 3600, 21_600],
    registers: [this.#registry],
  })
  readonly #standing = {
    failing: this.#gauge('sessions_failing', 'Sessions that wait for an answer after a fault'),
    waiting: this.#gauge('requests_waiting', 'Requests that are being answered'),
    sessions: this.#gauge('sessions_open', 'Sessions that are open'),
    longest: this.#gauge('outage_seconds', 'Time since the first fault of the session that waits longest'),
  }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly take = (sessionId: string, event: SessionEvent): void => {
    if (event.type === 'entry') this.#count(sessionId, event.entry)
  }

  answered(status: number): void {
    this.#responses.inc({ status: String(status) })
  }

  async page({ waiting, sessions }: Standing): Promise<Response> {
    // Watching the process costs something: only where somebody looks.
    if (!this.#isScraped) collectDefaultMetrics({ register: this.#registry })
    this.#isScraped = true
    // One that was given back is nobody's any more.
    for (const id of this.#failing.keys()) if (!sessions.includes(id)) this.#failing.delete(id)
    const since = Math.min(this.#clock.now(), ...[...this.#failing.values()].map((one) => one.since))
    this.#standing.failing.set(this.#failing.size)
    this.#standing.waiting.set(waiting)
    this.#standing.sessions.set(sessions.length)
    this.#standing.longest.set((this.#clock.now() - since) / 1000)
    return new Response(await this.#registry.metrics(), { headers: { 'content-type': this.#registry.contentType } })
  }

  #count(sessionId: string, entry: Entry): void {
    switch (entry.type) {
      case 'request-sent':
        this.#models.set(sessionId, labelOf(entry.model))
        return
      case 'fault-observed': {
        this.#attempts.inc({ model: this.#models.get(sessionId) ?? 'other', outcome: entry.fault.kind })
        const isGivenUp = entry.decision.kind === 'fail' || entry.decision.kind === 'suspend'
        if (isGivenUp) this.#giveUp(sessionId, entry.fault.kind)
        else if (!this.#failing.has(sessionId)) {
          this.#failing.set(sessionId, { since: entry.at, isElsewhere: false })
        }
        return
      }
      case 'rung-changed': {
        const failing = this.#failing.get(sessionId)
        if (failing) failing.isElsewhere = entry.rung > 0
        return
      }
      case 'transcript-repaired':
        for (const { rule } of entry.repairs) this.#repairs.inc({ rule: rule.replace(/:.*/s, '') })
        return
      case 'session-suspended':
        this.#giveUp(sessionId, entry.reason)
        return
      case 'response-received':
        this.#answer(sessionId, entry)
        return
      default:
    }
  }

  #giveUp(sessionId: string, reason: string): void {
    this.#givenUp.inc({ reason })
    this.#failing.delete(sessionId)
  }

  #answer(sessionId: string, { at, message }: Extract<Entry, { type: 'response-received' }>): void {
    const model = this.#models.get(sessionId) ?? 'other'
    this.#attempts.inc({ model, outcome: 'answered' })
    for (const kind of ['input', 'output', 'cache_creation_input', 'cache_read_input']) {
      const count = message.usage?.[`${kind}_tokens`]
      if (typeof count === 'number') this.#tokens.inc({ model, kind }, count)
    }
    this.#models.delete(sessionId)
    const failing = this.#failing.get(sessionId)
    if (!failing) return
    this.#failing.delete(sessionId)
    this.#recoveries.inc({ mode: failing.isElsewhere ? 'fallback' : 'same_model' })
    this.#duration.observe((at - failing.since) / 1000)
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `lastgood_${name}_total`, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name: `lastgood_${name}`, help, registers: [this.#registry] })
  }
}

const labelOf = (model: string): string => builtInCards.find(({ id }) => isSameModel(id, model))?.id ?? 'other'
