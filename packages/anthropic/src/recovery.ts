/**
 * Level 1: recovery for a loop of one's own, as middleware of the Anthropic SDK.
 *
 * The SDK retries around its middleware, so its own retries must be off: two owners multiply (P8). `recoverable` sees
 * to that; whoever mounts `recovery` by hand sets `maxRetries: 0`.
 */
import type { Anthropic, ClientOptions } from '@anthropic-ai/sdk'
import { intercept, isMessagesRequest, type InterceptorOptions, type Session } from '@lastgood/core'
import { telling, toldAs } from './told.ts'

type Middleware = NonNullable<ClientOptions['middleware']>[number]

/**
 * Middleware that records the session's conversation and answers faults for it. It has to be the innermost: the
 * middleware after it would see each attempt, the one before it sees one answer.
 */
export function recovery(session: Session, options: InterceptorOptions = {}): Middleware {
  return recoveryIn(undefined, session, options)
}

/** `timeoutMs` is the client's, for requests that do not say theirs; those of messages do. */
function recoveryIn(timeoutMs: number | undefined, session: Session, options: InterceptorOptions): Middleware {
  const lastgood = intercept(session, options)
  let hasWarned = false
  const middleware: Middleware = async (request, next, context) => {
    if (!hasWarned && Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0) {
      hasWarned = true
      context.logger.warn('lastgood: the SDK retries as well, so attempts multiply; set maxRetries: 0 on this request')
    }
    try {
      const response = await lastgood(request, next, context.options?.timeout ?? timeoutMs)
      return isMessagesRequest(request) ? telling(response) : response
    } catch (error) {
      throw toldAs(error)
    }
  }
  sessions.set(middleware, session)
  return middleware
}

/** Whether a middleware is one of these, of whatever session. */
export const isRecovery = (middleware: Middleware): boolean => sessions.has(middleware)

/** Which session a middleware is for, so that mounting again replaces it. */
const sessions = new WeakMap<Middleware, Session>()

/** A copy of `client` whose conversation is recorded in `session` and survives what the API does to it. */
export function recoverable<Client extends Pick<Anthropic, 'withOptions' | 'middleware' | 'timeout'>>(
  client: Client,
  session: Session,
  options: InterceptorOptions = {},
): Client {
  const others = client.middleware.filter((middleware) => sessions.get(middleware) !== session)
  const middleware = [...others, recoveryIn(client.timeout, session, options)]
  // `withOptions` gives the type of the client it is called on.
  return client.withOptions({ maxRetries: 0, middleware }) as unknown as Client
}
