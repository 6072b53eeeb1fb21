/**
 * Sessions whose last starts ended unseen, one at a time in each process.
 *
 * A worker that dies takes all of its sessions along, and they come back together. If one of them is the cause it would
 * take the same ones along again, until all are set aside. So from the third start on a suspect is begun only where no
 * other one is, until it has a step done or has run for a while.
 */
import type { Clock } from '@lastgood/core'

/** Starts without an end that make a suspect. */
const suspectFrom = 2
/** What a suspect that has no step done has to live through. */
const provenMs = 60_000

export class Suspects {
  readonly #clock: Clock
  #isTaken = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What to call when it is none any more; undefined while another one is under way. `starts`: those before. */
  enter(starts: number): (() => void) | undefined {
    if (starts < suspectFrom) return () => {}
    if (this.#isTaken) return undefined
    this.#isTaken = true
    let isOver = false
    const leave = () => {
      if (isOver) return
      isOver = true
      this.#isTaken = false
      callOff()
    }
    const callOff = this.#clock.after(provenMs, leave)
    return leave
  }
}
