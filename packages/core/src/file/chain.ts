/**
 * The lines of a journal file, and which of them count. Pure: bytes in, verdicts out.
 *
 *     {"hash":"…","size":512,"v":1,"prev":"…","fence":3,"seq":12,"entries":[…],"head":{…}}     one append
 *     {"hash":"…","size":190,"v":1,"prev":"…","fence":4,"seq":12,"lease":{…}}                 one acquired lease
 *
 * `hash` is the SHA-256 of the `size` bytes after `size`, `prev` the hash of the last line that counted when this one
 * was written, `seq` the last entry once it counts. Files are only ever appended to, so all readers agree:
 *
 * 1. A line counts when its hash is right, `prev` is the last counted line, and it continues from there: the next
 *    entries under the same fence, or a lease with a higher fence. This is the compare in compare-and-append, and it
 *    is what refuses a stale writer: no clock and no lock takes part.
 * 2. A line whose `prev` is an older counted line lost a race. It is ignored: its writer knows that it lost.
 * 3. A line that was not written to its end (a crash, a full disk) is torn. It is ignored: it was never acknowledged.
 *    A torn line is shorter than its `size` and is not JSON, or has a run of NUL where pages never reached the disk.
 * 4. Anything else means that a counted line was altered or is missing: corruption, never skipped. No single flipped
 *    bit, wherever it is, looks like 2 or 3.
 */
import { z } from 'zod'
import { ownerSchema } from '../journal/journal.ts'
import { isRecord, parsedJson } from '../json.ts'
import { hasJust, isNumber, isOneOf, isOwner, isWholeFrom, type Check, type Fields } from '../journal/surely.ts'
import { lazily } from '../lazily.ts'
import { isSha256, sha256, sha256Schema } from '../sha256.ts'

/** The version of the lines, not of the entries in them. */
export const lineVersion = 1

const commonSchema = lazily(() => ({
  hash: sha256Schema(),
  size: z.number(),
  v: z.literal(lineVersion),
  prev: sha256Schema(),
  fence: z.number().int().min(1),
  seq: z.number().int().min(0),
}))
export const lineSchema = lazily(() =>
  z.union([
    z.strictObject({
      ...commonSchema(),
      entries: z.array(z.looseObject({ seq: z.number(), fence: z.number() })).min(1),
      head: z.looseObject({}),
    }),
    z.strictObject({
      ...commonSchema(),
      lease: z.strictObject({ owner: ownerSchema(), since: z.number(), expiresAt: z.number() }),
    }),
  ]),
)
export type Line = z.infer<ReturnType<typeof lineSchema>>
export type EntriesLine = Extract<Line, { entries: unknown }>
export type LeaseLine = Extract<Line, { lease: unknown }>

/** The content of a line before it is framed. */
export type Content = Omit<EntriesLine, 'hash' | 'size' | 'v'> | Omit<LeaseLine, 'hash' | 'size' | 'v'>

/** The last line that counts. */
export type Tip = Pick<Line, 'hash' | 'fence' | 'seq'>

/** Before the first line. */
export const genesis: Tip = { hash: '0'.repeat(64), fence: 0, seq: 0 }

/** The bytes of one write: the line, after a newline that separates it from a torn one. */
export function encodeLine(content: Content): { hash: string; bytes: Buffer } {
  const text = JSON.stringify({ v: lineVersion, ...content })
  const size = Buffer.byteLength(text) - 1
  const frame = (hash: string) => `\n{"hash":"${hash}","size":${size},`
  const start = frame(genesis.hash).length
  const bytes = Buffer.allocUnsafe(start + size + 1)
  // The frame is written last and overwrites the opening brace of `text`.
  bytes.write(text, start - 1)
  const hash = sha256(bytes.subarray(start, start + size))
  bytes.write(frame(hash), 0, 'latin1')
  bytes[start + size] = 10
  return { hash, bytes }
}

/** What the bytes between two newlines are. */
export type Piece = { kind: 'line'; line: Line } | { kind: 'torn' } | { kind: 'altered' } | { kind: 'newer'; v: number }

export function decodePiece(bytes: Buffer): Piece {
  const frame = framePattern.exec(bytes.toString('latin1', 0, 120))
  const rest = bytes.subarray(frame?.[0].length ?? 0)
  if (!frame || rest.length !== Number(frame[2]) || sha256(rest) !== frame[1]) {
    return { kind: isTorn(bytes, frame ? Number(frame[2]) - rest.length : undefined) ? 'torn' : 'altered' }
  }
  const value = parsedJson(bytes) as { v?: unknown } | undefined
  if (typeof value?.v === 'number' && value.v > lineVersion) return { kind: 'newer', v: value.v }
  if (isSurelyLine(value, frame[1])) return { kind: 'line', line: value }
  // zod's copy could have its keys in another order: the value itself is what was written.
  return lineSchema().safeParse(value).success ? { kind: 'line', line: value as Line } : { kind: 'altered' }
}

