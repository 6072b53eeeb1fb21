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
  /** Whether the server has answered since the client connected. */
  hasAnswered: boolean
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

/**
 * Returns when it is known whether the server chose the database. It says so when the client connects, which may be in the
 * middle of the first command: that one touches no key.
 */
export async function databaseTold(client: RedisLike): Promise<void> {
  const reason = reasons.get(client)
  if (!client.options.db || !reason || reason.hasAnswered) return
  await client.eval('return 1', 0)
  reason.hasAnswered = true
}

export function watchConnection(client: RedisLike): void {
  if (reasons.has(client)) return
  const reason: Reason = { last: undefined, refusedSelect: undefined, hasAnswered: false }
  reasons.set(client, reason)
  client.on?.(errorMonitor, (error: unknown) => {
    reason.last = error
    const { command } = (error ?? {}) as { command?: { name?: unknown } }
    if (command?.name === 'select') reason.refusedSelect = error
  })
  client.on?.('connect', () => {
    // It is sent anew.
    reason.refusedSelect = undefined
    reason.hasAnswered = false
  })
  client.on?.('ready', () => (reason.last = undefined))
}
