/**
 * Readings of journals for pages: requests for the same one share it while it goes on. It is given up when the last of
 * them has left, so that a page that is opened and left costs no more than it has seen.
 */
interface Going<Result> {
  readonly result: Promise<Result>
  readonly left: AbortController
  readers: number
}

export class Readings<Result> {
  readonly #going = new Map<string, Going<Result>>()

  /** `asked`: what decides what is read. `reader`: aborts when the requester has left. */
  of(asked: string, reader: AbortSignal, read: (left: AbortSignal) => Promise<Result>): Promise<Result> {
    reader.throwIfAborted()
    const going = this.#going.get(asked) ?? this.#begin(asked, read)
    going.readers += 1
    const leave = () => {
      going.readers -= 1
      if (going.readers > 0) return
      going.left.abort()
      this.#forget(asked, going)
    }
    reader.addEventListener('abort', leave, { once: true })
    return going.result
  }

  #begin(asked: string, read: (left: AbortSignal) => Promise<Result>): Going<Result> {
    const left = new AbortController()
    const result = read(left.signal).finally(() => this.#forget(asked, going))
    const going: Going<Result> = { result, left, readers: 0 }
    this.#going.set(asked, going)
    return going
  }

  #forget(asked: string, going: Going<Result>): void {
    if (this.#going.get(asked) === going) this.#going.delete(asked)
  }
}
