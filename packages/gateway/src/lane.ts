/**
 * One conversation that passes the gateway: its session, and the answer that it has in hand.
 *
 * 1. One request at a time. The same request again gets the same answer, even one that an earlier process recorded. So
 *    does one that asks the same in another form: once the answer that its client left is whole.
 * 2. A different request that comes while a client waits for the answer in hand is not of this conversation. If no
 *    client waits for that answer any more, and the request continues the conversation, the answer is given up first.
 * 3. A request that goes on from what another one has undone is of another client of the same name: two terminals
 *    with one conversation are two, each with all of its own.
 * 4. Calls in an answer that the client never had, or to a question that it no longer holds, do not block a request.
 */
import {
  answerText,
  blocksOf,
  continuationOf,
  intercept,
  isCut,
  LastgoodError,
  meansTheSame,
  replayed,
  wantsVerdicts,
  type AssistantMessage,
  type Interceptor,
  type Message,
  type MessagesBody,
  type Session,
  type WireRequest,
} from '@lastgood/core'
import { Answer, type Attached } from './answer.ts'
import type { ResolvedGatewayOptions } from './options.ts'
import type { Refusals } from './refusals.ts'
import { beginningOf, hasTools, isAside, isClaudeCode } from './session-name.ts'
import { atMost } from './silence.ts'
import type { Upstream } from './upstream.ts'

export interface Asked {
  /** The request as it leaves. */
  request: WireRequest
  body: MessagesBody
  /** The client's own headers, which may name the session. */
  named: Headers
  /** The client handles a refusal of its credentials itself: it renews them. */
  renews: boolean
  /** Aborts when the client has gone. */
  signal: AbortSignal
  /** Called once, when the client has its answer or has gone. */
  onLeft: () => void
}

/** Sends the request; the signal aborts when nobody wants the answer any more. */
type Begin = (signal: AbortSignal) => Promise<Response>

/** What was recorded after the point to which a request went back: after that many messages. */
interface Undone {
  readonly after: number
  readonly messages: readonly Message[]
}

export interface LaneParts {
  readonly session: Session
  /** The agent whose own conversation this is, as it says; undefined for a conversation of its helpers. */
  readonly agent: string | undefined
  readonly refusals: Refusals
  readonly options: ResolvedGatewayOptions
  readonly upstream: Upstream
  /** An answer has ended, whole or not. */
  readonly onRest: () => void
}

export class Lane {
  readonly session: Session
  readonly #it: LaneParts
  /** By the requested model, the number of rungs after it, and whether its request surely is the conversation's. */
  readonly #interceptors = new Map<string, Interceptor>()
  #current: { body: MessagesBody; answer: Answer } | undefined
  readonly #undone: Undone[] = []
  #usedAt: number
  #closing: Promise<void> | undefined

  constructor(parts: LaneParts) {
    this.session = parts.session
    this.#it = parts
    this.#usedAt = parts.options.clock.now()
  }

  /** Whether no request has come for `idleMs`, and no answer is on its way. Whoever still reads one does not need it. */
  get isIdle(): boolean {
    const { clock, idleMs } = this.#it.options
    const isAsked = this.#current && !this.#current.answer.hasEnded
    // A wall clock that was set back must not hold the session until it has caught up.
    return !isAsked && Math.abs(clock.now() - this.#usedAt) >= idleMs
  }

  get isFresh(): boolean {
    return this.session.transcript.messages.length === 0
  }

  /**
   * The standing of the answer to this very request that is on its way or was recorded, in another form only if it is
   * missed; undefined if there is none.
   */
  standingOf({ body }: Asked): Answer['standing'] {
    const current = this.#current
    if (!current || !asksTheSame(current.body, body)) return undefined
    const { standing } = current.answer
    return standing === 'missed' || isSameRequest(current.body, body) ? standing : undefined
  }

  #inHand({ body, onLeft }: Asked): Attached | undefined {
    const current = this.#current
    return current?.answer.isToBeHad && isSameRequest(current.body, body) ? current.answer.attach(onLeft) : undefined
  }

  /** The answer to a request of this conversation; undefined for any other. */
  async answerTo(asked: Asked): Promise<Attached | undefined> {
    const inHand = this.#inHand(asked) ?? this.#recorded(asked) ?? this.#inOtherForm(asked)
    if (inHand) return inHand
    // A client that has gone while its session was opened may have gone on elsewhere, which must not be undone.
    asked.signal.throwIfAborted()
    if (this.#wasUndone(asked.body)) return undefined
    const before = this.#current?.answer
    if (before?.standing === 'missed' || this.#goesBehind(asked.body)) this.session.calls.takeBack()
    const interceptor = this.#interceptorFor(asked.body)
    if (before && !before.hasEnded) {
      if (before.isAwaited || !interceptor.joins(asked.request, asked.body)) return undefined
      before.abandon('the conversation continued with another request')
      await before.ended
      // It was on its way to the journal when it was given up.
      const inTime = this.#recorded(asked)
      if (inTime) return inTime
    }
    const undone = this.#undoneBy(asked.body)
    const send = await this.#sending(asked, interceptor)
    if (!send) return undefined
    if (undone) this.#undone.push(undone)
    return this.#hold(asked, send)
  }

  /** How the request is sent; undefined if the conversation does not go on with it. */
  async #sending({ request, body, named, renews }: Asked, interceptor: Interceptor): Promise<Begin | undefined> {
    const send = await interceptor.goOn(request, body)
    if (!send) return undefined
    const compacts = isClaudeCode(named, body) && hasTools(body) && !isAside(named, body)
    this.#it.refusals.asks({
      credentials: renews ? request.headers : undefined,
      history: compacts ? beginningOf(body) : undefined,
    })
    return (signal) => send(this.#it.upstream.send, signal)
  }

