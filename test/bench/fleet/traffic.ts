/** How many requests were sent, in tenths of a second: the rates of a run in little memory. */
const sliceMs = 100

export class Traffic {
  readonly #slices: Int32Array
  total = 0

  constructor(longestMs: number) {
    this.#slices = new Int32Array(Math.ceil(longestMs / sliceMs))
  }

  add(now: number): void {
    const slice = Math.floor(now / sliceMs)
    this.#slices[slice] = (this.#slices[slice] ?? 0) + 1
    this.total += 1
  }

  /** Requests a second in `[from, to)`. */
  mean(from: number, to: number): number {
    const slices = this.#slices.subarray(Math.floor(from / sliceMs), Math.floor(to / sliceMs))
    return slices.reduce((sum, one) => sum + one, 0) / ((to - from) / 1000)
  }

  /** The most requests a second in any window of `ms` from `from` on. */
  peak(from: number, ms: number): number {
    const [first, width] = [Math.floor(from / sliceMs), Math.round(ms / sliceMs)]
    let [sum, most] = [0, 0]
    for (let slice = first; slice < this.#slices.length; slice++) {
      sum += this.#slices[slice] ?? 0
      if (slice >= first + width) sum -= this.#slices[slice - width] ?? 0
      most = Math.max(most, sum)
    }
    return most / (ms / 1000)
  }
}
