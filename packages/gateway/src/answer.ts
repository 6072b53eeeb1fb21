/**
 * One answer of the API, read once, for every client that asks for it: the first one, and one that asks again because
 * its connection broke.
 *
 * 1. It is read on for a while after its clients have gone: what is being paid for is not thrown away at once.
 * 2. An attached client sets the pace: only so much is read ahead of the quickest.
 * 3. It is kept from its first byte until it has ended and no client is reading it: then the journal has it.
 * 4. A client that is reading it when it is abandoned gets an error, unless it has everything: no end is made up.
 */
import { readPieces, type Clock } from '@lastgood/core'

export interface AnswerHead {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
}

/** A client's place in an answer. */
export interface Attached {
  /** Rejects with the error that stopped the answer before it began. */
  readonly head: Promise<AnswerHead>
  /** The next piece; undefined at the end. Rejects with the error that broke the answer. */
  next(): Promise<Uint8Array | undefined>
  /** To be called when the client has gone, or has all of the answer. */
  leave(): void
}

export interface AnswerOptions {
  clock: Clock
  reattachMs: number
  /** Sends the request; the signal aborts when no client wants the answer any more. */
  begin: (signal: AbortSignal) => Promise<Response>
}

/** How many bytes may be read ahead of the quickest client. */
const aheadBytes = 256 * 1024

export class Answer {
  readonly head: Promise<AnswerHead>
  /** Resolves when the answer has ended, whole or not. */
  readonly ended: Promise<void>
  readonly #clock: Clock
  readonly #reattachMs: number
  readonly #abort = new AbortController()
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  #hasEnded = false
  #failure: { readonly error: unknown } | undefined
  /** How many bytes each client has taken. */
  readonly #clients = new Set<{ bytes: number }>()
  #isGone = false
  #isAbandoned = false
  #isForsaken = false
  #isRefusal = false
  #wasTaken = false
  /** How often the last client has left. */
  #departures = 0
  #changed = new Change()

  constructor({ clock, reattachMs, begin }: AnswerOptions) {
    this.#clock = clock
    this.#reattachMs = reattachMs
    const response = begin(this.#abort.signal)
    this.head = response.then(({ status, statusText, headers }) => ({ status, statusText, headers }))
    this.ended = this.#read(response)
    // An attached client gets the error; there may be none.
    this.head.catch(() => {})
  }

  /** Whether a client is attached. */
  get isAwaited(): boolean {
    return this.#clients.size > 0
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Whether a client that asks again can have it from here: it is on its way or being read, and no refusal. */
  get isToBeHad(): boolean {
    return !this.#isGone && !this.#failure && !this.#isRefusal
  }

  /**
   * `missed`: it is on its way or recorded, but no client waits for it or has had all of it. Undefined if it failed or
   * was abandoned, and for a refusal.
   */
  get standing(): 'missed' | 'taken' | undefined {
    if (this.#failure || this.#isRefusal || this.#isAbandoned) return undefined
    return this.isAwaited || this.#wasTaken ? 'taken' : 'missed'
  }

  /** Whether it was abandoned because its client went away and did not come back. */
  get isForsaken(): boolean {
    return this.#isForsaken
  }

  abandon(reason: string): void {
    this.#isAbandoned = true
    this.#isForsaken = false
    this.#letGo()
    this.#abort.abort(new Error(reason))
  }

  /** `onLeft` is called once, when the client has left. */
  attach(onLeft: () => void = () => {}): Attached {
    const client = { bytes: 0 }
    this.#clients.add(client)
    let at = 0
    return {
      head: this.head,
      next: async () => {
        for (;;) {
          const piece = this.#pieces[at]
          if (piece) {
            at += 1
            client.bytes += piece.length
            this.#changed.tell()
            return piece
          }
          if (this.#failure) throw this.#failure.error
          if (this.#isGone && this.#clients.has(client) && client.bytes < this.#bytes) throw this.#abort.signal.reason
          if (this.#hasEnded) {
            this.#wasTaken = true
            return undefined
          }
          await this.#changed.next
        }
      },
      leave: () => {
        if (!this.#clients.delete(client)) return
        onLeft()
        this.#changed.tell()
        if (!this.isAwaited) this.#left()
      },
    }
  }

  async #read(response: Promise<Response>): Promise<void> {
    try {
      const { body, ok } = await response
      this.#isRefusal = !ok
      const pieces = readPieces(body)
      for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
        if (!this.#isGone) this.#pieces.push(piece)
        this.#bytes += piece.length
        this.#changed.tell()
        // Let the piece go out first: the work that asking for more sets going would run before it.
        await itsWay()
        while (!this.#isGone && this.isAwaited && this.#bytes - this.#mostTaken() > aheadBytes) await this.#changed.next
      }
    } catch (error) {
      this.#failure = { error: this.#abort.signal.aborted ? this.#abort.signal.reason : error }
    }
    this.#hasEnded = true
    this.#changed.tell()
    if (!this.isAwaited) this.#left()
  }

  #left(): void {
    if (this.#hasEnded) this.#letGo()
    else void this.#goSoon()
  }

  #letGo(): void {
    this.#isGone = true
    this.#pieces.length = 0
    this.#changed.tell()
  }

  #mostTaken(): number {
    let most = 0
    for (const { bytes } of this.#clients) most = Math.max(most, bytes)
    return most
  }

  async #goSoon(): Promise<void> {
    this.#departures += 1
    const departure = this.#departures
    await this.#clock.sleepUntil(this.#clock.now() + this.#reattachMs, { background: true })
    // A client that came back meanwhile and left again has the full time again.
    if (this.isAwaited || this.#hasEnded || departure !== this.#departures) return
    this.abandon('the client went away and did not come back')
    this.#isForsaken = true
  }
}

/**
 * Lasts about as long as a piece takes to its client's socket: some turns of the microtask queue, and the tick in which
 * Node sends what was written. It takes no turn of the event loop, and is only a hint: a piece that takes longer goes
 * out as well.
 */
async function itsWay(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve()
  await new Promise<void>((resolve) => process.nextTick(resolve))
}

/** Tells waiters that something changed, so that they look again. */
class Change {
  #tell: (() => void) | undefined
  #next: Promise<void> | undefined

  get next(): Promise<void> {
    this.#next ??= new Promise((resolve) => (this.#tell = resolve))
    return this.#next
  }

  tell(): void {
    const tell = this.#tell
    this.#tell = this.#next = undefined
    tell?.()
  }
}
