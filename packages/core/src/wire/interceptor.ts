/**
 * The interceptor: `(request, next) => Promise<Response>` on web standards. Mounted as SDK middleware inside a program,
 * and in a gateway in front of others, it is the one owner of retries (P8).
 *
 * 1. Nothing is sent, and no end of an answer is handed out, before its entry is durable (P1, P5).
 * 2. The conversation has one request at a time. A request about something else, or at the same time, is a side
 *    request, and so is one that is not a Messages request: its faults are waited out too, but it is not recorded.
 *    Listeners are told when a Messages request passes unrecorded.
 */
import { LastgoodError } from '../errors.ts'
import type { Session } from '../session/session.ts'
import type { Next } from './attempt.ts'
import { conversationOf } from './conversation.ts'
import type { ModelCard } from '../ladder/model-card.ts'
import { modelCards, type ModelCards } from './model-cards.ts'
import { providerHealth } from '../health/health.ts'
import { limitedHealth } from '../health/limited-health.ts'
import { askModel } from './ask-model.ts'
import { Exchange } from './exchange.ts'
import { resolveOptions, type InterceptorOptions } from './interceptor-options.ts'
import {
  isMessagesRequest,
  isStructured,
  joinConversation,
  wantsVerdicts,
  type ConversationRequest,
  type MessagesBody,
  type Recorded,
  type WireRequest,
} from './messages-request.ts'
import { rungsOf, type RequestRung } from './rungs.ts'
import { SessionRecorder } from './session-recorder.ts'
import { sideRecorder } from './side-recorder.ts'
import { defaultLimits, limitsUnder } from './watchdog.ts'

/** `signal` is for a request that has none of its own yet. */
export type Send<R extends WireRequest> = (next: Next<R>, signal: AbortSignal) => Promise<Response>

export interface Interceptor {
  /** `timeoutMs`: when the mount ends an attempt, and the whole request with it. Limits stay below that. */
  <R extends WireRequest>(request: R, next: Next<R>, timeoutMs?: number): Promise<Response>
  /**
   * For a mount that has read the body already, and is the only one: tells, before anything is sent, how to send a
   * request that the session's conversation goes on with. Undefined when the request is a side request, or the
   * conversation is busy with another.
   */
  goOn<R extends WireRequest>(request: R, body: MessagesBody): Promise<Send<R> | undefined>
  /** Whether the session's conversation goes on with the request, busy or not. */
  joins(request: WireRequest, body: MessagesBody): boolean
}

/** Marks a request that an interceptor of this session handles: another mount, even of another copy, lets it pass. */
const inHand = Symbol.for('lastgood.in-hand')

