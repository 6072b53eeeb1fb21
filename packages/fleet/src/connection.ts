/**
 * The connections of a fleet, made from the caller's client.
 *
 * 1. The caller's own client is neither changed, opened nor closed, and only asked for the rate limit. BullMQ defines
 *    commands on the client that it is given. So the fleet uses copies, and closes these.
 * 2. Where the server refuses their database, ioredis would go on in database 0, which may be another fleet's: a copy
 *    connects again until it is in its own.
 * 3. A worker's copy has no limit of time or retries: it waits for a Redis that is away, and blocks for its next job.
 * 4. A copy takes commands before it is connected, also where the caller's client does not, and connects again when its
 *    server has been silent for too long: of a host that is gone, TCP would tell after a quarter of an hour.
 */
import { setMaxListeners } from 'node:events'
import { LastgoodError } from '@lastgood/core'
import type { Cluster, Redis } from 'ioredis'

/** A client of ioredis. */
export type FleetConnection = Redis | Cluster

/** JavaScript callers may pass anything. Throws `bad-option`. */
export function assertConnection(connection: unknown): asserts connection is FleetConnection {
  const isClient = typeof connection === 'object' && connection !== null && 'evalsha' in connection
  if (!isClient || !('duplicate' in connection)) {
    throw new LastgoodError('bad-option', 'connection is not a Redis client', {
      hint: "pass an ioredis client: connection: new Redis('redis://127.0.0.1:6379')",
      details: { field: 'connection' },
    })
  }
  type Options = { keyPrefix?: string; stringNumbers?: boolean; redisOptions?: { stringNumbers?: boolean } }
  const { keyPrefix, stringNumbers, redisOptions } = (connection as unknown as FleetConnection).options as Options
  if (stringNumbers || redisOptions?.stringNumbers) {
    throw new LastgoodError('bad-option', 'connection returns numbers as strings, which BullMQ misreads', {
      hint: 'give the fleet a client without stringNumbers',
      details: { field: 'connection' },
    })
  }
  if (!keyPrefix) return
  throw new LastgoodError('bad-option', 'connection puts a prefix before its keys, which BullMQ does not support', {
    hint: 'give the fleet a client without keyPrefix, and set the option prefix',
    details: { field: 'connection' },
  })
}

/** For commands that do not block: with the limits of the caller's client. */
export function copyOf(connection: FleetConnection): FleetConnection {
  return duplicateOf(connection, {})
}

/** For commands that block, and that wait for a server that is away. */
export function patientCopyOf(connection: FleetConnection): FleetConnection {
  return duplicateOf(connection, { maxRetriesPerRequest: null, commandTimeout: undefined })
}

const enableOfflineQueue = true
/** BullMQ blocks for ten seconds at most. */
const socketTimeout = 15_000
/** A sentinel that hangs keeps a copy from asking the next one for as long. */
const sentinelMs = 2_000

function duplicateOf(connection: FleetConnection, limits: object): FleetConnection {
  if (!isCluster(connection)) {
    const { sentinelCommandTimeout = sentinelMs } = connection.options
    return heard(connection.duplicate({ ...limits, socketTimeout, sentinelCommandTimeout, enableOfflineQueue }))
  }
  const redisOptions = { ...connection.options.redisOptions, ...limits, socketTimeout }
  // The types of the two differ only in options that may be undefined.
  return heard(connection.duplicate(undefined, { redisOptions, enableOfflineQueue } as never))
}

const isCluster = (connection: FleetConnection): connection is Cluster => connection.isCluster

/** Without a listener ioredis prints the error; the commands fail with the same one. */
function heard<Client extends FleetConnection>(client: Client): Client {
  client.on('error', (error: unknown) => {
    const { command, lastNodeError } = (error ?? {}) as { command?: { name?: unknown }; lastNodeError?: unknown }
    // A Cluster itself says only that none of its nodes answers.
    reasons.set(client, lastNodeError ?? error)
    if (command?.name !== 'select') return
    // Before it is ready, and to connect again.
    client.disconnect(true)
  })
  client.on('ready', () => reasons.delete(client))
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  closings.set(client, closing)
  return client
}

const closings = new WeakMap<FleetConnection, AbortController>()

/** Aborts when a copy is closed; undefined for a client that is no copy. */
export const closingOf = (copy: FleetConnection): AbortSignal | undefined => closings.get(copy)?.signal

/** ioredis alone would leave commands without an answer, then and later, if the copy is looking for its server. */
export function closeCopy(copy: FleetConnection): void {
  copy.disconnect()
  const closed = new LastgoodError('session-closed', 'the fleet of this process was closed', {
    hint: 'make another one: fleetClient(…) or runFleet(…)',
  })
  closings.get(copy)?.abort(closed)
}

const reasons = new WeakMap<FleetConnection, unknown>()

/** Why a copy has no connection: its commands say only that there is none, or that their time was over. */
export const reasonOf = (copy: FleetConnection): unknown => reasons.get(copy)
