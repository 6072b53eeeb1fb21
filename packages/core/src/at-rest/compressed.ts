/**
 * A store whose large entries and blobs are compressed.
 *
 * 1. Whatever does not get smaller stays uncompressed, and uncompressed data is read as it is. So compression can be
 *    switched on for a store that has sessions.
 * 2. The same entry gives the same bytes, so that a repeated append is recognised.
 * 3. Sealed entries and encrypted blobs are left alone, so encryption goes inside: `compressed(encrypted(store))`.
 * 4. No entry grows past a bound when it is opened, whoever wrote it.
 */
import { fromBase64 } from '../base64.ts'
import { LastgoodError } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'
import { journalSealed, sealIn } from '../store/sealed.ts'
import type { Store } from '../store/store.ts'
import { storeOver } from '../store/store-over.ts'
import { type Compression, type Compressor, compressors, largestBytes } from './compressors.ts'
import { opened } from './opened.ts'
import { packEntry, packText, sealedEntry, sealedText, unpackEntry, unpackText, unreadable } from './pack.ts'

export interface CompressionOptions {
  /**
   * `deflate`, the default, which every Node can read; or `zstd`, faster and smaller, which needs Node 22.15, 23.8 or
   * newer in every process that reads the store.
   */
  codec?: 'deflate' | 'zstd'
  /** Entries and blobs below this many bytes of JSON are not compressed. Default: 512. */
  minBytes?: number
}

/** `store` with large entries and blobs compressed. Throws `bad-option`, also for zstd if this Node lacks it. */
export function compressed(store: Store, options: CompressionOptions = {}): Store {
  const { codec, minBytes } = resolveOptions(options)
  const { compress } = usable(codec)

  async function smaller(bytes: Buffer): Promise<Buffer | undefined> {
    if (bytes.length < minBytes || bytes.length > largestBytes) return undefined
    return compress(bytes)
  }

  async function written(entry: Entry): Promise<Entry> {
    if (entry.type === 'sealed') return entry
    const bytes = packEntry(entry)
    const data = await smaller(bytes)
    const sealed = data && sealedEntry(entry, { codec, data })
    return sealed?.type === 'sealed' && sealed.data.length + overhead < bytes.length ? sealed : entry
  }

  function read(entry: Entry, journal: string): Entry | Promise<Entry> {
    if (entry.type !== 'sealed' || entry.codec === 'aes-256-gcm') return entry
    const place = `${journal} entry ${entry.seq}`
    return expanded(entry.codec, entry.data, place).then((bytes) => unpackEntry(bytes, entry, place))
  }

  return storeOver(store, {
    async append(lease, afterSeq, entries, head) {
      return store.append(lease, afterSeq, await Promise.all(entries.map(written)), head)
    },

    read(sessionId, afterSeq) {
      const journal = store.journalAt(sessionId)
      return opened(store.read(sessionId, afterSeq), (entry) => read(entry, journal))
    },

    async putBlob(lease, name, text) {
      const found = sealIn(text)
      if (found?.codec === 'aes-256-gcm') return store.putBlob(lease, name, text)
      const bytes = packText(text)
      // Text that looks sealed is sealed once more, or reading would unpack it.
      const data = found ? await compress(bytes) : await smaller(bytes)
      const sealed = data && sealedText({ codec, data })
      return store.putBlob(lease, name, sealed && (found || sealed.length < bytes.length) ? sealed : text)
    },

    async readBlob(sessionId, name) {
      const text = await store.readBlob(sessionId, name)
      const seal = text === undefined ? undefined : sealIn(text)
      if (!seal || seal.codec === 'aes-256-gcm') return text
      const place = `${store.journalAt(sessionId)} blob ${name}`
      return unpackText(await expanded(seal.codec, seal.base64, place), place)
    },
  })
}

/** Bytes of a `sealed` entry besides its data. */
const overhead = '{"type":"sealed","codec":"deflate-1","data":""}'.length

interface Resolved {
  codec: Compression
  minBytes: number
}

function resolveOptions({ codec = 'deflate', minBytes = 512 }: CompressionOptions): Resolved {
  if (codec !== 'deflate' && codec !== 'zstd')
    throw badOption('codec', `'deflate' or 'zstd'`, 'set codec to one of these')
  if (!Number.isFinite(minBytes) || minBytes < 0)
    throw badOption('minBytes', 'a number of at least 0', 'leave it out for 512')
  return { codec: codec === 'deflate' ? 'deflate-1' : codec, minBytes }
}

function badOption(field: string, range: string, hint: string): LastgoodError {
  return new LastgoodError('bad-option', `Compression option ${field} must be ${range}`, { hint, details: { field } })
}

function usable(codec: Compression): Compressor {
  const compressor = compressors[codec]
  if (compressor) return compressor
  throw new LastgoodError('bad-option', 'this Node has no zstd', {
    hint: "use codec: 'deflate', or Node 22.15, 23.8 or newer",
    details: { field: 'codec' },
  })
}

async function expanded(codec: Compression, base64: string, place: string): Promise<Buffer> {
  const compressor = compressors[codec]
  if (!compressor) {
    throw journalSealed(`${place} is compressed with zstd, which this Node does not have`, needsNode, { codec })
  }
  const data = fromBase64(base64)
  const bytes = data && (await compressor.expand(data).catch(() => undefined))
  if (!bytes) throw unreadable(place, 'its compressed data is damaged')
  return bytes
}

const needsNode = 'read it with Node 22.15, 23.8 or newer'
