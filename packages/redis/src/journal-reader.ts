/**
 * Reads a journal in chunks.
 *
 * 1. A read gives the entries up to the head's sequence when it began. Entries never change, so the chunks fit
 *    together.
 * 2. Every entry is verified: its form, its sequence, a fence that does not shrink.
 * 3. A journal that ends before the head's sequence is damaged, never just shorter: a server that lost its tail must
 *    not look idle. So is a journal without a head. The entries that exist come before the error.
 */
import { type Entry, LastgoodError, parseEntry, valueStoredIn } from '@lastgood/core'
import type { Keys } from './keys.ts'
import { damaged, journalShort } from './outcome.ts'
import type { Server } from './server.ts'

/** Entries of one round trip: large lists block the server for the other clients. */
const chunkLength = 100

export async function* readJournal(
  server: Server,
  keys: Keys,
  sessionId: string,
  afterSeq: number,
): AsyncGenerator<readonly Entry[], void, undefined> {
  const key = keys.journal(sessionId)
  const place = server.place(key)
  const { last, damage } = await endOf(server, keys, sessionId)

  const chunkAt = (seq: number): Promise<Buffer[]> => {
    const chunk =
      seq < last
        ? server.ask((redis) => redis.lrangeBuffer(key, seq, Math.min(seq + chunkLength, last) - 1))
        : Promise.resolve([])
    // It may fail after the reader has stopped; a reader that awaits it still gets the error.
    chunk.catch(() => {})
    return chunk
  }

  let fence = 0
  let coming = chunkAt(afterSeq)
  for (let seq = afterSeq; seq < last;) {
    const chunk = await coming
    if (chunk.length === 0) throw await missing(server, keys, sessionId, seq)
    // Read while this one is parsed.
    coming = chunkAt(seq + chunk.length)
    const entries: Entry[] = []
    try {
      for (const stored of chunk) {
        const entryPlace = `${place}[${seq}]`
        const value = valueStoredIn(stored)
        if (value === undefined) throw damaged(entryPlace, 'not JSON')
        const entry = parseEntry(value, entryPlace)
        if (entry.seq !== ++seq) throw damaged(entryPlace, `entry ${entry.seq} stands where entry ${seq} belongs`)
        if (entry.fence < fence) throw damaged(entryPlace, `fence ${entry.fence} follows fence ${fence}`)
        fence = entry.fence
        entries.push(entry)
      }
    } catch (error) {
      // The entries before the damaged one are sound.
      yield entries
      throw error
    }
    yield entries
  }
  if (damage) throw damage
}

/** The last entry to read; `damage` if the journal should not end there. */
async function endOf(server: Server, keys: Keys, sessionId: string): Promise<{ last: number; damage?: LastgoodError }> {
  let length = 0
  // Head and length are read at two instants, so a first append may come between: only seen twice it is damage.
  for (const _look of ['first', 'second']) {
    const seq = await server.ask((redis) => redis.hget(keys.session(sessionId), 'seq'))
    if (seq !== null) return { last: Number(seq) }
    length = Number(await server.ask((redis) => redis.llen(keys.journal(sessionId))))
    if (length === 0) return { last: 0 }
  }
  return { last: length, damage: journalShort(server.place(keys.session(sessionId)), length, 0) }
}

/** Why an entry up to the head's sequence is missing. */
async function missing(server: Server, keys: Keys, sessionId: string, found: number): Promise<LastgoodError> {
  const seq = Number(await server.ask((redis) => redis.hget(keys.session(sessionId), 'seq')))
  if (seq > found) return journalShort(server.place(keys.journal(sessionId)), found, seq)
  return new LastgoodError('session-not-found', `session ${sessionId} was removed while it was being read`, {
    hint: 'lastgood list shows the sessions that exist',
    details: { sessionId },
  })
}
