/**
 * The server as the store sees it.
 *
 * 1. Every command goes through `ask` or `run`; they throw only `store-unavailable`, free of payloads.
 * 2. A script is called by its hash, in one round trip; its source is sent only to a server that does not have it.
 * 3. The client's own database is selected before any command; an answer that came from another database is refused.
 * 4. The client stays as it was given: nothing is defined on it, and it is neither opened nor closed.
 */
import type { RedisLike } from './client.ts'
import { commands } from './commands.ts'
import { answerOf, chooseDatabase, reasonOf, refusedSelectOf, watchConnection } from './connection-reason.ts'
import { isMissingScript, storeUnavailable } from './failure.ts'
import { locationOf } from './location.ts'

/** What a script returned: a word and its values. */
export type Reply = readonly [kind: string, ...values: unknown[]]

type Argument = string | number | Buffer

export interface Server {
  readonly location: string
  ask<T>(question: (client: RedisLike) => Promise<T>): Promise<T>
  run(name: keyof typeof commands, keys: readonly string[], args?: readonly Argument[]): Promise<Reply>
  /** The key as the server knows it, with the client's key prefix. */
  nameOf(key: string): string
  /** The same for error messages. */
  place(key: string): string
}

export function serverOf(client: RedisLike): Server {
  const location = locationOf(client)
  watchConnection(client)

  const nameOf = (key: string) => `${client.options.keyPrefix ?? ''}${key}`

  function assertDatabase(): void {
    const refused = refusedSelectOf(client)
    if (refused !== undefined) throw refused
  }

  async function ask<T>(question: (client: RedisLike) => Promise<T>): Promise<T> {
    try {
      await chooseDatabase(client)
      const answer = await answerOf(client, question(client))
      // It may have reconnected meanwhile.
      assertDatabase()
      return answer
    } catch (error) {
      throw storeUnavailable(error, location, reasonOf(client))
    }
  }

  return {
    location,
    ask,
    run(name, keys, args = []) {
      const { source, sha1 } = commands[name]
      const rest = [...keys, ...args]
      return ask(async (redis) => {
        try {
          return (await redis.evalsha(sha1, keys.length, ...rest)) as Reply
        } catch (error) {
          if (!isMissingScript(error)) throw error
          return (await redis.eval(source, keys.length, ...rest)) as Reply
        }
      })
    },
    nameOf,
    place: (key) => `redis:${nameOf(key)}`,
  }
}
