/**
 * Waits that last too long. One timer for all waits of a stream, however many events come: it looks again when it fires.
 */
import type { Clock } from '@lastgood/core'

export type Settled<Value> = { value: Value } | { error: unknown }

export const settled = <Value>(work: Promise<Value>): Promise<Settled<Value>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

/** One for all: an abort without a reason makes an error with a stack. */
const stopped = new Error('stopped')

export class Silence {
  readonly #clock: Clock
  readonly #ms: number
  readonly #stop = new AbortController()
  /** When the wait began that is going on, or the last one ended. */
  #since: number
  #give: (() => void) | undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
    this.#since = clock.now()
    void this.#watch()
  }

  /** What `work` comes to, or undefined where that takes `ms` or longer. */
  async orBefore<Value>(work: Promise<Settled<Value>>): Promise<Settled<Value> | undefined> {
    this.#since = this.#clock.now()
    const first = await new Promise<Settled<Value> | undefined>((resolve) => {
      this.#give = () => resolve(undefined)
      void work.then(resolve)
    })
    this.#give = undefined
    return first
  }

  stop(): void {
    this.#stop.abort(stopped)
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    try {
      for (;;) {
        await this.#clock.sleepUntil(this.#since + this.#ms, { signal, background: true })
        // Another wait has begun meanwhile.
        if (this.#clock.now() < this.#since + this.#ms) continue
        this.#since = this.#clock.now()
        this.#give?.()
        this.#give = undefined
      }
    } catch {
      // stopped
    }
  }
}
