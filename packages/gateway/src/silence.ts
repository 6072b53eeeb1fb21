/**
 * Waits with a limit. One timer serves all waits of a stream, however many events come: when it fires, it looks whether
 * the current wait is over its limit.
 */
import type { Clock } from '@lastgood/core'

export type Settled<Value> = { value: Value } | { error: unknown }

export const settled = <Value>(work: Promise<Value>): Promise<Settled<Value>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

/** Resolves when `work` does, or after `ms` at the latest. */
export async function atMost(ms: number, clock: Clock, work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const late = clock.sleepUntil(clock.now() + ms, { signal: over.signal }).catch(() => {})
  await Promise.race([work, late])
  over.abort()
}

export class Silence {
  readonly #clock: Clock
  readonly #ms: number
  /** When the current wait began, or last ran out. */
  #since: number
  #give: (() => void) | undefined
  #disarm: () => void

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
    this.#since = clock.elapsed()
    this.#disarm = this.#arm(ms)
  }

  /** The outcome of `work`, or undefined if it takes `ms` or longer. */
  orBefore<Value>(work: Promise<Settled<Value>>): Promise<Settled<Value> | undefined> {
    this.#since = this.#clock.elapsed()
    return new Promise((resolve) => {
      const give = () => resolve(undefined)
      this.#give = give
      void work.then((settled) => {
        if (this.#give === give) this.#give = undefined
        resolve(settled)
      })
    })
  }

  stop(): void {
    this.#disarm()
  }

  #arm(ms: number): () => void {
    return this.#clock.after(ms, () => {
      const left = this.#since + this.#ms - this.#clock.elapsed()
      // If time is left, another wait has begun meanwhile.
      if (left <= 0) {
        this.#since = this.#clock.elapsed()
        this.#give?.()
        this.#give = undefined
      }
      this.#disarm = this.#arm(left <= 0 ? this.#ms : left)
    })
  }
}