  /** The answer that its client left, for one that asks the same in another form: when it is whole. */
  #inOtherForm(asked: Asked): Attached | undefined {
    const { body, answer } = this.#current ?? {}
    if (!body || answer?.standing !== 'missed' || answer.hasEnded) return undefined
    if (continuesThread(body) || !asksTheSame(body, asked.body)) return undefined
    const reading = answer.attach()
    return this.#hold(asked, async (signal) => {
      signal.addEventListener('abort', () => answer.abandon((signal.reason as Error).message), { once: true })
      try {
        const refusal = await refusalIn(reading)
        if (refusal) return refusal
      } finally {
        reading.leave()
        await answer.ended
      }
      signal.throwIfAborted()
      const again = this.#replay(asked.body)
      if (again) return again
      // It was cut for lack of room, and this request leaves more.
      this.session.calls.takeBack()
      const send = await this.#sending(asked, this.#interceptorFor(asked.body))
      if (!send) throw conversationMoved(this.session.id)
      return send(signal)
    })
  }

  /** The answers that the request goes back behind. A history that was replaced as a whole undoes none. */
  #undoneBy({ messages }: MessagesBody): Undone | undefined {
    const recorded = this.session.transcript.messages
    const { kept } = continuationOf(recorded, messages)
    const undone = recorded.slice(kept)
    return kept > 0 && undone.some(isAnswer) ? { after: kept, messages: undone } : undefined
  }

  /** Whether the request holds more of what was undone than of what was said instead, perhaps in the same words. */
  #wasUndone({ messages }: MessagesBody): boolean {
    if (this.#undone.length === 0) return false
    const held = continuationOf(this.session.transcript.messages, messages).kept
    return this.#undone.some((undone) => {
      const { kept } = continuationOf(undone.messages, messages.slice(undone.after))
      return undone.after + kept > held && undone.messages.slice(0, kept).some(isAnswer)
    })
  }

  /**
   * Whether the agent no longer holds what it was asked last, because that was undone or compacted: no results will
   * come for the calls that it led to. A helper does hold it, and asks more.
   */
  #goesBehind(body: MessagesBody): boolean {
    const { transcript } = this.session
    const { messages } = body
    if (!this.#mayBeAgents(body)) return false
    const { kept } = continuationOf(transcript.messages, messages)
    const [ours, theirs] = [transcript.messages[kept], messages[kept]]
    if (ours?.role !== 'user' || !theirs) return false
    const asked = blocksOf(ours)
    return !meansTheSame(asked, blocksOf(theirs).slice(0, asked.length))
  }

  /** Whether the agent may ask it: a sub-agent has other tools. */
  #mayBeAgents({ tools }: MessagesBody): boolean {
    return this.#it.agent !== undefined && meansTheSame(this.session.envelope?.body['tools'], tools)
  }

  /**
   * Whether the agent asks it, whatever its system prompt: Claude Code writes a new one when it compacts after a change
   * of the model. A sub-agent with the same tools works for a call, and does not have its result.
   */
  #isAgents(body: MessagesBody): boolean {
    const { unanswered } = this.session.transcript
    const hasResult = (id: string) =>
      body.messages.findLast((message) => blocksOf(message).some((block) => block['tool_use_id'] === id)) !== undefined
    return hasTools(body) && this.#mayBeAgents(body) && unanswered.every(({ toolUseId }) => hasResult(toolUseId))
  }

  #interceptorFor(body: MessagesBody): Interceptor {
    const { model } = body
    const { fallback, limits, tellsFallback } = this.#it.options
    const mayFallBack = hasTools(body) || this.#it.agent !== undefined
    const models = mayFallBack ? fallback.filter((rung) => rung.model !== model || rung.endpoint !== undefined) : []
    const others = [...this.#it.upstream.othersFor(model), ...models]
    const record = this.#isAgents(body) ? 'always' : true
    const key = `${model} ${others.length} ${record}`
    const known = this.#interceptors.get(key)
    if (known) return known
    const ladder = others.length > 0 ? [{ model }, ...others] : []
    const interceptor = intercept(this.session, {
      ladder,
      record,
      limits,
      tellsFallback,
      ...(this.#it.agent !== undefined && { agent: this.#it.agent }),
    })
    this.#interceptors.set(key, interceptor)
    return interceptor
  }

  #recorded(asked: Asked): Attached | undefined {
    const again = this.#replay(asked.body)
    return again && this.#hold(asked, () => Promise.resolve(again))
  }

  /** The answer recorded just now for this request: the client did not get it, or it would have gone on. */
  #replay(body: MessagesBody): Response | undefined {
    const { transcript, clock } = this.session
    const last = transcript.lastAnswer
    const { messages } = body
    if (continuesThread(body)) return undefined
    if (!last || transcript.messages.at(-1)?.content !== last.content) return undefined
    if (
      messages.length !== transcript.messages.length - 1 ||
      (transcript.answeredAt ?? 0) + this.#it.options.reattachMs < clock.now()
    ) {
      return undefined
    }
    if (continuationOf(transcript.messages, messages).kept < messages.length) return undefined
    if (!isAnswerTo(last, this.session.envelope?.body ?? {}, body)) return undefined
    const isStream = body.stream === true
    const text = isStream ? [...replayed(last)].join('') : answerText(last)
    const type = isStream ? 'text/event-stream; charset=utf-8' : 'application/json'
    return new Response(text, { headers: { 'content-type': type, 'x-lastgood-replayed': 'true' } })
  }

  #hold({ body, onLeft }: Asked, begin: Begin): Attached {
    const { clock, reattachMs } = this.#it.options
    const answer = new Answer({ clock, reattachMs, begin })
    this.#current = { body, answer }
    void answer.ended.then(() => this.#rest(answer))
    this.#usedAt = clock.now()
    // Attach at once: an answer that has ended is kept only while clients are reading it.
    return answer.attach(onLeft)
  }

  /** The client may come back through another gateway, which cannot have the session while its turn is open here. */
  #rest(answer: Answer): void {
    this.#it.onRest()
    if (answer.isForsaken) void this.close()
  }

  /** Whether it takes no more requests. */
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** Waits a while for the answer in hand, and releases the session. An open turn stays open. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { clock, drainMs } = this.#it.options
    const answer = this.#current?.answer
    if (answer && !answer.hasEnded) {
      await atMost(drainMs, clock, answer.ended)
      // An answer that has ended stays for clients that are still reading it.
      if (!answer.hasEnded) answer.abandon('the gateway was stopped; send the same request again to continue')
      await answer.ended
    }
    await this.session.close().catch(() => {}) // a lease that cannot be released runs out by itself
  }
}

