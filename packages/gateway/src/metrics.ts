/**
 * What happens in the sessions of a gateway, counted for Prometheus: https://prometheus.io/docs/practices/naming/
 *
 * 1. Labels have few values: no session ids, and of models only those that lastgood knows.
 * 2. The words are those of `@lastgood/otel`: both count the same happenings.
 */
import {
  Happenings,
  billedUsage,
  modelLabel,
  statuses,
  type Clock,
  type Entry,
  type Happening,
  type SessionEvent,
  type WatchedSession,
  type Watcher,
} from '@lastgood/core'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export class Metrics implements Watcher {
  readonly #clock: Clock
  readonly #registry = new Registry()
  /** The open sessions, and since when each has failed to get its answer. */
  readonly #sessions = new Map<WatchedSession, { failingSince: number | undefined }>()
  #isScraped = false
  readonly #attempts = this.#counter('attempts', 'Attempts at an answer, by outcome', ['model', 'outcome'])
  readonly #recoveries = this.#counter('recoveries', 'Answers after a fault or an interruption, by mode', ['mode'])
  readonly #givenUp = this.#counter('given_up', 'Requests that were given up, by the last fault', ['reason'])
  readonly #turnsLost = this.#counter('turns_lost', 'Turns that were taken back', ['reason'])
  readonly #repairs = this.#counter('repairs', 'Repairs of requests that were accepted, by rule', ['rule'])
  readonly #waited = this.#counter('wait_seconds', 'Time spent waiting, by reason', ['reason'])
  readonly #tokens = this.#counter('tokens', 'Tokens that were billed for answers', ['model', 'kind'])
  readonly #coldTokens = this.#counter(
    'resume_input_tokens',
    'Uncached input tokens of the first answer after a session was opened again: what the cold cache costs',
    [],
  )
  readonly #responses = this.#counter('responses', 'Responses to clients, by status', ['status'])
  readonly #duration = new Histogram({
    name: 'lastgood_recovery_duration_seconds',
    help: 'Time from the first fault, or from the interruption, to the answer',
    labelNames: ['mode'],
    buckets: [1, 5, 30, 60, 300, 900, 3600, 21_600],
    registers: [this.#registry],
  })
  readonly #standing = {
    states: this.#gauge('sessions', 'Sessions that are open, by state', ['state']),
    failing: this.#gauge('sessions_failing', 'Sessions waiting for an answer after a fault'),
    waiting: this.#gauge('requests_waiting', 'Requests that are being read or answered'),
    longest: this.#gauge('outage_seconds', 'Time since the first fault of the session that has waited longest'),
  }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly opened: Watcher['opened'] = (session, before) => {
    const happenings = new Happenings(session, before)
    this.#sessions.set(session, { failingSince: undefined })
    session.signal.addEventListener('abort', () => this.#sessions.delete(session), { once: true })
    session.subscribe((event) => {
      this.#countTokens(session, event)
      for (const happening of happenings.take(event)) this.#count(session, happening)
    })
  }

  answered(status: number): void {
    this.#responses.inc({ status: String(status) })
  }

  /** An answer of the session has ended, whole or not: the session waits for none. */
  readonly rests = (session: WatchedSession): void => this.#fails(session, undefined)

  /** `waiting`: requests that are being read or answered. */
  async page({ waiting }: { waiting: number }): Promise<Response> {
    // Process metrics cost something: they are collected only once somebody reads them.
    if (!this.#isScraped) collectDefaultMetrics({ register: this.#registry })
    this.#isScraped = true
    const now = this.#clock.now()
    const failing = [...this.#sessions.values()].flatMap(({ failingSince }) => failingSince ?? [])
    for (const status of Object.values(statuses)) this.#standing.states.set({ state: status }, 0)
    for (const { state } of this.#sessions.keys()) this.#standing.states.inc({ state: statuses[state] })
    this.#standing.failing.set(failing.length)
    this.#standing.waiting.set(waiting)
    this.#standing.longest.set((now - Math.min(now, ...failing)) / 1000)
    // As the format requires: https://prometheus.io/docs/instrumenting/exposition_formats/
    const text = (await this.#registry.metrics()).replace(/ Nan$/gm, ' NaN')
    return new Response(text, { headers: { 'content-type': this.#registry.contentType } })
  }

  #count(session: WatchedSession, happening: Happening): void {
    switch (happening.kind) {
      case 'attempt-failed':
        this.#attempts.inc({ model: modelLabel(happening.model), outcome: happening.fault })
        this.#fails(session, this.#sessions.get(session)?.failingSince ?? happening.at)
        return
      case 'answered':
        this.#attempts.inc({ model: modelLabel(happening.model), outcome: 'answered' })
        if (happening.isFirstAfterResume) this.#coldTokens.inc(happening.usage.uncachedInput)
        this.#fails(session, undefined)
        return
      case 'recovered':
        this.#recoveries.inc({ mode: happening.mode })
        this.#duration.observe({ mode: happening.mode }, happening.durationMs / 1000)
        return
      case 'waited':
        this.#waited.inc({ reason: happening.reason }, (happening.at - happening.since) / 1000)
        return
      case 'suspended':
      case 'failed':
        this.#givenUp.inc({ reason: happening.reason })
        this.#fails(session, undefined)
        return
      case 'rewound':
        if (happening.turns > 0) this.#turnsLost.inc({ reason: 'rewound' }, happening.turns)
        return
      case 'repaired':
        for (const rule of happening.rules) this.#repairs.inc({ rule })
        return
      default:
    }
  }

  #fails(session: WatchedSession, failingSince: number | undefined): void {
    if (this.#sessions.has(session)) this.#sessions.set(session, { failingSince })
  }

  #countTokens({ envelope }: WatchedSession, event: SessionEvent): void {
    if (event.type !== 'entry' || event.entry.type !== 'response-received') return
    const { message }: Extract<Entry, { type: 'response-received' }> = event.entry
    const model = modelLabel(message.model || (envelope?.body.model ?? ''))
    const usage = billedUsage(message.usage)
    for (const kind of ['input', 'output', 'cache_creation_input', 'cache_read_input']) {
      const count = usage[`${kind}_tokens`]
      if (typeof count === 'number') this.#tokens.inc({ model, kind }, count)
    }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `lastgood_${name}_total`, help, labelNames, registers: [this.#registry] })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name: `lastgood_${name}`, help, labelNames, registers: [this.#registry] })
  }
}
