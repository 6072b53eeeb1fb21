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
  /** Whether the server has chosen the database since the client connected. */
  hasChosen: boolean
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
 * Chooses the client's database once more, once for each connection: ioredis goes on in database 0 where the server
 * refused it, and says so only to who listened then. Errors: the server's refusal.
 */
export async function chooseDatabase(client: RedisLike): Promise<void> {
  const reason = reasons.get(client)
  // Its owner may have chosen another one since.
  const db = client.condition?.select ?? client.options.db
  if (!db || !reason || reason.hasChosen) return
  await client.select(db)
  reason.hasChosen = true
  reason.refusedSelect = undefined
}

export function watchConnection(client: RedisLike): void {
  if (reasons.has(client)) return
  const reason: Reason = { last: undefined, refusedSelect: undefined, hasChosen: false }
  reasons.set(client, reason)
  client.on?.(errorMonitor, (error: unknown) => {
    reason.last = error
    const { command } = (error ?? {}) as { command?: { name?: unknown } }
    if (command?.name === 'select') reason.refusedSelect = error
  })
  client.on?.('connect', () => {
    // It is sent anew.
    reason.refusedSelect = undefined
    reason.hasChosen = false
  })
  client.on?.('ready', () => (reason.last = undefined))
}
