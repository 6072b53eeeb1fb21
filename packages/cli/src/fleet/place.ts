/** Where a fleet is: the store of its sessions, and the Redis of its queue. */
import { LastgoodError } from '@lastgood/core'
import type { FleetClient, FleetConnection } from '@lastgood/fleet'
import type { Command } from 'commander'
import { setUp, withStoreOptions, type SetUp, type StoreOptions } from '../common-options.ts'
import { made } from '../config.ts'
import type { CliContext } from '../context.ts'
import { ConfigError } from '../failure.ts'
import { shownAddress } from '../shown-address.ts'
import type { OpenStore } from '../stores.ts'

export interface FleetPlaceOptions extends StoreOptions {
  queue?: string
  prefix: string
}

export interface FleetPlace {
  readonly place: SetUp
  readonly opened: OpenStore
  readonly connection: FleetConnection
  /** The address of the queue, without a password. */
  readonly queue: string
  close(): Promise<void>
}

export function withFleetOptions(command: Command): Command {
  return withStoreOptions(command)
    .option('--queue <url>', 'the Redis of the queue (default: that of the store)')
    .option('--prefix <text>', "what the fleet's keys begin with", 'lastgood')
}

/** `close` closes all that it opened. Errors: those of stores and of the connection. */
export async function openFleetPlace(context: CliContext, options: FleetPlaceOptions): Promise<FleetPlace> {
  const place = await setUp(context, options, true)
  const [choice] = place.choices
  const { connection, shown } = await queueOf(context, options, place)
  try {
    const opened = await choice.open()
    const close = async () => {
      await opened.close()
      connection.disconnect()
    }
    return { place, opened, connection, queue: shown, close }
  } catch (error) {
    connection.disconnect()
    throw error
  }
}

/** `--queue`; else the configuration's `queue`, if the configuration may name the store too; else the store's Redis. */
async function queueOf(
  context: CliContext,
  options: FleetPlaceOptions,
  { config, hasWordOnStore, choices: [store] }: SetUp,
): Promise<{ connection: FleetConnection; shown: string }> {
  const loaded = hasWordOnStore ? config() : undefined
  const configured = loaded?.config.queue
  const given = options.queue ?? configured ?? store.address
  const by = options.queue !== undefined ? '--queue' : configured !== undefined && `${loaded?.path}: queue`
  if (loaded && given !== undefined && typeof given !== 'string') {
    const connection = await made(given, `${loaded.path}: queue`)
    if (typeof connection?.evalsha === 'function') {
      // Without a listener ioredis prints the error; the fleet's own requests fail with the same.
      connection.on('error', () => {})
      return { connection, shown: `a client of ${loaded.path}` }
    }
    throw new ConfigError(`${loaded.path}: queue is no Redis client`, {
      hint: "write an address (queue: 'redis://127.0.0.1:6379') or a client of ioredis (queue: () => new Redis({ sentinels, name }))",
    })
  }
  if (typeof given !== 'string' || !/^rediss?:/i.test(given)) {
    if (by) throw noQueue(given === '' ? `${by} is empty; is the variable set?` : `${by} names none`)
    // A store that cannot be opened is reported as such.
    await (await store.open()).close()
    throw noQueue(`the store is ${store.shown}`)
  }
  // Loaded only here: most commands start without it.
  const { connectRedis } = await import('../redis-client.ts')
  return { connection: await connectRedis(given, context.clock, by || store.source), shown: shownAddress(given) }
}

function noQueue(why: string): LastgoodError {
  return new LastgoodError('bad-option', `a fleet needs a Redis for its queue, and ${why}`, {
    hint: 'name one: --queue redis://127.0.0.1:6379, or keep the sessions there: --store redis://127.0.0.1:6379',
    details: { field: '--queue' },
  })
}

/** Runs `use` with a client of the fleet, which is closed afterwards. */
export async function withFleetClient<T>(
  context: CliContext,
  options: FleetPlaceOptions,
  use: (client: FleetClient, at: FleetPlace) => Promise<T>,
): Promise<T> {
  const at = await openFleetPlace(context, options)
  try {
    const { fleetClient } = await import('@lastgood/fleet')
    const { connection, opened } = at
    const client = fleetClient({ store: opened.store, connection, prefix: options.prefix, clock: context.clock })
    try {
      return await use(client, at)
    } finally {
      await client.close()
    }
  } finally {
    await at.close()
  }
}