/** Errors: `bad-option`. */
export function intercept(session: Session, options: InterceptorOptions = {}): Interceptor {
  assertSession(session)
  const resolved = resolveOptions(options)
  const { record, ladder, limits } = resolved
  const { clock } = session
  const conversation = conversationOf(session)
  const health = limitedHealth(providerHealth(session.store.shared, clock), session.limiter, clock)
  const cards = new Map<string, ModelCards>()

  async function lastgood<R extends WireRequest>(request: R, next: Next<R>, timeoutMs?: number): Promise<Response> {
    session.signal.throwIfAborted()
    if (inHand in request && request[inHand] === session) return next(request)
    // A body that cannot be sent twice is sent once.
    if (isUsedUp(request.body)) return next(request)
    const isText = typeof request.body === 'string' && isMessagesRequest(request)
    const body = isText ? conversation.bodies.read('', request.body as string) : undefined
    let joined = body && join(request, body)
    if (body && joined && conversation.isBusy) {
      await conversation.makeRoom()
      joined = joinNow(request, body)
    }
    // Without another await: another request may have waited for the same room.
    return joined ? goOn(request, joined, next, timeoutMs) : goBeside(request, body, next, timeoutMs)
  }

  function goOn<R extends WireRequest>(
    request: R,
    joined: ConversationRequest,
    next: Next<R>,
    timeoutMs?: number,
  ): Promise<Response> {
    const sent = { ...request, [inHand]: session }
    const exchange = new Exchange({
      ...common(request, timeoutMs),
      request: sent,
      expects: joined.streams ? 'stream' : 'message',
      isStructured: isStructured(joined.envelope.body),
      wantsVerdicts: wantsVerdicts(joined.envelope.body),
      recorder: new SessionRecorder({
        session,
        sent,
        request: joined,
        rungs: rungsOf(ladder, sent, joined.envelope.body.model, next),
        health,
        conversation,
        cards: (rung) => cardOfRung(sent, rung),
        options: resolved,
      }),
    })
    conversation.enter(exchange)
    return exchange.run()
  }

  function goBeside<R extends WireRequest>(
    request: R,
    body: MessagesBody | undefined,
    next: Next<R>,
    timeoutMs?: number,
  ): Promise<Response> {
    const sent = { ...request, [inHand]: session }
    const rung = body && rungsOf(ladder, sent, body.model, next)[0]
    if (isMessagesRequest(request)) session.emit({ type: 'unrecorded' })
    // What a body that is not text asks for is not known here.
    const isKnown = body !== undefined || (isMessagesRequest(request) && typeof request.body === 'string')
    const expects = !isKnown ? 'anything' : body?.stream === true ? 'stream' : 'message'
    return new Exchange({
      ...common(request, timeoutMs),
      request: sent,
      expects,
      isStructured: isStructured(body),
      wantsVerdicts: wantsVerdicts(body),
      recorder: sideRecorder(session, { request: sent, next }, health, rung),
    }).run()
  }

  const common = ({ signal }: WireRequest, timeoutMs?: number) => ({
    clock,
    limits: timeoutMs === undefined ? { ...defaultLimits, ...limits } : limitsUnder(timeoutMs, limits),
    signals: signal ? [signal, session.signal] : [session.signal],
  })

  /** The card of a rung's model; its endpoint is asked along the path of the current request. */
  function cardOfRung<R extends WireRequest>(sent: R, rung: RequestRung<R>): Promise<ModelCard> {
    const { endpoint, model } = rung
    const known = cards.get(endpoint) ?? modelCards({ shared: session.store.shared, clock, endpoint })
    cards.set(endpoint, known)
    return known(model, (signal) => askModel(sent, rung, signal))
  }

  /** Joins again, because what ended meanwhile may have been recorded; undefined where there is no room. */
  const joinNow = (request: WireRequest, body: MessagesBody) => (conversation.isBusy ? undefined : join(request, body))

  function join(request: WireRequest, body: MessagesBody) {
    if (record === false) return undefined
    return joinConversation(request, body, recordedOf(session, record === 'always'))
  }

  return Object.assign(lastgood, {
    async goOn<R extends WireRequest>(request: R, body: MessagesBody) {
      let joined = join(request, body)
      if (joined && conversation.isBusy) {
        await conversation.makeRoom()
        joined = joinNow(request, body)
      }
      if (!joined) return undefined
      const { seq } = session
      return (next: Next<R>, signal: AbortSignal) => {
        if (conversation.isBusy || session.seq !== seq) joined = joinNow(request, body)
        return joined ? goOn({ ...request, signal }, joined, next) : goBeside({ ...request, signal }, body, next)
      }
    },
    joins: (request: WireRequest, body: MessagesBody) => join(request, body) !== undefined,
  })
}

/** By shape: another copy of this package has a class of its own. */
function assertSession(session: unknown): void {
  if (typeof (session as Partial<Session> | null | undefined)?.record === 'function') return
  throw new LastgoodError('bad-option', 'session must be an open session, not a promise of one or anything else', {
    hint: 'await it: const session = await openSession(id)',
    details: { field: 'session' },
  })
}

/** A stream, which is used up by being sent; texts, forms, files and bytes are not. */
const isUsedUp = (body: unknown): boolean => typeof body === 'object' && body !== null && Symbol.asyncIterator in body

function recordedOf(session: Session, isSure: boolean): Recorded {
  const { messages, responses, unanswered } = session.transcript
  return {
    messages,
    envelope: session.envelope,
    lacksResults: unanswered.length > 0,
    isSure,
    runningCalls: unanswered.map((call) => call.toolUseId).filter((id) => session.calls.isOut(id)),
    messagesUpTo: (messageId) => responses.get(conversationOf(session).recordedId(messageId)),
  }
}
