/** Where the journals of a campaign live: a folder, or a Redis server of its own that loses nothing it acknowledged. */
import { rmSync } from 'node:fs'
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
  /** Kills the server with SIGKILL and starts it again; undefined if there is none. */
  killServer: (() => void) | undefined
  /** Resolves when a server that was killed is there again. */
  whole(): Promise<void>
  close(): Promise<void>
}

export async function openPlace(name: StoreName): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'lastgood-crash-'))
  const clear = () => rm(dir, { recursive: true, force: true })
  // An interrupted campaign leaves nothing behind either.
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  if (name === 'file') {
    const state = join(dir, 'state')
    const store = fileStore({ dir: state })
    return { store, argument: { dir: state }, dir, killServer: undefined, whole: async () => {}, close: clear }
  }
  const server = await startRedis({ appendfsync: 'always' })
  const client = new Redis(server.url)
  client.on('error', () => {}) // it is killed now and then
  let restarts: Promise<void> = Promise.resolve()
  const prefix = 'crash'
  return {
    store: redisStore(client, { prefix }),
    argument: { redis: server.url, prefix },
    dir,
    killServer() {
      restarts = restarts.then(() => server.kill()).then(() => server.restart())
      // The error reaches the caller of `whole`.
      restarts.catch(() => {})
    },
    whole: () => restarts,
    async close() {
      client.disconnect()
      await restarts.catch(() => {})
      await server.stop()
      await clear()
    },
  }
}
