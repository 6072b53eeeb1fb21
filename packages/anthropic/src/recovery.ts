/**
 * Level 1: recovery for the caller's own loop, as middleware of the Anthropic SDK.
 *
 * The SDK retries around its middleware, so its own retries must be off: with two owners, attempts multiply (P8).
 * `recoverable` turns them off; if you mount `recovery` by hand, set `maxRetries: 0`.
 */
import { intercept, isMessagesRequest, type InterceptorOptions, type Session } from '@lastgood/core'
import { assertClient, type Middleware, type RecoverableClient } from './client.ts'
import { familyOf, telling, toldAs } from './told.ts'

/**
 * Middleware that records the session's conversation and handles its faults. It has to be the innermost: middleware
 * inside it would see each attempt, middleware around it sees one answer.
 */
export function recovery(session: Session, options: InterceptorOptions = {}): Middleware {
  return recoveryIn(undefined, session, options)
}

/** The client's timeout is for requests that do not state their own; those for messages do. */
function recoveryIn(client: RecoverableClient | undefined, session: Session, options: InterceptorOptions): Middleware {
  const lastgood = intercept(session, options)
  const family = familyOf(client)
  let hasWarned = false
  const middleware: Middleware = async (request, next, context) => {
    if (!hasWarned && Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0) {
      hasWarned = true
      context.logger.warn('lastgood: the SDK retries as well, so attempts multiply; set maxRetries: 0 on this request')
    }
    try {
      const response = await lastgood(request, next, context.options?.timeout ?? client?.timeout)
      return isMessagesRequest(request) ? telling(response, family) : response
    } catch (error) {
      throw toldAs(error, family)
    }
  }
  return Object.defineProperty(middleware, ownSession, { value: session })
}

/** Marks a middleware with its session, so that mounting again replaces it, even by another copy of this package. */
const ownSession = Symbol.for('lastgood.recovery')

const sessionOf = (middleware: unknown): unknown => (middleware as { [ownSession]?: unknown })[ownSession]

/** Whether a middleware is lastgood's, for any session. */
export const isRecovery = (middleware: unknown): boolean => sessionOf(middleware) !== undefined

/** A copy of `client` whose conversation is recorded in `session` and survives faults. Errors: `bad-option`. */
export function recoverable<Client extends RecoverableClient>(
  client: Client,
  session: Session,
  options: InterceptorOptions = {},
): Client {
  assertClient(client)
  const others = client.middleware.filter((middleware) => sessionOf(middleware) !== session)
  const middleware = [...others, recoveryIn(client, session, options)]
  // `withOptions` returns the type of the client that it is called on.
  return client.withOptions({ maxRetries: 0, middleware } as never) as Client
}
