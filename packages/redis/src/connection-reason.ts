/**
 * Why a client has no connection, or one to another database than it was made for. The command's own error does not
 * say: ioredis gives the reason only in an event.
 *
 * 1. Nothing changes for the owner of the client: an error monitor does not count as an error handler. Without a
 *    handler, ioredis prints errors instead of emitting them, and no reason is known.
 * 2. A client has one monitor, however many stores it serves.
 * 3. A command waits no longer for a Cluster than for a single server: as many tries to connect.
 */
import { errorMonitor } from 'node:events'
import type { RedisLike } from './client.ts'

interface Reason {
  last: unknown
  refusedSelect: unknown
  /** Whether the server has chosen the database since the client connected. */
  hasChosen: boolean
  /** Tries to connect since the client was ready, and who waits for one to succeed. */
  failed: number
  readonly waiting: Set<() => void>
}

/** After which a client of a single server fails its commands: the default of ioredis' `maxRetriesPerRequest`. */
const mostTries = 20

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

/**
 * What a client answers. A Cluster of which no node can be reached keeps its commands until it is connected, by default
 * for ever: an error instead. The command may still be done then, as after any time-out.
 */
export async function answerOf<T>(client: RedisLike, asked: Promise<T>): Promise<T> {
  const reason = reasons.get(client)
  if (client.nodes === undefined || !reason) return asked
  let giveUp = (): void => {}
  const unreachable = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Error('The cluster is unreachable'))
    reason.waiting.add(giveUp)
    if (reason.failed >= mostTries) giveUp()
  })
  asked.catch(() => {})
  try {
    return await Promise.race([asked, unreachable])
  } finally {
    reason.waiting.delete(giveUp)
  }
}

export function watchConnection(client: RedisLike): void {
  if (reasons.has(client)) return
  const reason: Reason = { last: undefined, refusedSelect: undefined, hasChosen: false, failed: 0, waiting: new Set() }
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
  client.on?.('ready', () => Object.assign(reason, { last: undefined, failed: 0 }))
  client.on?.('reconnecting', () => {
    reason.failed += 1
    if (reason.failed >= mostTries) for (const giveUp of reason.waiting) giveUp()
  })
}
