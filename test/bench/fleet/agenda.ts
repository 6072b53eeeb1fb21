/**
 * What each session does next, and when: a binary heap with one place for each session. Instants are stored
 * contiguously, in heap order, since the simulation spends most of its time here.
 */
export class Agenda {
  readonly #at: Float64Array
  readonly #session: Int32Array
  #length = 0

  constructor(sessions: number) {
    this.#at = new Float64Array(sessions)
    this.#session = new Int32Array(sessions)
  }

  get length(): number {
    return this.#length
  }

  /** When the earliest is due; `Infinity` if there is none. */
  get next(): number {
    return this.#length === 0 ? Infinity : (this.#at[0] as number)
  }

  /** `session` must not be in it. */
  add(session: number, at: number): void {
    const [instants, sessions] = [this.#at, this.#session]
    let place = this.#length++
    while (place > 0) {
      const parent = (place - 1) >> 1
      const earlier = instants[parent] as number
      if (earlier <= at) break
      instants[place] = earlier
      sessions[place] = sessions[parent] as number
      place = parent
    }
    instants[place] = at
    sessions[place] = session
  }

  /** Removes and returns the session that is due first. */
  take(): number {
    const [instants, sessions] = [this.#at, this.#session]
    const length = --this.#length
    const first = sessions[0] as number
    const [at, last] = [instants[length] as number, sessions[length] as number]
    let place = 0
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && (instants[child + 1] as number) < (instants[child] as number)) child += 1
      if ((instants[child] as number) >= at) break
      instants[place] = instants[child] as number
      sessions[place] = sessions[child] as number
      place = child
    }
    instants[place] = at
    sessions[place] = last
    return first
  }
}
