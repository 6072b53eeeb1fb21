/** The error for a Redis that cannot answer for the due index or a queue; free of keys, arguments and passwords. */
import { isLastgoodError, LastgoodError, orAborted, withoutSecrets } from '@lastgood/core'
import { closingOf, reasonOf, type FleetConnection } from './connection.ts'

/** What `redis` answers. Errors: `store-unavailable`, and `session-closed` once it was closed. */
export async function asked<T>(redis: FleetConnection, answer: Promise<T>): Promise<T> {
  const closing = closingOf(redis)
  try {
    return await (closing ? orAborted(answer, closing) : answer)
  } catch (error) {
    if (closing?.aborted) throw closing.reason
    throw queueUnavailable(isRefusal(error) ? error : (reasonOf(redis) ?? error))
  }
}

export function queueUnavailable(error: unknown): LastgoodError {
  if (isLastgoodError(error)) return error
  const [line = ''] = (error instanceof Error ? error.message : 'unknown').split('\n', 1)
  const text = withoutSecrets(line.replace(noise, '')).slice(0, 200)
  const [problem, hint] = isRefusal(error) ? ['refuses', hintForRefusal(text)] : ['cannot answer', ping]
  return new LastgoodError('store-unavailable', `the Redis of the fleet ${problem}: ${text}`, {
    hint: `${hint}. The sweep picks up what was recorded`,
    cause: Object.assign(new Error(text), { name: error instanceof Error ? error.name : 'Error' }),
  })
}

const ping = 'check that the server is up and reachable from here: redis-cli ping'

function hintForRefusal(text: string): string {
  return /NOPERM|NOAUTH|WRONGPASS|can't run this command|can't access/.test(text)
    ? 'check the user, its password and its rights, which the README of @lastgood/fleet lists: redis-cli ACL GETUSER <user>'
    : 'see what is wrong with that server: lastgood doctor --store redis://…'
}

/** The arguments of a command, and the place in a script. */
const noise = /,? with args beginning with.*| script: [0-9a-f]{40}, on @user_script:\d+\.?$/

const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'
