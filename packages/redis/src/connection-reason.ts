/**
 * Why a client has no connection, or one to another database than it was made for: ioredis tells a command only that there
 * is none, or nothing, and the reason in an event.
 *
 * 1. It changes nothing for the owner of the client: a monitor of errors is no handler of them. Where nobody handles
 *    them, ioredis prints them and there is nothing to hear.
 * 2. A client has one monitor, however many stores it serves.
 */
import { errorMonitor } from 'node:events'
import type { RedisLike } from './client.ts'

interface Reason {
  last: unknown
  refusedSelect: unknown
}

const reasons = new WeakMap<RedisLike, Reason>()

/** The last error of the connection since it was ready. */
export function reasonOf(client: RedisLike): unknown {
  return reasons.get(client)?.last
}

/** Why the server did not choose the database: then the client goes on in database 0, which may be another's. */
export function refusedSelectOf(client: RedisLike): unknown {
  return reasons.get(client)?.refusedSelect
}

export function watchConnection(client: RedisLike): void {
  if (reasons.has(client)) return
  const reason: Reason = { last: undefined, refusedSelect: undefined }
  reasons.set(client, reason)
  client.on?.(errorMonitor, (error: unknown) => {
    reason.last = error
    const { command } = (error ?? {}) as { command?: { name?: unknown } }
    if (command?.name === 'select') reason.refusedSelect = error
  })
  // It is sent anew.
  client.on?.('connect', () => (reason.refusedSelect = undefined))
  client.on?.('ready', () => (reason.last = undefined))
}
