/**
 * Why a client has no connection: ioredis tells a command only that there is none, and the reason in an event.
 *
 * 1. It changes nothing for the owner of the client: a monitor of errors is no handler of them. Where nobody handles
 *    them, ioredis prints them and there is nothing to hear.
 * 2. A client has one monitor, however many stores it serves.
 */
import { errorMonitor } from 'node:events'
import type { RedisLike } from './client.ts'

const reasons = new WeakMap<RedisLike, { last: unknown }>()

/** The last error of the connection since it was ready. */
export function reasonOf(client: RedisLike): unknown {
  return reasons.get(client)?.last
}

export function watchConnection(client: RedisLike): void {
  if (reasons.has(client)) return
  const reason: { last: unknown } = { last: undefined }
  reasons.set(client, reason)
  client.on?.(errorMonitor, (error: unknown) => (reason.last = error))
  client.on?.('ready', () => (reason.last = undefined))
}
