/**
 * What a session tells a user interface, live.
 *
 * `entry` is a durable fact. `delta` is provisional: the model's words as they arrive, which count only when their
 * `response-received` follows; `dropped` takes back the deltas of an attempt that broke. `unrecorded` is a Messages
 * request that passed without being recorded, because it is about something else than the conversation. `in-doubt` is
 * what is done about a tool call, or a step of one's own, that was started before a restart and has no result.
 */
import { messageOf } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'
import { withoutSecrets } from '../secrets.ts'

export type SessionEvent =
  | { type: 'entry'; entry: Entry }
  | { type: 'delta'; kind: 'text' | 'thinking'; text: string }
  | { type: 'dropped' }
  | { type: 'unrecorded' }
  /** `isStep`: `toolUseId` is the id of a step of one's own. */
  | { type: 'in-doubt'; toolUseId: string; name: string; did: InDoubtDid; isStep?: true }

/** `verified-*`: the tool itself found out; then the rule's: run again, reported to the model, parked for a person. */
export type InDoubtDid = 'verified-done' | 'verified-not-done' | 'rerun' | 'reported' | 'parked'

/** What it returns is not looked at, but for a promise that rejects. */
export type Listener = (event: SessionEvent) => unknown

export class Emitter {
  #listeners = new Set<Listener>()

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A listener that throws, or rejects, is told off and dropped: a broken user interface must not break the session. */
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

  /** The events from this call on, all of them up to the moment when `signal` aborts, or nobody wants more. */
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
    // A generator that was never asked, or is waiting, does not hear that nobody wants more.
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
