/**
 * A clock that a test moves by hand.
 *
 * 1. Time moves only by `advance`, or, with `autoAdvance`, to the instant of the earliest foreground sleeper.
 * 2. Sleepers wake in the order of their instants, each at its own instant, and what a sleeper does next (such as
 *    sleeping again) happens before the time moves on.
 * 3. Background sleepers never move the time; they wake when it passes them.
 */
import type { Clock, SleepOptions } from '../clock.ts'
import { testEpoch } from './entries.ts'
import { seededRandom } from './random.ts'

export interface ManualClockOptions {
  /** Default: 2026-01-01T00:00:00Z. */
  startAt?: number
  /** Seed of `random` and part of every id. Default: 1. */
  seed?: number
  /** Whether a foreground sleep makes the time jump to its instant. Default: false. */
  autoAdvance?: boolean
}

interface Sleeper {
  at: number
  background: boolean
  wake(): void
}

/** A clock that moves only when a test moves it, with seeded randomness and ids. */
export class ManualClock implements Clock {
  /** In the order in which they wake. */
  readonly #sleepers: Sleeper[] = []
  readonly #autoAdvance: boolean
  readonly #seed: number
  readonly #random: () => number
  #now: number
  #ids = 0
  /** Moves of the time, one after another. */
  #moves: Promise<void> = Promise.resolve()

  constructor({ startAt = testEpoch, seed = 1, autoAdvance = false }: ManualClockOptions = {}) {
    this.#now = startAt
    this.#seed = seed
    this.#autoAdvance = autoAdvance
    this.#random = seededRandom(seed)
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#now
  }

  random(): number {
    return this.#random()
  }

  newId(): string {
    return `id-${this.#seed}-${++this.#ids}`
  }

  /** Instants of the sleepers that are waiting, earliest first. */
  get sleepers(): readonly { readonly at: number; readonly background: boolean }[] {
    return this.#sleepers.map(({ at, background }) => ({ at, background }))
  }

  /** Moves the time; resolves when every woken sleeper has run as far as it can without real I/O. */
  advance(ms: number): Promise<void> {
    return this.#move(() => this.#now + ms)
  }

  async sleepUntil(instant: number, { signal, background = false }: SleepOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (instant <= this.#now) return
    const slept = new Promise<void>((resolve, reject) => {
      const wake = () => {
        signal?.removeEventListener('abort', aborted)
        resolve()
      }
      const callOff = this.#add({ at: instant, background, wake })
      const aborted = () => {
        callOff()
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', aborted, { once: true })
    })
    // After a pause, so that of several sleeps that begin together the earliest wakes first.
    if (this.#autoAdvance && !background) void this.#move(() => this.#sleepers.find((one) => !one.background)?.at)
    return slept
  }

  after(ms: number, call: () => void): () => void {
    return this.#add({ at: this.#now + ms, background: true, wake: call })
  }

  /** Returns a function that removes the sleeper. */
  #add(sleeper: Sleeper): () => void {
    const later = this.#sleepers.findIndex(({ at }) => at > sleeper.at)
    this.#sleepers.splice(later < 0 ? this.#sleepers.length : later, 0, sleeper)
    return () => {
      const at = this.#sleepers.indexOf(sleeper)
      if (at >= 0) this.#sleepers.splice(at, 1)
    }
  }

  #move(target: () => number | undefined): Promise<void> {
    this.#moves = this.#moves.then(async () => {
      await settled()
      const end = target()
      if (end === undefined) return
      for (let next = this.#sleepers[0]; next && next.at <= end; next = this.#sleepers[0]) {
        this.#sleepers.shift()
        this.#now = Math.max(this.#now, next.at)
        next.wake()
        await settled()
      }
      this.#now = Math.max(this.#now, end)
    })
    return this.#moves
  }
}

/** Resolves when everything that can run without real I/O has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
