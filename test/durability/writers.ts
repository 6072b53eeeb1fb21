/**
 * Sessions that append as fast as they are answered, each over its own connection, until their server is gone.
 *
 * 1. An append counts as acknowledged when it has returned, and `WAIT` or `WAITAOF` after it if the setting has that.
 * 2. A writer does not retry: it ends at its first error.
 */
import { redisStore } from '@lastgood/redis'
import { entriesAfter, head, owner, turnStarted } from '@lastgood/core/testing'
import { Redis } from 'ioredis'
import type { Setting } from './settings.ts'

const writers = 8
/** Far longer than a replica or a disk takes if it answers at all. */
const confirmMs = 5_000

export interface Writing {
  /** Entries acknowledged so far, by session. */
  readonly acknowledged: ReadonlyMap<string, number>
  /** Resolves with the first acknowledgement. */
  readonly begun: Promise<void>
  /** Resolves when every writer has met its error. */
  readonly ended: Promise<void>
}

export async function startWriting(url: string, { confirm }: Setting, random: () => number): Promise<Writing> {
  const acknowledged = new Map<string, number>()
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const started = await Promise.all(
    Array.from({ length: writers }, async (_, i) => {
      const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
      client.on('error', () => {}) // it is killed on purpose
      const store = redisStore(client)
      const lease = await store.acquire(`session-${i}`, owner(`writer-${i}`), 600_000)
      if (lease.kind === 'busy') throw new Error(`session-${i} is busy`)
      return { client, store, lease }
    }),
  )
  const write = async ({ client, store, lease }: (typeof started)[number]): Promise<void> => {
    const { sessionId, fence } = lease
    try {
      for (let seq = 0; ;) {
        const count = 1 + Math.floor(random() * 3)
        const entries = entriesAfter(seq, count, fence, turnStarted('x'.repeat(Math.floor(random() * 4_000))))
        seq = await store.append(lease, seq, entries, head(sessionId, seq + count))
        if (confirm === 'wait' && (await client.wait(1, confirmMs)) < 1) return
        if (confirm === 'waitaof' && !(await isOnDisk(client))) return
        acknowledged.set(sessionId, seq)
        begin()
      }
    } catch {
      client.disconnect()
    }
  }
  const ended = Promise.all(started.map(write)).then(() => {})
  return { acknowledged, begun, ended }
}

/** Whether what this connection wrote is on the server's own disk. The client has no method for it. */
async function isOnDisk(client: Redis): Promise<boolean> {
  const [local] = (await client.call('WAITAOF', 1, 0, confirmMs)) as [number, number]
  return local === 1
}
