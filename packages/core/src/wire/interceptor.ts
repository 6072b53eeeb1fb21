/**
 * The interceptor: `(request, next) => Promise<Response>` on web standards. Mounted as SDK middleware inside a program,
 * and in a gateway in front of others, it is the one owner of retries (P8).
 *
 * 1. Nothing is sent, and no end of an answer is handed out, before its entry is durable (P1, P5).
 * 2. The conversation has one request at a time. A request about something else, or one beside it, is a side request:
 *    waited out like the others, but not recorded, and listeners are told so. What is no Messages request is one too.
 */
import type { InDoubt } from '../journal.ts'
import type { Session } from '../session.ts'
import type { Next } from './attempt.ts'
import { conversationOf } from './conversation.ts'
import { Exchange } from './exchange.ts'
import { isMessagesRequest, readConversationRequest, streams, type WireRequest } from './messages-request.ts'
import { sessionRecorder, sideRecorder } from './recorder.ts'
import { defaultLimits, type Limits } from './watchdog.ts'

export interface InterceptorOptions {
  /**
   * The rule recorded for a tool call when it is handed out; undefined for a tool that needs no intent because it is
   * safe to repeat. Default: `report` for every tool.
   */
  intentOf?: (toolName: string) => InDoubt | undefined
  /**
   * Which requests are recorded as the conversation. `true`: those that go on from it; what looks like a helper's (a
   * title, a summary, a sub-agent) is not. `always`: every Messages request. `false`: none, for a client of helpers.
   * Default true.
   */
  record?: boolean | 'always'
  /** When an answer counts as stalled; each default is documented there. */
  limits?: Partial<Limits>
}

export type Interceptor = <R extends WireRequest>(request: R, next: Next<R>) => Promise<Response>

/** On a request that an interceptor of this session has in hand: another mount lets it pass. */
const inHand = Symbol('lastgood.in-hand')

export function intercept(session: Session, options: InterceptorOptions = {}): Interceptor {
  const { intentOf = () => 'report' as const, record = true } = options
  const limits = { ...defaultLimits, ...options.limits }
  const { clock } = session
  const conversation = conversationOf(session)

  return async function lastgood(request, next) {
    session.signal.throwIfAborted()
    if (inHand in request && request[inHand] === session) return next(request)
    // What cannot be sent twice is sent once.
    if (request.body !== undefined && request.body !== null && typeof request.body !== 'string') return next(request)
    const marked = { ...request, [inHand]: session }
    const common = {
      next,
      clock,
      limits,
      signals: request.signal ? [request.signal, session.signal] : [session.signal],
    }
    const isMessages = isMessagesRequest(request)

    let joined = isMessages && record ? join(request) : undefined
    if (joined && conversation.isBusy) {
      await conversation.makeRoom()
      // What ended meanwhile may have been recorded.
      joined = conversation.isBusy ? undefined : join(request)
    }
    if (!joined) {
      if (isMessages) session.emit({ type: 'unrecorded' })
      const expects = !isMessages ? 'anything' : streams(request) ? 'stream' : 'message'
      return new Exchange({ ...common, request: marked, expects, recorder: sideRecorder(session) }).run()
    }
    const sent = { ...marked, body: joined.body }
    const exchange: Exchange<typeof sent> = new Exchange({
      ...common,
      request: sent,
      expects: joined.streams ? 'stream' : 'message',
      recorder: sessionRecorder(session, joined, intentOf, (message) => conversation.answered(exchange, message)),
    })
    conversation.enter(exchange)
    return exchange.run()
  }

  function join(request: WireRequest) {
    const { messages, responses, unanswered } = session.transcript
    return readConversationRequest(request, {
      messages,
      envelope: session.envelope,
      lacksResults: unanswered.length > 0,
      isSure: record === 'always',
      runningCalls: conversation.running(unanswered),
      messagesUpTo: (messageId) => responses.get(conversation.recordedId(messageId)),
    })
  }
}
