/**
 * The index of sessions, for `list`. It is in another slot than the sessions, so it is a hint, and the heads decide.
 *
 * 1. A row is written after the session was acquired and before the lease is returned: no entry without a row.
 * 2. Every lease writes the row again, so a row that a server lost comes back.
 * 3. A row is removed only if its session is gone and no later lease has written the row again.
 * 4. A session that cannot be read does not hide the others: its error is thrown after all others are listed.
 */
import { listError, type LeftOut, type Lease, type SessionSummary } from '@lastgood/core'
import type { Keys } from './keys.ts'
import { type Summarized, summarized } from './outcome.ts'
import type { Server } from './server.ts'

/** Rows of one round trip. */
const chunkLength = 100

export async function enlist(server: Server, keys: Keys, { sessionId, since }: Lease): Promise<void> {
  await server.ask((redis) => redis.zadd(keys.index, since, sessionId))
}

export async function unlist(server: Server, keys: Keys, sessionId: string, since: string | number): Promise<void> {
  await server.run('unlist', [keys.index], [sessionId, since])
}

/** The summary of one session. Errors: `journal-corrupt`, `journal-version`. */
export async function summaryOf(server: Server, keys: Keys, sessionId: string): Promise<Summarized> {
  const key = keys.session(sessionId)
  return summarized(await server.run('summary', [key, keys.journal(sessionId)]), sessionId, server.place(key))
}

export async function* sessionSummaries(server: Server, keys: Keys): AsyncGenerator<SessionSummary> {
  // A scan may show a row twice; it never leaves out one that was there throughout.
  const seen = new Set<string>()
  const leftOut: LeftOut[] = []
  let cursor = '0'
  do {
    const [next, elements] = await server.ask((redis) => redis.zscan(keys.index, cursor, 'COUNT', chunkLength))
    cursor = next
    const rows = rowsOf(elements).filter(({ sessionId }) => !seen.has(sessionId) && seen.add(sessionId))
    for (let from = 0; from < rows.length; from += chunkLength) {
      const chunk = rows.slice(from, from + chunkLength)
      // Sent together: one round trip for all of them, in a Cluster one per node.
      const found = await Promise.allSettled(
        chunk.map(async ({ sessionId, since }) => {
          const summary = await summaryOf(server, keys, sessionId)
          if (summary === 'gone') await unlist(server, keys, sessionId, since)
          return summary
        }),
      )
      for (const [i, one] of found.entries()) {
        if (one.status === 'rejected') leftOut.push({ sessionId: chunk[i]?.sessionId ?? '', error: one.reason })
        else if (typeof one.value === 'object') yield one.value
      }
    }
  } while (cursor !== '0')
  if (leftOut.length > 0) throw listError(leftOut)
}

function rowsOf(elements: readonly string[]): { sessionId: string; since: string }[] {
  const rows = []
  for (let i = 0; i + 1 < elements.length; i += 2) {
    rows.push({ sessionId: String(elements[i]), since: String(elements[i + 1]) })
  }
  return rows
}
