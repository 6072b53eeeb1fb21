/**
 * What a session tells a user interface, live.
 *
 * `entry` is a durable fact. `delta` is provisional: the model's words as they arrive, which count only when their
 * `response-received` follows; `dropped` takes back the deltas of an attempt that broke.
 */
import type { Entry } from './journal.ts'

export type SessionEvent =
  | { type: 'entry'; entry: Entry }
  | { type: 'delta'; kind: 'text' | 'thinking'; text: string }
  | { type: 'dropped' }

export type Listener = (event: SessionEvent) => void

export class Emitter {
  #listeners = new Set<Listener>()

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(event: SessionEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        // A broken user interface must not break the session, and must not be hidden either.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** The events from now on, until `signal` aborts. */
  async *iterate(signal?: AbortSignal): AsyncGenerator<SessionEvent, void, undefined> {
    const queue: SessionEvent[] = []
    let wake = () => {}
    const unsubscribe = this.subscribe((event) => {
      queue.push(event)
      wake()
    })
    const onAbort = () => wake()
    signal?.addEventListener('abort', onAbort)
    try {
      while (!signal?.aborted) {
        const event = queue.shift()
        if (event) yield event
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      unsubscribe()
      signal?.removeEventListener('abort', onAbort)
    }
  }
}
