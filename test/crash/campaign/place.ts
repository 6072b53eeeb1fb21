/** Where the journals of a campaign live: a folder, or a Redis server of its own that loses nothing it acknowledged. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.ts'

export const storeNames = ['file', 'redis'] as const
export type StoreName = (typeof storeNames)[number]

export interface Place {
  store: Store
  /** How a process finds the same store. */
  argument: Readonly<Record<string, string>>
  /** For files of the campaign. */
  dir: string
  close(): Promise<void>
}

export async function openPlace(name: StoreName): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'lastgood-crash-'))
  const clear = () => rm(dir, { recursive: true, force: true })
  if (name === 'file') {
    const state = join(dir, 'state')
    return { store: fileStore({ dir: state }), argument: { dir: state }, dir, close: clear }
  }
  const server = await startRedis({ appendfsync: 'always' })
  const client = new Redis(server.url)
  const prefix = 'crash'
  return {
    store: redisStore(client, { prefix }),
    argument: { redis: server.url, prefix },
    dir,
    async close() {
      client.disconnect()
      await server.stop()
      await clear()
    },
  }
}
