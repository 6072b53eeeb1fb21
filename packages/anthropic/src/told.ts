/**
 * Errors of lastgood on their way through the SDK, which wraps what is none of its own in one without code, hint and
 * details when it comes out of `stream()`.
 */
import { AnthropicError } from '@anthropic-ai/sdk/error'
import { isLastgoodError, readPieces, streamOf, type LastgoodError } from '@lastgood/core'

/** The same error, and one of the SDK's family. */
class ToldError extends AnthropicError {
  constructor(error: LastgoodError) {
    super(error.message)
    Object.defineProperties(this, Object.getOwnPropertyDescriptors(error))
  }
}

/** What the SDK passes on as it is. */
export const toldAs = (error: unknown): unknown => (isLastgoodError(error) ? new ToldError(error) : error)

/** The response with a body that breaks with such errors. */
export function telling(response: Response): Response {
  if (!response.body) return response
  const pieces = readPieces(response.body)
  const next = async () => {
    try {
      return await pieces.next()
    } catch (error) {
      throw toldAs(error)
    }
  }
  return new Response(streamOf({ next, cancel: (reason) => pieces.cancel(reason) }), response)
}
