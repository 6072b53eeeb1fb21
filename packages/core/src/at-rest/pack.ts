/**
 * Packs entries and blobs into bytes to seal, and unpacks them again. Pure.
 *
 *     0  text                     the JSON of an entry without its place, or the text of a blob
 *     1  text  newline  bytes     the same, already sealed by an outer decorator: its data as bytes, not as base64
 *
 * 1. The same entry gives the same bytes: repeated appends are recognised by comparing them.
 * 2. The entry's version goes inside the seal, and the entry is upgraded when it is opened. The version outside is that
 *    of the `sealed` entry itself.
 * 3. Base64 is accepted only in the one form in which it is written.
 */
import { fromBase64 } from '../base64.ts'
import { LastgoodError } from '../errors.ts'
import { type Entry, parseEntry } from '../journal/journal.ts'
import { parsedJson } from '../json.ts'
import { type Codec, sealIn } from '../store/sealed.ts'

/** Bytes as sealed by a decorator. */
export interface Seal {
  codec: Codec
  key?: string | undefined
  data: Buffer
}

const newline = 0x0a

function pack(text: string, bytes?: Buffer): Buffer {
  if (!bytes) return Buffer.concat([Buffer.of(0), Buffer.from(text)])
  return Buffer.concat([Buffer.of(1), Buffer.from(text), Buffer.of(newline), bytes])
}

/** Undefined for bytes that `pack` does not make. */
function unpack(bytes: Buffer): { text: string; base64?: string } | undefined {
  if (bytes[0] === 0) return { text: bytes.toString('utf8', 1) }
  const end = bytes.indexOf(newline)
  if (bytes[0] !== 1 || end < 0) return undefined
  return { text: bytes.toString('utf8', 1, end), base64: bytes.toString('base64', end + 1) }
}

// -- Entries ----------------------------------------------------------------------------------------------------------

export function packEntry(entry: Entry): Buffer {
  const { seq: _, at: __, fence: ___, lane: ____, ...rest } = entry
  const bytes = rest.type === 'sealed' ? fromBase64(rest.data) : undefined
  return bytes ? pack(JSON.stringify({ ...rest, data: undefined }), bytes) : pack(JSON.stringify(rest))
}

/** `entry` with its place in the clear and everything else in `seal`. */
export function sealedEntry({ v, seq, at, fence, lane }: Entry, { codec, key, data }: Seal): Entry {
  // `data` comes last, as in `unpackEntry`, which puts back what an inner decorator kept as bytes.
  const body = { type: 'sealed', codec, ...(key !== undefined && { key }) } as const
  return { ...body, v, seq, at, fence, lane, data: data.toString('base64') }
}

/** The entry that was packed into `bytes`, with the place of its outer entry. Throws `journal-corrupt` if none was. */
export function unpackEntry(bytes: Buffer, { seq, at, fence, lane }: Entry, place: string): Entry {
  const packed = unpack(bytes)
  const inner = packed && parsedJson(packed.text)
  if (!packed || typeof inner !== 'object' || inner === null)
    throw unreadable(place, 'its sealed content is not an entry')
  const data = packed.base64 === undefined ? {} : { data: packed.base64 }
  return parseEntry({ ...inner, ...data, seq, at, fence, lane }, place)
}

// -- Blobs ------------------------------------------------------------------------------------------------------------

export function packText(text: string): Buffer {
  const { base64 } = sealIn(text) ?? {}
  const bytes = base64 === undefined ? undefined : fromBase64(base64)
  return base64 !== undefined && bytes ? pack(text.slice(0, text.length - base64.length), bytes) : pack(text)
}

export function unpackText(bytes: Buffer, place: string): string {
  const packed = unpack(bytes)
  if (!packed) throw unreadable(place, 'its sealed content is not text')
  return packed.text + (packed.base64 ?? '')
}

export function sealedText({ codec, key = '', data }: Seal): string {
  return `sealed/1:${codec}:${key}:${data.toString('base64')}`
}

// -- Damage -----------------------------------------------------------------------------------------------------------

/** A place and a reason, never content. */
export function unreadable(place: string, why: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `${place} cannot be opened: ${why}`, {
    hint: 'lastgood show <sessionId> shows the part before it; restore the session from a copy to continue',
    details: { place },
  })
}
