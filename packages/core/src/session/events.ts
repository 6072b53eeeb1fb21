/**
 * What a session tells a user interface, live.
 *
 * `entry` is a durable fact. `delta` is provisional: the model's words as they arrive, which count only when their
 * `response-received` follows; `dropped` takes back the deltas of an attempt that broke. `unrecorded` is a Messages
 * request that passed without being recorded, because it is not about the conversation. `in-doubt` is what is done
 * about a tool call, or a step of the caller's own, that was started before a restart and has no result. `backfilled`
 * tells how many entries the store had acknowledged and lost, and has again.
 */
import { messageOf } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'
import { withoutSecrets } from '../secrets.ts'

export type SessionEvent =
  | { type: 'entry'; entry: Entry }
  | { type: 'delta'; kind: 'text' | 'thinking'; text: string }
  | { type: 'dropped' }
  | { type: 'unrecorded' }
  | { type: 'backfilled'; entries: number }
  /** `isStep`: `toolUseId` is the id of a step of the caller's own. */
  | { type: 'in-doubt'; toolUseId: string; name: string; did: InDoubtDid; isStep?: true }

/** `verified-*`: the tool itself found out. Else by rule: run again, reported to the model, parked for a person. */
export type InDoubtDid = 'verified-done' | 'verified-not-done' | 'rerun' | 'reported' | 'parked'

/** Its return value is ignored, except for a promise that rejects. */
export type Listener = (event: SessionEvent) => unknown

export class Emitter {
  #listeners = new Set<Listener>()

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A listener that throws or rejects is dropped with a warning: a broken user interface must not break a session. */
  emit(event: SessionEvent): void {
    for (const listener of this.#listeners) {
      try {
        const said: unknown = listener(event)
        if (said instanceof Promise) said.catch((error: unknown) => this.#drop(listener, error))
      } catch (error) {
        this.#drop(listener, error)
      }
    }
  }

  #drop(listener: Listener, error: unknown): void {
    if (!this.#listeners.delete(listener)) return
    process.emitWarning(`a listener failed: ${withoutSecrets(messageOf(error))}`, { code: 'LASTGOOD_LISTENER' })
  }

  /** All events from this call on, until `signal` aborts or the consumer stops. */
  iterate(signal: AbortSignal): AsyncGenerator<SessionEvent, void, undefined> {
    const queue: SessionEvent[] = []
    let wake = () => {}
    let isOver = false
    const unsubscribe = this.subscribe((event) => {
      queue.push(event)
      wake()
    })
    const end = () => {
      isOver = true
      unsubscribe()
      signal.removeEventListener('abort', end)
      wake()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
    const events = (async function* () {
      try {
        for (;;) {
          const event = queue.shift()
          if (event) yield event
          else if (isOver) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        end()
      }
    })()
    // A generator that has not started, or is waiting, does not notice that its consumer stops.
    const stopped = events.return.bind(events)
    return Object.assign(events, {
      return(value?: undefined) {
        queue.length = 0
        end()
        return stopped(value)
      },
    })
  }
}
