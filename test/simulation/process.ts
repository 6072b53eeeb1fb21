/**
 * One process of the simulation: a clock that is wrong by some seconds, and contacts with the world. At one of them it
 * may die: then nothing that it asked for comes back to it, and nothing that it does counts. At another it may stand
 * still, as a stopped container does: whatever comes meanwhile reaches it later. At a third, somebody may set its clock.
 */
import type { Clock } from '@lastgood/core'
import type { World } from './world.ts'

/** How far off a clock is set. */
const jumpsMs = [-3_600_000, -40_000, 40_000, 600_000, 7_200_000]
/** How often a sleep looks at the clock, as the system's does. */
const lookAgainMs = 10_000

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
  #toJump = Infinity
  #aheadMs: number
  #awakeAt = 0
  #ids = 0

  /** A healthy one neither dies nor stands still, and its clock is right. `isSetOff`: its clock may be set. */
  constructor(world: World, name: string, isHealthy: boolean, isSetOff = false) {
    this.world = world
    this.name = name
    this.isHealthy = isHealthy
    this.#toLive = !isHealthy && world.chance(0.6) ? 1 + world.below(70) : Infinity
    this.#toStandStill = !isHealthy && world.chance(0.3) ? 1 + world.below(50) : Infinity
    this.#aheadMs = isHealthy ? 0 : world.below(20_000) - 10_000
    if (isSetOff && !isHealthy && world.chance(0.15)) this.#toJump = 1 + world.below(50)
    this.clock = this.#clock()
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
    if (--this.#toJump === 0) {
      const jumpMs = this.world.pick(jumpsMs)
      this.#aheadMs += jumpMs
      this.world.tell(this.name, `has its clock set by ${jumpMs} ms`)
    }
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

  #clock(): Clock {
    const { clock, random } = this.world
    const now = () => clock.now() + this.#aheadMs
    return {
      now,
      elapsed: () => clock.now(),
      random,
      newId: () => `${this.name}-${++this.#ids}`,
      sleepUntil: async (instant, options) => {
        try {
          let end = instant
          do {
            const aheadMs = this.#aheadMs
            const longestMs = this.#toJump === Infinity ? Infinity : lookAgainMs
            await clock.sleepUntil(Math.min(end - aheadMs, clock.now() + longestMs), options)
            end -= Math.max(0, aheadMs - this.#aheadMs)
          } while (now() < end)
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
