/** The error for a Redis that cannot answer for the due index or a queue; free of keys, arguments and passwords. */
import { isLastgoodError, LastgoodError, orAborted, withoutSecrets } from '@lastgood/core'
import { closingOf, refusalOf, type FleetConnection } from './connection.ts'

/** What `redis` answers. Errors: `store-unavailable`, and `session-closed` once it was closed. */
export async function asked<T>(redis: FleetConnection, answer: Promise<T>): Promise<T> {
  const closing = closingOf(redis)
  try {
    return await (closing ? orAborted(answer, closing) : answer)
  } catch (error) {
    if (closing?.aborted) throw closing.reason
    throw queueUnavailable(refusalOf(redis) ?? error)
  }
}

export function queueUnavailable(error: unknown): LastgoodError {
  if (isLastgoodError(error)) return error
  const [line = ''] = (error instanceof Error ? error.message : 'unknown').split('\n', 1)
  const text = withoutSecrets(line.replace(/,? with args beginning with.*/, '')).slice(0, 200)
  const isRefusal = error instanceof Error && error.name === 'ReplyError'
  const hint = isRefusal
    ? 'see what is wrong with that server: lastgood doctor --store redis://…'
    : 'check that the server is up and reachable from here: redis-cli ping'
  return new LastgoodError(
    'store-unavailable',
    isRefusal ? `the Redis of the fleet refuses: ${text}` : 'the Redis of the fleet cannot answer',
    {
      hint: `${hint}. The sweep picks up what was recorded`,
      cause: Object.assign(new Error(text), { name: error instanceof Error ? error.name : 'Error' }),
    },
  )
}
