/**
 * Errors of lastgood on their way through the SDK, which wraps what is none of its own in one without code, hint and
 * details when it comes out of `stream()`, and gives one of its own for what speaks of a timeout: it reads the texts of an
 * error and of its cause, and those may quote an API or a network that timed out.
 */
import { AnthropicError } from '@anthropic-ai/sdk/error'
import { isLastgoodError, readPieces, streamOf } from '@lastgood/core'
import type { RecoverableClient } from './client.ts'

type Family = typeof AnthropicError

/** The family of the client's own errors: the copy of the SDK that `require` gives has another than the one of `import`. */
export function familyOf(client: RecoverableClient | undefined): Family {
  const { AnthropicError: own } = (client?.constructor ?? {}) as { AnthropicError?: Family }
  return typeof own === 'function' ? own : AnthropicError
}

/** What the SDK passes on as it is: the same error, and one of its family. */
export function toldAs(error: unknown, Family: Family): unknown {
  if (!isLastgoodError(error)) return error
  const told = reworded(new Family(error.message), error)
  if (!timeout.test(String(error.cause))) return told
  const cause = error.cause instanceof Error ? error.cause : new Error(String(error.cause))
  const copy: Error = Object.setPrototypeOf(new Error(cause.message), Object.getPrototypeOf(cause) as Error)
  return Object.defineProperty(told, 'cause', { value: reworded(copy, cause) })
}

/** What the SDK looks for. */
const timeout = /(timed?) ?(out)/i

/** All of `error` in `copy`, whose text has "time-out" where the SDK would see one; its message is the same. */
function reworded(copy: Error, error: Error): Error {
  const text = String(error).replaceAll(new RegExp(timeout, 'gi'), '$1-$2')
  return Object.defineProperties(copy, {
    ...Object.getOwnPropertyDescriptors(error),
    // From Node 22 on its descriptor is a getter, which tells the stack of whatever error it is asked of.
    stack: { value: error.stack, writable: true, configurable: true },
    toString: { value: () => text },
  })
}

/** The response with a body that breaks with such errors. */
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
