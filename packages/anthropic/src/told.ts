/**
 * Brings lastgood's errors through the SDK whole. The SDK wraps an error from `stream()` that is not its own in one
 * without code, hint and details. It replaces an error that mentions a timeout with one of its own: it reads the text
 * of the error and of its cause, which may quote an API or a network that timed out.
 */
import { AnthropicError } from '@anthropic-ai/sdk/error'
import { isLastgoodError, readPieces, streamOf } from '@lastgood/core'
import type { RecoverableClient } from './client.ts'

type Family = typeof AnthropicError

/** The base class of the client's errors: the SDK's copy from `require` has another one than its copy from `import`. */
export function familyOf(client: RecoverableClient | undefined): Family {
  const { AnthropicError: own } = (client?.constructor ?? {}) as { AnthropicError?: Family }
  return typeof own === 'function' ? own : AnthropicError
}

/** The same error in a form that the SDK passes on as it is: of its family, with a text that mentions no timeout. */
export function toldAs(error: unknown, Family: Family): unknown {
  if (!isLastgoodError(error)) return error
  const told = reworded(new Family(error.message), error)
  if (!timeout.test(String(error.cause))) return told
  const cause = error.cause instanceof Error ? error.cause : new Error(String(error.cause))
  const copy: Error = Object.setPrototypeOf(new Error(cause.message), Object.getPrototypeOf(cause) as Error)
  return Object.defineProperty(told, 'cause', { value: reworded(copy, cause) })
}

/** What the SDK looks for in the text of an error. */
const timeout = /(timed?) ?(out)/i

/** `copy` with all of `error`; its text says "time-out" where the SDK would see a timeout, its message is the same. */
function reworded(copy: Error, error: Error): Error {
  const text = String(error).replaceAll(new RegExp(timeout, 'gi'), '$1-$2')
  return Object.defineProperties(copy, {
    ...Object.getOwnPropertyDescriptors(error),
    // From Node 22 on the descriptor is a getter, which returns the stack of the error that it is called on.
    stack: { value: error.stack, writable: true, configurable: true },
    toString: { value: () => text },
  })
}

/** The response, with a body that breaks with such errors. */
export function telling(response: Response, family: Family): Response {
  if (!response.body) return response
  const pieces = readPieces(response.body)
  const next = async () => {
    try {
      return await pieces.next()
    } catch (error) {
      throw toldAs(error, family)
    }
  }
  return new Response(streamOf({ next, cancel: (reason) => pieces.cancel(reason) }), response)
}
