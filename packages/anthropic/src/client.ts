/**
 * The parts of the Anthropic SDK's clients and middleware that are needed here. Typed by shape: the SDK's classes have
 * private members, so for the compiler the class from `import` and the one from `require` are not compatible, and the
 * clients for Bedrock and Vertex have fewer members than the one for the API.
 */
import { LastgoodError, type WireRequest } from '@lastgood/core'

/** What `recoverable` needs: the SDK's `Anthropic`, or its clients for Bedrock and Vertex. */
export interface RecoverableClient {
  withOptions(options: never): unknown
  readonly middleware: readonly unknown[]
  readonly timeout: number
}

/** What an agent needs. */
export interface AgentClient extends RecoverableClient {
  readonly beta: { readonly messages: { create(body: never, options?: never): unknown } }
}

/** What a rung needs. */
export interface RungClient extends Omit<RecoverableClient, 'timeout'> {
  readonly baseURL: string
}

/** Fits the SDK's `Middleware`. */
export type Middleware = <R extends WireRequest>(
  request: R,
  next: (request: R) => Promise<Response>,
  context: MiddlewareContext,
) => Promise<Response>

/** The part of the SDK's middleware context that is used. */
export interface MiddlewareContext {
  readonly options?: { readonly timeout?: number | undefined } | undefined
  readonly logger: { warn(message: string): void }
}

/** Errors: `bad-option` without middleware, as in an older SDK: otherwise a bad rung would show only in an outage. */
export function assertClient(client: unknown): void {
  const { withOptions, middleware } = (client ?? {}) as { [Name in keyof RecoverableClient]?: unknown }
  if (typeof withOptions === 'function' && Array.isArray(middleware)) return
  throw new LastgoodError('bad-option', 'client must come from @anthropic-ai/sdk ^1.12: this one has no middleware', {
    hint: 'check which SDK it comes from: npm ls @anthropic-ai/sdk',
    details: { field: 'client' },
  })
}
