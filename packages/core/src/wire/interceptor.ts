/**
 * The interceptor: `(request, next) => Promise<Response>` on web standards. Mounted as SDK middleware inside a program,
 * and in a gateway in front of others, it is the one owner of retries (P8).
 *
 * 1. Nothing is sent, and no end of an answer is handed out, before its entry is durable (P1, P5).
 * 2. The conversation has one request at a time. A request about something else, or one beside it, is a side request:
 *    waited out like the others, but not recorded. So is everything that is no Messages request.
 */
import type { InDoubt } from '../journal.ts'
import type { Session } from '../session.ts'
import type { Next } from './attempt.ts'
import { exchange } from './exchange.ts'
import { isMessagesRequest, readConversationRequest, type WireRequest } from './messages-request.ts'
import { sessionRecorder, sideRecorder } from './recorder.ts'
import type { Delivered } from './relay.ts'
import { defaultLimits, type Limits } from './watchdog.ts'

export interface InterceptorOptions {
  /**
   * The rule recorded for a tool call when it is handed out; undefined for a tool that needs no intent because it is
   * safe to repeat. Default: `report` for every tool.
   */
  intentOf?: (toolName: string) => InDoubt | undefined
  /** When an answer counts as stalled; each default is documented there. */
  limits?: Partial<Limits>
}

export type Interceptor = <R extends WireRequest>(request: R, next: Next<R>) => Promise<Response>

export function intercept(session: Session, options: InterceptorOptions = {}): Interceptor {
  const { intentOf = () => 'report' as const } = options
  const limits = { ...defaultLimits, ...options.limits }
  const { clock } = session
  /** What only the caller knows of answers that took several attempts: blocks before them, and their message id. */
  const leftovers = new Map<number, number>()
  const aliases = new Map<string, number>()
  let inConversation = false

  return async function lastgood(request, next) {
    session.signal.throwIfAborted()
    const signal = request.signal ? AbortSignal.any([request.signal, session.signal]) : session.signal
    const joined = inConversation ? undefined : joinedRequest(request)
    if (!joined) {
      const expects = !isMessagesRequest(request) ? 'anything' : asksForStream(request) ? 'stream' : 'message'
      const recorder = sideRecorder(session)
      return exchange({ request, next, expects, recorder, clock, limits, signal, onDone: () => {} })
    }
    inConversation = true
    return exchange({
      request: { ...request, body: joined.body },
      next,
      expects: joined.streams ? 'stream' : 'message',
      recorder: sessionRecorder(session, joined, intentOf),
      clock,
      limits,
      signal,
      onDone(delivered) {
        inConversation = false
        remember(delivered)
      },
    })
  }

  function joinedRequest(request: WireRequest) {
    if (!isMessagesRequest(request)) return undefined
    const { messages, responses } = session.transcript
    return readConversationRequest(request, {
      messages,
      envelope: session.envelope,
      responses: new Map([...responses, ...aliases]),
      leftovers,
    })
  }

  function remember(delivered: Delivered): void {
    const { length } = session.transcript.messages
    if (delivered.leftovers > 0) leftovers.set(length - 1, delivered.leftovers)
    if (delivered.messageId !== undefined) aliases.set(delivered.messageId, length)
  }
}

function asksForStream({ body }: WireRequest): boolean {
  return typeof body === 'string' && /"stream"\s*:\s*true/.test(body)
}
