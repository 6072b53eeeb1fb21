/**
 * The timers of one attempt: its signal aborts with the exchange, or when the answer has stopped coming.
 *
 * 1. Pings are not progress: only real events are reported to it.
 * 2. A pause of the reader is not silence of the API: while it lasts, no time passes.
 * 3. It measures by a monotonic clock: a jump of the wall clock is not silence, and hides none.
 * 4. Only the wall clock tells how long the machine slept: a wait that took longer by it than its limit allows, since
 *    the limit would have ended it.
 * 5. It follows the exchange's signal by a listener that `stop` takes away. `AbortSignal.any` would leave a dependant
 *    on a long-lived signal for every request.
 */
import type { Clock } from '../clock.ts'

export type Silence = 'first-event' | 'between-events'

export interface Limits {
  /** From the request to its first event. Default 120,000 ms: long silent thinking exists below it. */
  firstEventMs: number
  /** Between two events. Default 180,000 ms, as long-lived clients use. */
  betweenEventsMs: number
  /** Without streaming: from request to whole answer. Default 590,000 ms, and with the SDK just below its `timeout`. */
  wholeAnswerMs: number
}

export const defaultLimits: Limits = { firstEventMs: 120_000, betweenEventsMs: 180_000, wholeAnswerMs: 590_000 }

/** The limits for a mount whose own timer around each attempt would end the whole request: ours fire before it. */
export function limitsUnder(timeoutMs: number, set: Partial<Limits>): Limits {
  const most = timeoutMs - Math.min(10_000, timeoutMs / 10)
  const { firstEventMs, betweenEventsMs } = { ...defaultLimits, ...set }
  return {
    firstEventMs: Math.min(firstEventMs, most),
    betweenEventsMs,
    wholeAnswerMs: Math.min(set.wholeAnswerMs ?? most, most),
  }
}

export class Watchdog {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #exchange: AbortSignal
  readonly #attempt = new AbortController()
  readonly #follow = () => this.#attempt.abort(this.#exchange.reason)
  #disarm: () => void
  #lastAt: number
  /** The same by the wall clock. */
  #lastSeenAt: number
  #sleptMs = 0
  #waitsFor: Silence = 'first-event'
  #silence: Silence | undefined
  #held: { readonly at: number; readonly wallAt: number } | undefined

  constructor(clock: Clock, limits: Limits, exchange: AbortSignal) {
    this.#clock = clock
    this.#limits = limits
    this.#exchange = exchange
    this.#lastAt = clock.elapsed()
    this.#lastSeenAt = clock.now()
    if (exchange.aborted) this.#follow()
    exchange.addEventListener('abort', this.#follow)
    this.#disarm = this.#arm(limits.firstEventMs)
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }

  /** Which wait was too long; undefined when it was something else that ended the attempt. */
  get silence(): Silence | undefined {
    return this.#silence
  }

  /** The reader pauses. */
  hold(): void {
    this.#held ??= { at: this.#clock.elapsed(), wallAt: this.#clock.now() }
  }

  /** The reader asks for more again. */
  resume(): void {
    if (!this.#held) return
    this.#lastAt += this.#clock.elapsed() - this.#held.at
    this.#lastSeenAt += this.#clock.now() - this.#held.wallAt
    this.#held = undefined
  }

  /** An event came: the time starts anew. */
  progress(): void {
    this.#sleptMs = this.sleptMs
    this.#lastSeenAt = this.#clock.now()
    this.#lastAt = this.#clock.elapsed()
    if (this.#waitsFor === 'between-events') return
    this.#waitsFor = 'between-events'
    this.#disarm()
    this.#disarm = this.#arm(this.#limits.betweenEventsMs)
  }

  /** How long the machine slept at least in one of the waits so far; 0 or less when that is not known. */
  get sleptMs(): number {
    const { firstEventMs, betweenEventsMs } = this.#limits
    const limitMs = this.#waitsFor === 'first-event' ? firstEventMs : betweenEventsMs
    return this.#held ? this.#sleptMs : Math.max(this.#sleptMs, this.#clock.now() - this.#lastSeenAt - limitMs)
  }

  stop(): void {
    this.#disarm()
    this.#exchange.removeEventListener('abort', this.#follow)
  }

  #leftOf(limitMs: number): number {
    return this.#held ? limitMs : this.#lastAt + limitMs - this.#clock.elapsed()
  }

  /** One timer, however many events come: when it fires, it checks the time that is left. */
  #arm(limitMs: number, ms = limitMs): () => void {
    return this.#clock.after(ms, () => {
      const left = this.#leftOf(limitMs)
      if (left > 0) {
        this.#disarm = this.#arm(limitMs, left)
        return
      }
      this.#silence = this.#waitsFor
      this.#attempt.abort(new Error(`no progress: ${this.#waitsFor}`))
    })
  }
}
