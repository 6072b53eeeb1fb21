/**
 * Clients and middleware of the Anthropic SDK, as far as they are needed here. By shape: the SDK's classes have private
 * parts, so the one that `import` gives and the one that `require` gives do not fit each other for the compiler, and
 * those for Bedrock and Vertex have less than the one for the API.
 */
import { LastgoodError, type WireRequest } from '@lastgood/core'

/** What `recoverable` needs: the SDK's `Anthropic`, and those for Bedrock and Vertex. */
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

/** The part of the SDK's that is used. */
export interface MiddlewareContext {
  readonly options?: { readonly timeout?: number | undefined } | undefined
  readonly logger: { warn(message: string): void }
}

/** Errors: `bad-option` for what has no middleware, such as a client of an older SDK: a rung would be found bad only in an outage. */
export function assertClient(client: unknown): void {
  const { withOptions, middleware } = (client ?? {}) as { [Name in keyof RecoverableClient]?: unknown }
  if (typeof withOptions === 'function' && Array.isArray(middleware)) return
  throw new LastgoodError(
    'bad-option',
    'client must be one of @anthropic-ai/sdk ^1.12: what was given has no middleware',
    {
      hint: 'look which SDK it is of: npm ls @anthropic-ai/sdk',
      details: { field: 'client' },
    },
  )
}