/** The beginning of a line: all that a verdict on it needs, except its entries. */
export interface Beginning extends Tip {
  prev: string
  isLease: boolean
}

/**
 * The beginning of the line in `bytes`, if its hash is right and it has the form that `encodeLine` writes. Its JSON,
 * which takes several times as long as its hash, is not parsed. Undefined says nothing: `decodePiece` decides.
 */
export function beginningOf(bytes: Buffer): Beginning | undefined {
  const begin = beginPattern.exec(bytes.toString('latin1', 0, 300))
  if (!begin) return undefined
  const [, hash = '', size, prev = '', fence, seq, content] = begin
  const rest = bytes.subarray(`{"hash":"${hash}","size":${size},`.length)
  if (rest.length !== Number(size) || sha256(rest) !== hash) return undefined
  return { hash, prev, fence: Number(fence), seq: Number(seq), isLease: content === 'lease' }
}

/** Whether a line with this beginning continues from `tip`, apart from its entries; false says nothing, as above. */
export function goesOn({ prev, fence, seq, isLease }: Beginning, tip: Tip): boolean {
  if (prev !== tip.hash) return false
  return isLease ? fence > tip.fence && seq === tip.seq : fence === tip.fence && seq > tip.seq
}

/** Checks by hand what `lineSchema` does; see `surely.ts`. `framed` is the line's hash. */
export function isSurelyLine(value: unknown, framed: string | undefined): value is Line {
  if (!isRecord(value) || value['hash'] !== framed) return false
  return hasJust(value, 'lease' in value ? leaseLine : entriesLine)
}

const common: Fields = {
  hash: [isSha256],
  size: [isNumber],
  v: [isOneOf(lineVersion)],
  prev: [isSha256],
  fence: [isWholeFrom(1)],
  seq: [isWholeFrom(0)],
}
const areEntries: Check = (value) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((one) => isRecord(one) && isNumber(one['seq']) && isNumber(one['fence']))
const entriesLine: Fields = { ...common, entries: [areEntries], head: [isRecord] }
const isLease: Check = (value) => hasJust(value, { owner: [isOwner], since: [isNumber], expiresAt: [isNumber] })
const leaseLine: Fields = { ...common, lease: [isLease] }

export type Verdict =
  | 'counts'
  /** Lost a race to another line. */
  | 'lost'
  /** Depends on an unknown line: missing, altered, or before the part of the file that was read. */
  | 'orphan'
  /** Names the right `prev` and yet does not continue it: no correct writer wrote this. */
  | 'broken'

/** The verdict on `line` after `tip`; `counted` has the hashes of the lines that counted before. */
export function judge(line: Line, tip: Tip, counted: Pick<ReadonlySet<string>, 'has'>): Verdict {
  if (line.prev !== tip.hash) return counted.has(line.prev) || line.prev === genesis.hash ? 'lost' : 'orphan'
  if ('lease' in line) return line.fence > tip.fence && line.seq === tip.seq ? 'counts' : 'broken'
  const inOrder = line.entries.every(({ seq, fence }, i) => seq === tip.seq + 1 + i && fence === line.fence)
  return inOrder && line.fence === tip.fence && line.seq === tip.seq + line.entries.length ? 'counts' : 'broken'
}

const framePattern = /^\{"hash":"([0-9a-f]{64})","size":(\d{1,12}),/
const beginPattern =
  /^\{"hash":"([0-9a-f]{64})","size":(\d{1,12}),"v":1,"prev":"([0-9a-f]{64})","fence":(\d{1,15}),"seq":(\d{1,15}),"(entries|lease)":/
const shortestFrame = `{"hash":"${genesis.hash}","size":0,`

/** Whether these bytes, not a whole line, are the beginning of one. `missing`: bytes up to its end, if known. */
function isTorn(bytes: Buffer, missing: number | undefined): boolean {
  if (bytes.includes(unwritten) || bytes[0] === 0 || bytes.at(-1) === 0) return true
  // No proper beginning of a JSON object is JSON: if it parses, it was whole and its size was altered.
  if (missing !== undefined) return missing > 0 && parsedJson(bytes) === undefined
  const text = bytes.toString('latin1')
  return framePattern.test(text + shortestFrame.slice(text.length)) || framePattern.test(`${text},`)
}

/**
 * Pages that never reached the disk before a power cut read as NUL. JSON text has none, and no flipped bit makes eight,
 * nor turns a brace into one. A line that begins or ends near a page border may have only a few bytes on the other
 * page.
 */
const unwritten = Buffer.alloc(8)
