/**
 * The result of `work`, if it comes in time. Errors: those of `work`, and `tooLate` after `ms`; then `late` says so, and
 * the result is ignored.
 */
import type { Clock } from './clock.ts'
import { formatDuration } from './duration.ts'

/** Whether the time is over. Every checkpoint asks it: a signal is made only for those who want one. */
export class Late {
  #error: Error | undefined
  #abort: AbortController | undefined

  get isOver(): boolean {
    return this.#error !== undefined
  }

  /** Aborts when the time is over. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#error) this.#abort.abort(this.#error)
    return this.#abort.signal
  }

  throwIfOver(): void {
    if (this.#error) throw this.#error
  }

  end(error: Error): void {
    this.#error = error
    this.#abort?.abort(error)
  }
}

export function inTime<Result>(
  clock: Clock,
  ms: number,
  work: (late: Late) => Promise<Result>,
  tooLate = () => new Error(`no result within ${formatDuration(ms)}`),
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = new Late()
    const done = work(late)
    const callOff = clock.after(ms, () => {
      const error = tooLate()
      late.end(error)
      reject(error)
    })
    done.then(
      (result) => {
        callOff()
        resolve(result)
      },
      (error: unknown) => {
        callOff()
        reject(error)
      },
    )
  })
}
