/**
 * What a session's interceptors share: the one request of its conversation that is in flight, and the ids under which
 * the caller knows answers that took several attempts.
 *
 * 1. However often the interceptor is mounted, a session has one of these, and a request passes one interceptor.
 * 2. An aborted request ends before the next begins. An answer that nobody reads is given up when the next request of
 *    the conversation comes. One that is being read keeps its place: the next request is then a side request.
 */
import { setMaxListeners } from 'node:events'
import type { AssistantMessage } from '../journal/journal.ts'
import type { Session } from '../session/session.ts'
import { TranscriptWatch } from '../repair/transcript/transcript-watch.ts'
import { BodyReader } from './body-reader.ts'
import { givenUpUnread } from './given-up.ts'
import type { Delivered } from './relay.ts'

interface InFlight {
  readonly ended: Promise<void>
  readonly signal: AbortSignal
  readonly isUnread: boolean
  readonly delivered: Delivered
  abort(reason: unknown): void
}

export class Conversation {
  /** From the id that the caller saw to the id of the recorded answer. */
  readonly #aliases = new Map<string, string>()
  /** The bodies of its requests, each of which begins like the one before it. They live as long as the session. */
  readonly bodies = new BodyReader()
  /** Which part of the conversation was found sound before it was sent. */
  readonly watch = new TranscriptWatch()
  /** Repairs by this process that are journaled already. */
  readonly journaled = new Set<string>()
  #current: InFlight | undefined

  get isBusy(): boolean {
    return this.#current !== undefined
  }

  /** Makes room for the next request of the conversation, where that is possible. */
  async makeRoom(): Promise<void> {
    while (this.#current && (this.#current.signal.aborted || this.#current.isUnread)) {
      this.#current.abort(givenUpUnread('the conversation continued with another request'))
      await this.#current.ended
    }
  }

  enter(exchange: InFlight): void {
    this.#current = exchange
    void exchange.ended.then(() => {
      if (this.#current === exchange) this.#current = undefined
    })
  }

  /** The answer of the request in flight is durable: what is left of its exchange is the caller's reading. */
  answered(answer: AssistantMessage): void {
    const seen = this.#current?.delivered.messageId
    this.#current = undefined
    if (seen !== undefined && seen !== answer.id) this.#aliases.set(seen, answer.id)
  }

  /** The recorded id of an answer that the caller knows as `messageId`. */
  recordedId(messageId: string): string {
    return this.#aliases.get(messageId) ?? messageId
  }
}

const conversations = new WeakMap<Session, Conversation>()

export function conversationOf(session: Session): Conversation {
  const known = conversations.get(session)
  if (known) return known
  const conversation = new Conversation()
  conversations.set(session, conversation)
  // Each request listens for the session's end, and helpers make many at a time: no leak to warn about.
  setMaxListeners(0, session.signal)
  // A repair that was reverted is journaled again when it is made again.
  session.subscribe((event) => {
    if (event.type === 'entry' && event.entry.type === 'repairs-reverted') conversation.journaled.clear()
  })
  return conversation
}