const isAnswer = ({ role }: Message): boolean => role === 'assistant'

/** Such a request has no history of its own to compare. */
const continuesThread = ({ thread }: MessagesBody): boolean => thread?.type === 'continue'

const isSameRequest = (one: MessagesBody, other: MessagesBody): boolean =>
  (one.stream === true) === (other.stream === true) &&
  meansTheSame(partsOf(one).room, partsOf(other).room) &&
  asksTheSame(one, other)

/** Whether both ask the same, in whatever form, and with whatever room for the answer. */
function asksTheSame(one: MessagesBody, other: MessagesBody): boolean {
  return (
    wantsVerdicts(one) === wantsVerdicts(other) &&
    meansTheSame(partsOf(one).rest, partsOf(other).rest) &&
    one.messages.length === other.messages.length &&
    continuationOf(one.messages, other.messages).kept === one.messages.length
  )
}

/** The whole of an answer in which the API refused; undefined once any other has been read to its end. */
async function refusalIn({ head, next }: Attached): Promise<Response | undefined> {
  const seen = await head
  const pieces: Uint8Array[] = []
  for (let piece = await next(); piece; piece = await next()) pieces.push(piece)
  return seen.status >= 400 ? new Response(Buffer.concat(pieces), seen) : undefined
}

/**
 * Whether an answer to a request with `parameters` also answers `now`. A client that falls back to a request without a
 * stream may leave the model less room; that matters only for an answer that was cut for lack of room.
 */
function isAnswerTo(last: AssistantMessage, parameters: Parameters, now: MessagesBody): boolean {
  const { thread: _written, ...body } = now
  if (wantsVerdicts(now) && !('safeguard_results' in last)) return false
  const [asked, again] = [partsOf(parameters), partsOf(body)]
  return meansTheSame(asked.rest, again.rest) && (!isCut(last.stop_reason) || meansTheSame(asked.room, again.room))
}

type Parameters = Readonly<Record<string, unknown>>

/** The parts of a request, besides the messages, that its answer depends on. */
function partsOf(body: Parameters): { rest: Parameters; room: readonly unknown[] } {
  const { messages: _said, stream: _how, metadata: _who, safeguards: _about, max_tokens, thinking, ...rest } = body
  return { rest, room: [max_tokens, thinking] }
}

function conversationMoved(sessionId: string): LastgoodError {
  return new LastgoodError('session-busy', `session ${sessionId}: another request has continued the conversation`, {
    hint: 'send the same request again',
    details: { sessionId },
  })
}
