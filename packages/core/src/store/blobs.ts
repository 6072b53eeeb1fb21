/**
 * Unusually large entries: their bodies are kept beside the journal, so that its lines stay short. Otherwise every
 * reader of a session's summary would have to read one large result.
 *
 * 1. The blob is durable before the entry that names it: a reader of the entry finds the body.
 * 2. A blob is named by the hash of its content and verified when read: a missing or altered one is damage.
 * 3. Nothing above this module knows of blobs: entries go in and come out whole.
 */
import { chunksOf, inChunks } from './chunked.ts'
import { LastgoodError } from '../errors.ts'
import { type Entry, parseEntry } from '../journal/journal.ts'
import { sealIn, stillSealed } from './sealed.ts'
import { sha256 } from '../sha256.ts'
import type { Store } from './store.ts'

/** Bytes of an entry's JSON that still go into its line. */
const longestInline = 64 * 1024

export interface Blob {
  name: string
  text: string
}

/** The entry as it is stored, and the blob that has to be kept first, if any. */
export function keptApart(entry: Entry): { stored: Entry; blob?: Blob } {
  if (mostBytes(entry) <= longestInline) return { stored: entry }
  const { seq, at, fence, lane, ...body } = entry
  const { v } = entry
  const text = JSON.stringify(body)
  const bytes = Buffer.byteLength(text)
  if (bytes <= longestInline) return { stored: entry }
  const name = sha256(text)
  return {
    stored: { type: 'kept-apart', of: body.type, blob: { name, bytes }, v, seq, at, fence, lane },
    blob: { name, text },
  }
}

/** The entries read from `store`, with bodies from blobs in place. Errors: `journal-corrupt`, `journal-sealed`. */
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
  // Never treated as empty: the store was opened without the decorator that wrote the entry.
  if (entry.type === 'sealed') throw stillSealed(entry, entry.seq)
  const { blob, of: _of, type: _type, ...stamp } = entry
  const text = await store.readBlob(sessionId, blob.name)
  const place = `${store.journalAt(sessionId)} entry ${entry.seq}`
  if (text === undefined) throw damaged(place, 'is missing', sessionId)
  const seal = sealIn(text)
  if (seal) throw stillSealed(seal, entry.seq)
  if (sha256(text) !== blob.name) throw damaged(place, 'was altered', sessionId)
  // The body's own version counts; the line's is that of its `kept-apart` form. The first bodies had none.
  const body = JSON.parse(text) as { v?: unknown }
  return parseEntry({ ...body, ...stamp, v: body.v ?? 2 }, place)
}

function damaged(place: string, what: string, sessionId: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `${place}: what is kept beside the journal ${what}`, {
    hint: `restore the session from a copy to continue; lastgood show ${sessionId} --raw shows the entries themselves`,
    details: { sessionId },
  })
}

/** An upper bound of the bytes of its JSON, without making it: no UTF-16 code unit takes more than six. */
function mostBytes(value: unknown): number {
  if (typeof value === 'string') return 6 * value.length + 3
  if (typeof value !== 'object' || value === null) return 32
  let most = 2
  // Runs for every entry: loops, because `Object.entries` would be a third of its cost.
  if (Array.isArray(value)) for (const one of value) most += mostBytes(one)
  else for (const name in value) most += 6 * name.length + 4 + mostBytes(value[name as keyof typeof value])
  return most
}
