/**
 * Notices an answer that has stopped coming. Pings are not progress: the caller feeds it only real events.
 */
import type { Clock } from '../clock.ts'

export type Silence = 'first-event' | 'between-events'

export interface Limits {
  /** From the request to its first event. Default 120,000 ms: long silent thinking exists below it. */
  firstEventMs: number
  /** Between two events. Default 180,000 ms, as long-lived clients use. */
  betweenEventsMs: number
  /** From a request that does not stream to the end of its answer. Default 590,000 ms: just below the SDK's own 600 s. */
  wholeAnswerMs: number
}

export const defaultLimits: Limits = { firstEventMs: 120_000, betweenEventsMs: 180_000, wholeAnswerMs: 590_000 }

/** Thrown into whatever is awaited when the time is up. */
export class SilenceError extends Error {
  readonly timer: Silence
  constructor(timer: Silence) {
    super(`no progress: ${timer}`)
    this.name = 'SilenceError'
    this.timer = timer
  }
}

export class Watchdog {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #expired = new AbortController()
  #current = new AbortController()

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#limits = limits
    this.#arm('first-event')
  }

  /** Aborts with a `SilenceError` when the time is up. */
  get signal(): AbortSignal {
    return this.#expired.signal
  }

  /** An event came: the time starts anew. */
  progress(): void {
    this.#arm('between-events')
  }

  stop(): void {
    this.#current.abort()
  }

  #arm(timer: Silence): void {
    this.#current.abort()
    this.#current = new AbortController()
    const { signal } = this.#current
    const limitMs = timer === 'first-event' ? this.#limits.firstEventMs : this.#limits.betweenEventsMs
    this.#clock.sleepUntil(this.#clock.now() + limitMs, { signal, background: true }).then(
      () => this.#expired.abort(new SilenceError(timer)),
      () => {}, // disarmed
    )
  }
}
