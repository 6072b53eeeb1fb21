/** Where a fleet is: the store of its sessions, and the Redis of its queue. */
import { LastgoodError } from '@lastgood/core'
import type { FleetClient, FleetConnection } from '@lastgood/fleet'
import type { Command } from 'commander'
import { setUp, withStoreOptions, type SetUp } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { shownAddress } from '../shown-address.ts'
import type { OpenStore } from '../stores.ts'

export interface FleetPlaceOptions {
  store?: string
  config?: string
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

/** What it opens it closes. Errors: those of stores and of the connection. */
export async function openFleetPlace(context: CliContext, options: FleetPlaceOptions): Promise<FleetPlace> {
  const place = await setUp(context, { ...options, color: 'auto' }, true)
  const [choice] = place.choices
  const address = options.queue ?? choice.address
  if (address === undefined || !/^rediss?:/i.test(address)) throw noQueue(choice.shown)
  // Loaded only here: most commands start without it.
  const { connectRedis } = await import('../redis-client.ts')
  const connection = await connectRedis(address, context.clock)
  try {
    const opened = await choice.open()
    const close = async () => {
      await opened.close()
      connection.disconnect()
    }
    return { place, opened, connection, queue: shownAddress(address), close }
  } catch (error) {
    connection.disconnect()
    throw error
  }
}

function noQueue(store: string): LastgoodError {
  return new LastgoodError('bad-option', `a fleet needs a Redis for its queue, and the store is ${store}`, {
    hint: 'name one: --queue redis://127.0.0.1:6379, or keep the sessions there: --store redis://127.0.0.1:6379',
    details: { field: '--queue' },
  })
}

/** What `use` does with a client of the fleet, which is closed after it. */
export async function withFleetClient<T>(
  context: CliContext,
  options: FleetPlaceOptions,
  use: (client: FleetClient) => Promise<T>,
): Promise<T> {
  const at = await openFleetPlace(context, options)
  try {
    const { fleetClient } = await import('@lastgood/fleet')
    const { connection, opened } = at
    const client = fleetClient({ store: opened.store, connection, prefix: options.prefix, clock: context.clock })
    try {
      return await use(client)
    } finally {
      await client.close()
    }
  } finally {
    await at.close()
  }
}
