/** Where the journals of simulations live: each gets a store of its own, in memory, in a folder, or on a Redis server. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../support/redis-server.ts'
import type { SimulationOptions } from './simulate.ts'

export const storeNames = ['memory', 'file', 'redis'] as const
export type StoreName = (typeof storeNames)[number]

export interface Place {
  options: SimulationOptions
  close(): Promise<void>
}

/** `redisUrl`: a server to use; otherwise one is started. */
export async function openPlace(name: StoreName, redisUrl?: string): Promise<Place> {
  if (name === 'memory') return { options: {}, close: async () => {} }
  let stores = 0
  if (name === 'file') {
    const dir = await mkdtemp(join(tmpdir(), 'lastgood-simulation-'))
    const newStore: SimulationOptions['newStore'] = (clock) => fileStore({ dir: join(dir, `${++stores}`), clock })
    return { options: { newStore }, close: () => rm(dir, { recursive: true, force: true }) }
  }
  const server = redisUrl === undefined ? await startRedis() : undefined
  const client = new Redis(redisUrl ?? server!.url)
  const prefix = `simulation:${process.pid}:${Date.now()}`
  return {
    // Its leases run by the server's clock, which does not wait for the world's.
    options: { newStore: () => redisStore(client, { prefix: `${prefix}:${++stores}` }), leasesExpire: false },
    async close() {
      client.disconnect()
      await server?.stop()
    },
  }
}
