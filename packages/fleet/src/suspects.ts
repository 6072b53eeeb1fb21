/**
 * Sessions whose last starts ended unseen: each process runs one of them at a time.
 *
 * A worker that dies takes all of its sessions down, and they come back together. If one of them is the cause, it would
 * take the same ones down again, until all are set aside. So from the third start on, a suspect is begun only in a
 * process that has no other under way; it stops being one when it has finished a step or has run for a while.
 */
import type { Clock } from '@lastgood/core'

/** This many starts whose end was not seen make a suspect. */
const suspectFrom = 2
/** How long a suspect without a finished step has to survive. */
const provenMs = 60_000

export class Suspects {
  readonly #clock: Clock
  #isTaken = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** To be called when it is no longer a suspect; undefined while another one is under way. `starts`: those before. */
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
