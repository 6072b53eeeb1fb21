/**
 * One process of the simulation: a clock that is wrong by some seconds, and contacts with the world. At one of them it
 * may die: then nothing that it asked for comes back to it, and nothing that it does counts. At another it may stand
 * still, as a stopped container does: whatever comes meanwhile reaches it later.
 */
import type { Clock } from '@lastgood/core'
import type { World } from './world.ts'

export class Process {
  readonly world: World
  readonly name: string
  readonly isHealthy: boolean
  readonly clock: Clock
  /** Resolves when it dies. */
  readonly death: Promise<void>
  isDead = false
  die!: () => void
  /** How many contacts are left until it dies, and until it stands still. */
  #toLive: number
  #toStandStill: number
  #awakeAt = 0
  #ids = 0

  /** A healthy one neither dies nor stands still, and its clock is right. */
  constructor(world: World, name: string, isHealthy: boolean) {
    this.world = world
    this.name = name
    this.isHealthy = isHealthy
    this.#toLive = !isHealthy && world.chance(0.6) ? 1 + world.below(70) : Infinity
    this.#toStandStill = !isHealthy && world.chance(0.3) ? 1 + world.below(50) : Infinity
    this.clock = this.#clock(isHealthy ? 0 : world.below(20_000) - 10_000)
    this.death = new Promise((resolve) => {
      this.die = () => {
        this.isDead = true
        world.tell(name, 'dies')
        resolve()
      }
    })
  }

  /** Asks the world for something. */
  async contact<T>(ask: () => Promise<T>): Promise<T> {
    if (this.isDead) return never()
    const isLast = --this.#toLive <= 0
    if (isLast && this.world.chance(0.5)) {
      this.die()
      return never() // it has not left
    }
    const asked = ask()
    if (isLast) this.die()
    if (--this.#toStandStill === 0) {
      this.#awakeAt = this.world.clock.now() + 1_000 + this.world.below(90_000)
      this.world.tell(this.name, `stands still for ${this.#awakeAt - this.world.clock.now()} ms`)
    }
    try {
      return await asked
    } finally {
      await this.#awake()
    }
  }

  async #awake(): Promise<void> {
    while (!this.isDead && this.#awakeAt > this.world.clock.now()) await this.world.clock.sleepUntil(this.#awakeAt)
    if (this.isDead) await never()
  }

  #clock(aheadMs: number): Clock {
    const { clock, random } = this.world
    return {
      now: () => clock.now() + aheadMs,
      elapsed: () => clock.now(),
      random,
      newId: () => `${this.name}-${++this.#ids}`,
      sleepUntil: async (instant, options) => {
        try {
          await clock.sleepUntil(instant - aheadMs, options)
        } finally {
          await this.#awake()
        }
      },
      after: (ms, call) => {
        let isOff = false
        const callOff = clock.after(ms, () => void this.#awake().then(() => isOff || call()))
        return () => {
          isOff = true
          callOff()
        }
      },
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}
