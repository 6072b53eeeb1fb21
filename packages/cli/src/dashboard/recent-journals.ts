/**
 * What the journals of the last day say about outages: read once, and then only what is new.
 *
 * 1. The page does not wait for it: journals are read one after another, the newest first, and each is shown once it is
 *    known.
 * 2. A journal that cannot be read is left out until it changes; a store that cannot answer is asked again.
 * 3. It keeps counts and outages, no entries.
 */
import { isLastgoodError, type Clock, type Head, type Store } from '@lastgood/core'
import type { Count } from '@lastgood/dashboard'
import { SessionOutages } from '../outages/session-outages.ts'

const [minuteMs, dayMs] = [60_000, 86_400_000]

interface Known {
  seq: number
  createdAt: number
  outages: SessionOutages
}

export class RecentJournals {
  readonly #clock: Clock
  readonly #onRead: (sessionId: string) => void
  readonly #known = new Map<string, Known>()
  /** Journals that are still to be read. */
  readonly #wanted = new Map<string, Head>()
  /** By model, then by minute. */
  readonly #minutes = new Map<string, Map<number, Count>>()
  #isReading = false

  constructor(clock: Clock, onRead: (sessionId: string) => void) {
    this.#clock = clock
    this.#onRead = onRead
  }

  of(sessionId: string): SessionOutages | undefined {
    return this.#known.get(sessionId)?.outages
  }

  /** Nothing is left to read at the moment. */
  get isComplete(): boolean {
    return this.#wanted.size === 0
  }

  want(head: Head): void {
    const known = this.#known.get(head.sessionId)
    if (head.updatedAt < this.#clock.now() - dayMs) return
    if (known?.seq !== head.seq || known.createdAt !== head.createdAt) this.#wanted.set(head.sessionId, head)
  }

  forget(sessionId: string): void {
    this.#known.delete(sessionId)
    this.#wanted.delete(sessionId)
  }

  /** Reads on in the background, until nothing is wanted or `signal` aborts. */
  read(store: Store, signal: AbortSignal): void {
    if (this.#isReading) return
    this.#isReading = true
    void this.#readAll(store, signal).finally(() => (this.#isReading = false))
  }

  /** Of the last day, by model. */
  minutes(): ReadonlyMap<string, readonly (Count & { at: number })[]> {
    const since = this.#clock.now() - dayMs
    const recent = new Map<string, (Count & { at: number })[]>()
    for (const [model, minutes] of this.#minutes) {
      for (const at of minutes.keys()) if (at <= since) minutes.delete(at)
      const sorted = [...minutes].map(([at, count]) => ({ at, ...count })).sort((a, b) => a.at - b.at)
      if (sorted.length > 0) recent.set(model, sorted)
    }
    return recent
  }

  async #readAll(store: Store, signal: AbortSignal): Promise<void> {
    while (this.#wanted.size > 0 && !signal.aborted) {
      const next = newestOf(this.#wanted.values())
      if (!next) return
      try {
        await this.#readOne(store, next)
      } catch (error) {
        // Asked again with the next look.
        if (isLastgoodError(error, 'store-unavailable')) return
        this.#known.set(next.sessionId, { seq: next.seq, createdAt: next.createdAt, outages: new SessionOutages() })
      }
      // A session that was written to meanwhile stays wanted.
      if (this.#wanted.get(next.sessionId) === next) this.#wanted.delete(next.sessionId)
      this.#onRead(next.sessionId)
    }
  }

  async #readOne(store: Store, head: Head): Promise<void> {
    const before = this.#known.get(head.sessionId)
    // A session that was removed and begun anew is read from its new beginning.
    const isSame = before?.createdAt === head.createdAt && before.seq <= head.seq
    const known = isSame ? before : { seq: 0, createdAt: head.createdAt, outages: new SessionOutages() }
    // Entries already counted are not counted again, even if the store goes away in the middle.
    this.#known.set(head.sessionId, known)
    const since = this.#clock.now() - dayMs
    for await (const entry of store.read(head.sessionId, known.seq)) {
      const came = known.outages.take(entry)
      if (came !== undefined && entry.at > since) this.#count(known.outages.model ?? 'unknown', entry.at, came)
      // The head may lag behind its journal by now.
      known.seq = entry.seq
    }
  }

  #count(model: string, at: number, came: 'answered' | 'failed'): void {
    const minutes = this.#minutes.get(model) ?? new Map<number, Count>()
    this.#minutes.set(model, minutes)
    const minute = Math.floor(at / minuteMs) * minuteMs
    const count = minutes.get(minute) ?? { answered: 0, failed: 0 }
    count[came] += 1
    minutes.set(minute, count)
  }
}

function newestOf(heads: Iterable<Head>): Head | undefined {
  let newest: Head | undefined
  for (const head of heads) if (!newest || head.updatedAt > newest.updatedAt) newest = head
  return newest
}
