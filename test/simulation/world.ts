/**
 * The world of one simulation: its time, its chance, and the trace of what happened in it. All of it follows from the
 * seed. Time moves only when nothing more can happen at this instant, and then to the next one somebody waits for.
 */
import { ManualClock, seededRandom } from '@lastgood/core/testing'

/** A world that is broken so often is not played to its end. */
const enough = 100

export class World {
  readonly clock: ManualClock
  readonly trace: string[] = []
  /** Broken promises, in words. */
  readonly findings: string[] = []
  readonly #random: () => number
  readonly #startedAt: number
  #realIo = 0
  #lastRealIo: Promise<unknown> = Promise.resolve()

  constructor(seed: number) {
    this.clock = new ManualClock({ seed })
    this.#startedAt = this.clock.now()
    this.#random = seededRandom(seed)
  }

  random = (): number => this.#random()
  chance = (share: number): boolean => this.#random() < share
  below = (end: number): number => Math.floor(this.#random() * end)
  pick = <T>(list: readonly T[]): T => list[this.below(list.length)]!

  /** Since the beginning. */
  get elapsedMs(): number {
    return this.clock.now() - this.#startedAt
  }

  sleep(ms: number): Promise<void> {
    return this.clock.sleepUntil(this.clock.now() + ms)
  }

  tell(who: string, what: string): void {
    this.trace.push(`${(this.elapsedMs / 1000).toFixed(3).padStart(10)} s  ${who.padEnd(8)} ${what}`)
  }

  find(promise: string, what: string): void {
    this.findings.push(`${promise}: ${what}`)
    this.tell('', `BROKEN ${promise}: ${what}`)
  }

  /** Work on a real disk or server: one after another, in the order in which it was asked for, while time stands still. */
  async real<T>(work: () => Promise<T>): Promise<T> {
    this.#realIo += 1
    const done = this.#lastRealIo.then(work)
    this.#lastRealIo = done.catch(() => {})
    try {
      return await done
    } finally {
      this.#realIo -= 1
    }
  }

  /** Lets time pass until `main` has ended. Where it never will, or not within `limitMs`, that is a finding (P6). */
  async run(main: Promise<unknown>, limitMs: number): Promise<void> {
    let isOver = false
    const ended = main.finally(() => (isOver = true))
    ended.catch(() => {})
    const endAt = this.clock.now() + limitMs
    for (;;) {
      do await new Promise((resolve) => setImmediate(resolve))
      while (this.#realIo > 0)
      if (isOver) return void (await ended)
      if (this.findings.length >= enough) return
      const next = this.clock.sleepers[0]
      if (!next) return this.find('P6', 'something is pending, and nothing more will happen')
      if (next.at > endAt) return this.find('P6', `not at its end after ${limitMs / 3_600_000} h`)
      await this.clock.advance(next.at - this.clock.now())
    }
  }
}
