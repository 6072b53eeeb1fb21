/**
 * Why a client has no connection, or one to another database than it was made for. The command's own error does not
 * say: ioredis gives the reason only in an event.
 *
 * 1. Nothing changes for the owner of the client: an error monitor does not count as an error handler. Without a
 *    handler, ioredis prints errors instead of emitting them, and no reason is known.
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

/** The last connection error since the client was ready. */
export function reasonOf(client: RedisLike): unknown {
  return reasons.get(client)?.last
}

/** Why the server refused SELECT: then the client goes on in database 0, which may be somebody else's. */
export function refusedSelectOf(client: RedisLike): unknown {
  return reasons.get(client)?.refusedSelect
}

/**
 * Selects the client's database again, once for each connection: if the server refused it, ioredis goes on in database
 * 0, and tells only those who listen at that moment. Errors: the server's refusal.
 */
export async function chooseDatabase(client: RedisLike): Promise<void> {
  const reason = reasons.get(client)
  // Its owner may have selected another one since.
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
    const { command, lastNodeError } = (error ?? {}) as { command?: { name?: unknown }; lastNodeError?: unknown }
    // A Cluster itself says only that none of its nodes answers.
    reason.last = lastNodeError ?? error
    if (command?.name === 'select') reason.refusedSelect = error
  })
  client.on?.('connect', () => {
    // ioredis sends SELECT again on each connection.
    reason.refusedSelect = undefined
    reason.hasChosen = false
  })
  client.on?.('ready', () => (reason.last = undefined))
}
