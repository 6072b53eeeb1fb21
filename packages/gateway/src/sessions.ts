/**
 * The open sessions of the requests that pass: found by name, or by content; opened on request, released when nothing
 * has come for a while.
 *
 * 1. What an agent asks beside its conversation (a title, a suggestion, a sub-agent's work) is a conversation of its own,
 *    in a session named after the agent's: `<session>.<sub-agent or beginning>`.
 * 2. A request that names no session goes on with the one that holds most of its conversation, at least one answer
 *    that was given there: what a client wrote itself (examples) does not tell conversations apart. A request without an
 *    answer, or whose own answer another client already has, begins a session.
 * 3. A request that continues a thread belongs where the thread was recorded, and nowhere else.
 * 4. For requests that may belong together, the session is decided one request after the other.
 */
import {
  continuationOf,
  isJournalError,
  isLastgoodError,
  openSession,
  type Head,
  type MessagesBody,
  type Session,
} from '@lastgood/core'
import type { Attached } from './answer.ts'
import { answeredElsewhere, gatewayOwner, keptByGateway } from './keeper.ts'
import { Lane, type Asked } from './lane.ts'
import type { ResolvedGatewayOptions } from './options.ts'
import { Refusals } from './refusals.ts'
import { beginningOf, isAside, isForItself, sessionNameOf, type SessionName } from './session-name.ts'
import type { Upstream } from './upstream.ts'

export interface Found {
  attached: Attached
  sessionId: string
}

/** A session that a request may belong to; `agent` if it is an agent's own conversation. */
interface Place {
  id: string
  agent?: string | undefined
}

interface Heard {
  /** An answer of the session has ended, whole or not. */
  onRest(session: Session): void
  /** A session was released because nothing had come for a while. */
  onIdle(sessionId: string): void
}

const unnamed = (body: MessagesBody): string => `gw-${beginningOf(body)}`

