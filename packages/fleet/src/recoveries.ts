/**
 * Which models answer again after an outage, as the sessions of the store have recorded it.
 *
 * 1. It is advice: if it cannot be read, sessions wait for their own instants.
 * 2. A head names its model and no endpoint: a model answers if its breaker is open at none of its endpoints.
 */
import {
  providerHealth,
  type Clock,
  type Health,
  type HealthRecord,
  type SessionSummary,
  type Store,
} from '@lastgood/core'
import { assess, type Verdict } from './assess.ts'
import type { Recovered } from './comeback.ts'

/** If no session probes a model within this after its probe was due, none uses it: its open breaker is left over. */
const leftOverMs = 300_000
/** How old the records may be when a session is about to be told to wait. */
const freshMs = 1_000

export class Recoveries {
  readonly #health: Health
  readonly #clock: Clock
  #known = new Map<string, Recovered>()
  #readAt = -Infinity
  #reading: Promise<void> | undefined

  constructor(store: Store, clock: Clock) {
    this.#health = providerHealth(store.shared, clock)
    this.#clock = clock
  }

  get all(): ReadonlyMap<string, Recovered> {
    return this.#known
  }

  /** The verdict on a session by what is known here. */
  assess(summary: SessionSummary | undefined): Verdict {
    return assess(summary, { now: this.#clock.now(), recovered: (model) => this.#known.get(model) })
  }

  /** The same, with fresh records if it waits: another process may already know that its model answers again. */
  async assessFresh(summary: SessionSummary | undefined): Promise<Verdict> {
    const known = this.assess(summary)
    if (known.kind !== 'later') return known
    await this.refresh(freshMs)
    return this.assess(summary)
  }

  /** Reads the records, unless that was done within `ageMs`. */
  async refresh(ageMs: number): Promise<void> {
    // `abs`: a clock that was set back must not make old records look fresh.
    if (Math.abs(this.#clock.now() - this.#readAt) < ageMs) return
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    await this.#reading
  }

  async #read(): Promise<void> {
    const records = await this.#health.records()
    const known = new Map<string, Recovered>()
    const now = this.#clock.now()
    const isDown = new Set(records.flatMap((record) => (isDownFor(record, now) ? [record.model] : [])))
    for (const { model, breaker } of records) {
      const before = known.get(model)
      const recovered = breaker.state === 'closed' ? breaker.recovered : undefined
      if (recovered && !isDown.has(model) && recovered.at > (before?.at ?? 0)) known.set(model, recovered)
    }
    this.#known = known
    this.#readAt = this.#clock.now()
  }
}

function isDownFor({ breaker }: HealthRecord, now: number): boolean {
  if (breaker.state === 'closed') return false
  return now < (breaker.state === 'open' ? breaker.probeAt : breaker.until) + leftOverMs
}
