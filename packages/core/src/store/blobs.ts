/**
 * Entries of unusual size: their bodies are kept beside the journal, so that its lines stay short. One large result
 * would otherwise be read by everybody who only wants to know how the session stands.
 *
 * 1. The blob is durable before the entry that names it: whoever sees the entry finds the body.
 * 2. A blob is named by what it is, and verified when it is read: one that is missing or altered is damage.
 * 3. Above this file nobody knows of blobs: entries go in and come out whole.
 */
import { createHash } from 'node:crypto'
import { chunksOf, inChunks } from './chunked.ts'
import { LastgoodError } from '../errors.ts'
import { type Entry, parseEntry } from '../journal/journal.ts'
import { sealIn, stillSealed } from './sealed.ts'
import type { Store } from './store.ts'

/** Bytes of an entry's JSON that still go into its line. The end of a file that a summary reads first is as long. */
const longestInline = 64 * 1024

export interface Blob {
  name: string
  text: string
}

/** The entry as it is stored, and what has to be kept before it. */
export function keptApart(entry: Entry): { stored: Entry; blob?: Blob } {
  if (mostBytes(entry) <= longestInline) return { stored: entry }
  const { seq, at, fence, lane, ...body } = entry
  const { v } = entry
  const text = JSON.stringify(body)
  const bytes = Buffer.byteLength(text)
  if (bytes <= longestInline) return { stored: entry }
  const name = nameOf(text)
  return {
    stored: { type: 'kept-apart', of: body.type, blob: { name, bytes }, v, seq, at, fence, lane },
    blob: { name, text },
  }
}

/** The entries that were read from `store`, with the bodies that are kept apart in place. Errors: `journal-corrupt`, `journal-sealed`. */
export function withBlobs(store: Store, sessionId: string, entries: AsyncIterable<Entry>): AsyncIterable<Entry> {
  return inChunks(async function* () {
    for await (const some of chunksOf(entries)) {
      if (some.every(isWhole)) yield some
      else for (const entry of some) yield [isWhole(entry) ? entry : await whole(store, sessionId, entry)]
    }
  })
}

const isWhole = (entry: Entry): entry is Exclude<Entry, InParts> =>
  entry.type !== 'kept-apart' && entry.type !== 'sealed'

type InParts = Entry & { type: 'kept-apart' | 'sealed' }

async function whole(store: Store, sessionId: string, entry: InParts): Promise<Entry> {
  // Never taken for nothing: the store was opened without what its entries were written with.
  if (entry.type === 'sealed') throw stillSealed(entry, entry.seq)
  const { blob, of: _of, type: _type, ...stamp } = entry
  const text = await store.readBlob(sessionId, blob.name)
  const place = `${store.journalAt(sessionId)} entry ${entry.seq}`
  if (text === undefined) throw damaged(place, 'is missing', sessionId)
  const seal = sealIn(text)
  if (seal) throw stillSealed(seal, entry.seq)
  if (nameOf(text) !== blob.name) throw damaged(place, 'was altered', sessionId)
  // The version of the body: that of its line says how it was named. The first ones did not say it.
  const body = JSON.parse(text) as { v?: unknown }
  return parseEntry({ ...body, ...stamp, v: body.v ?? 2 }, place)
}

function damaged(place: string, what: string, sessionId: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `${place}: what is kept beside the journal ${what}`, {
    hint: `restore the session from a copy to go on; lastgood show ${sessionId} --raw shows the entries themselves`,
    details: { sessionId },
  })
}

function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** At least as many bytes as its JSON has, without making it: no code unit takes more than six. */
function mostBytes(value: unknown): number {
  if (typeof value === 'string') return 6 * value.length + 3
  if (typeof value !== 'object' || value === null) return 32
  let most = 2
  // Asked of every entry: loops, because lists of pairs would be a third of its cost.
  if (Array.isArray(value)) for (const one of value) most += mostBytes(one)
  else for (const name in value) most += 6 * name.length + 4 + mostBytes(value[name as keyof typeof value])
  return most
}