export class Sessions {
  readonly #options: ResolvedGatewayOptions
  readonly #upstream: Upstream
  readonly #heard: Heard
  readonly #lanes = new Map<string, Promise<Lane>>()
  /** The last decision for each name. */
  readonly #decisions = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(options: ResolvedGatewayOptions, upstream: Upstream, heard: Heard) {
    this.#options = options
    this.#upstream = upstream
    this.#heard = heard
    void this.#closeIdle()
  }

  /**
   * The answer to a request, and the session that it is recorded in; undefined for a request that continues a thread
   * whose history is not here. Errors: those of opening a session.
   */
  answerTo(asked: Asked): Promise<Found | undefined> {
    const name = sessionNameOf(asked.named, asked.body)
    const group = name?.id ?? unnamed(asked.body)
    const places = () => {
      if (asked.body.thread?.type === 'continue') return this.#placesOfThread(name)
      return name ? this.#placesOf(name, asked) : this.#placesOfUnnamed(asked, group)
    }
    const decision = (this.#decisions.get(group) ?? Promise.resolve()).then(() => this.#decide(asked, places()))
    const over = decision.then(
      () => {},
      () => {},
    )
    this.#decisions.set(group, over)
    void over.then(() => this.#decisions.get(group) === over && this.#decisions.delete(group))
    return decision
  }

  async #decide(asked: Asked, places: AsyncIterable<Place>): Promise<Found | undefined> {
    for await (const { id, agent } of places) {
      const lane = await this.#lane(id, { agent, takesOver: true })
      const attached = await lane.answerTo(asked)
      if (attached) return { attached, sessionId: id }
    }
    return undefined
  }

  /** Where a request with a name may belong, in the order in which it is tried. The last ones are new. */
  async *#placesOf({ id, hasHelpers, agent }: SessionName, { named, body }: Asked): AsyncGenerator<Place> {
    const main = await this.#lane(id, { agent, takesOver: true })
    const isBeside = isAside(named, body) || (main.isFresh && isForItself(named, body))
    if (!hasHelpers || !isBeside) yield { id, agent }
    yield* numbered(`${id}.${beginningOf(body)}`)
  }

  /** A thread's own messages do not tell its beginning, so no session is begun from them. */
  async *#placesOfThread(name: SessionName | undefined): AsyncGenerator<Place> {
    if (name) yield name
    const prefix = name ? `${name.id}.` : 'gw-'
    // A copy of the list: a lane that is opened again moves to its end.
    for (const id of [...this.#lanes.keys()].filter((one) => one.startsWith(prefix))) {
      // A session that another process holds meanwhile does not matter to this thread.
      if (await this.#lane(id).catch(() => undefined)) yield { id }
    }
  }

  async *#placesOfUnnamed(asked: Asked, prefix: string): AsyncGenerator<Place> {
    const goesOn = asked.body.messages.some(({ role }) => role === 'assistant')
    if (goesOn) {
      for await (const id of this.#holding(prefix, asked.body)) {
        // If another client has the answer to the same request, this one wants an answer of its own.
        if ((await this.#lane(id)).standingOf(asked) !== 'taken') yield { id }
      }
    }
    // The same request again, by a client whose connection broke.
    for (const [id, opening] of this.#lanes) {
      if (id.startsWith(prefix) && (await opening).standingOf(asked) === 'missed') yield { id }
    }
    for (;;) yield { id: `${prefix}-${this.#options.clock.newId().replaceAll('-', '').slice(-8)}` }
  }

  /** The unnamed sessions that the request goes on from: those that hold most of it, the one with least else first. */
  async *#holding(prefix: string, { messages }: MessagesBody): AsyncGenerator<string> {
    const answered = messages.findLastIndex(({ role }) => role === 'assistant') + 1
    const found: { id: string; kept: number; others: number; isOwn: boolean }[] = []
    let hasAll = false
    for await (const id of this.#beginningWith(prefix, () => hasAll)) {
      // A session that another process holds, or that cannot be read, must not fail a request with the same beginning.
      const transcript = (await this.#lane(id).catch(() => undefined))?.session.transcript
      if (!transcript) continue
      const { kept } = continuationOf(transcript.messages, messages)
      const others = transcript.messages.length - kept
      hasAll ||= kept >= answered
      // No session can match better than with every answer and nothing else, so the others need not be opened.
      if (kept >= answered && others === 0) yield id
      else found.push({ id, kept, others, isOwn: kept === messages.length || transcript.hasAnswerWithin(kept) })
    }
    const most = Math.max(...found.map(({ kept }) => kept))
    const best = found.filter(({ kept, isOwn }) => kept === most && isOwn)
    for (const { id } of best.sort((a, b) => a.others - b.others)) yield id
  }

  /** First those that are open; then the others, unless these are enough. */
  async *#beginningWith(prefix: string, isEnough: () => boolean): AsyncGenerator<string> {
    const open = [...this.#lanes.keys()].filter((id) => id.startsWith(prefix))
    yield* open
    if (isEnough()) return
    const all: Head[] = []
    try {
      for await (const { head } of this.#options.store.list()) all.push(head)
    } catch (error) {
      // The list has given all others first; `lastgood doctor` reports this one.
      if (!isJournalError(error)) throw error
    }
    // Looking into a session opens it, and a client usually goes on with its last one.
    for (const { sessionId } of all.sort((a, b) => b.updatedAt - a.updatedAt)) {
      if (sessionId.startsWith(prefix) && !open.includes(sessionId)) yield sessionId
    }
  }

  /**
   * `agent`: whose own conversation it is. `takesOver`: a request names the session, so it is taken from another
   * gateway that keeps it and has no answer of it in hand.
   */
  async #lane(
    id: string,
    { agent, takesOver = false }: { agent?: string | undefined; takesOver?: boolean } = {},
  ): Promise<Lane> {
    const known = this.#lanes.get(id)
    const open = await known
    if (open && !open.isClosing && !open.session.signal.aborted) return open
    // A session that is being released, or that lost its store or its lease, is reopened once its lease is released.
    await open?.close()
    const meanwhile = this.#lanes.get(id)
    if (meanwhile && meanwhile !== known) return meanwhile
    const refusals = new Refusals()
    const [options, upstream] = [this.#options, this.#upstream]
    const opening = this.#open(id, takesOver, refusals).then((session) => {
      session.subscribe((event) => options.onEvent(id, event))
      return new Lane({ session, agent, refusals, options, upstream, onRest: () => this.#heard.onRest(session) })
    })
    this.#lanes.set(id, opening)
    opening.catch(() => this.#lanes.get(id) === opening && this.#lanes.delete(id))
    return opening
  }

  async #open(id: string, takesOver: boolean, { decide }: Refusals): Promise<Session> {
    const { store, policy, clock, cwd, watchers } = this.#options
    const owner = gatewayOwner(clock.newId())
    const options = { store, policy, clock, cwd, telemetry: watchers, decide, owner, callsElsewhere: true }
    try {
      return await openSession(id, options)
    } catch (error) {
      if (!takesOver || !isLastgoodError(error, 'session-busy')) throw error
      const keeper = keptByGateway(await store.summary(id))
      if (keeper === undefined) throw error
      if (keeper === 'answering') throw answeredElsewhere(error)
      return openSession(id, { ...options, takeover: true })
    }
  }

  async #closeIdle(): Promise<void> {
    const { clock, idleMs } = this.#options
    const { signal } = this.#closing
    try {
      for (;;) {
        await clock.sleepUntil(clock.now() + Math.max(1_000, idleMs / 4), { background: true, signal })
        for (const [id, opening] of this.#lanes) {
          const lane = await opening.catch(() => undefined)
          if (!lane?.isIdle) continue
          await lane.close()
          if (this.#lanes.get(id) === opening) this.#lanes.delete(id)
          this.#heard.onIdle(id)
        }
      }
    } catch {
      // closed
    }
  }

  /** Waits for the answers in hand, and releases all sessions. */
  async close(): Promise<void> {
    this.#closing.abort()
    // A request whose session is being decided may open one more.
    await Promise.all(this.#decisions.values())
    const lanes = await Promise.allSettled(this.#lanes.values())
    await Promise.all(lanes.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : [])))
  }
}

function* numbered(name: string): Generator<Place> {
  yield { id: name }
  for (let n = 2; ; n += 1) yield { id: `${name}-${n}` }
}
