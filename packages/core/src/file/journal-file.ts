/**
 * Reading one journal file: all of it, verified from the first line, or only its end.
 *
 * The end can be judged without the beginning because nothing is ever built on a line that lost (see `chain.ts`): a line
 * that another one names as its `prev` counted, and from there on every verdict follows. Where the end alone leaves a
 * doubt, more is read, finally everything; so all damage is found and reported with its line number.
 */
import { basename } from 'node:path'
import { LastgoodError, newerVersion } from '../errors.ts'
import {
  type EntriesLine,
  type Line,
  type Tip,
  beginningOf,
  decodePiece,
  genesis,
  goesOn,
  judge,
  lineVersion,
} from './chain.ts'
import type { JournalHandle } from './open-file.ts'
import { type Segment, segments } from './segments.ts'
import { sessionIdOfJournal } from './session-place.ts'

/** A line that counts, and its number in the file, from 1. */
export interface CountedLine {
  line: Line
  number: number
  /** Offset in the file. */
  at: number
}

/** Bytes at the end of a file, left by an incomplete write. */
export interface TornTail {
  at: number
  bytes: number
}

export interface Part {
  /** The lines that count, in order. */
  lines: Line[]
  torn: TornTail | undefined
  /** Where the write of the last of them began; without lines, where reading began. */
  lastAt: number
}

const firstWindowBytes = 16 * 1024
/** How much of the end is worth reading, and holding in memory, before reading everything. */
const nearBytes = 1024 * 1024

/**
 * All counted lines of the first `end` bytes, in chunks. Throws `journal-corrupt` or `journal-version` at a bad one.
 */
async function* walk(
  handle: JournalHandle,
  path: string,
  end: number,
  onTornTail?: (torn: TornTail) => void,
): AsyncGenerator<CountedLine[], void, undefined> {
  let tip = genesis
  let torn: TornTail | undefined
  /** Only the `prev` of a line that lost a race is looked up, and it is recent: a set of all hashes is not worth it. */
  const hashes: string[] = []
  const counted = { has: (hash: string) => hashes.lastIndexOf(hash) >= 0 }

  /** The segment's line, if it counts. */
  function take({ bytes, at, number }: Segment): CountedLine | undefined {
    const piece = decodePiece(bytes)
    torn = piece.kind === 'torn' ? { at, bytes: bytes.length } : undefined
    if (torn) return undefined
    if (piece.kind !== 'line')
      throw piece.kind === 'newer'
        ? newerVersion(`${path} line ${number}`, piece.v, lineVersion)
        : corrupt(path, number, 'it was altered')
    const verdict = judge(piece.line, tip, counted)
    if (verdict === 'orphan') throw corrupt(path, number, 'a line before it is missing or was altered')
    if (verdict === 'broken') throw corrupt(path, number, 'it does not continue the journal')
    if (verdict === 'lost') return undefined
    tip = piece.line
    hashes.push(tip.hash)
    return { line: piece.line, number, at }
  }

  for await (const some of segments(handle, 0, end)) {
    const lines: CountedLine[] = []
    try {
      for (const segment of some) {
        const line = take(segment)
        if (line) lines.push(line)
      }
    } catch (error) {
      // The lines before the damage are sound.
      yield lines
      throw error
    }
    yield lines
  }
  if (torn) onTornTail?.(torn)
}

/** The last counted lines of the first `end` bytes: `enough` of them, or all. Throws as `walk` does. */
export async function tail(
  handle: JournalHandle,
  path: string,
  end: number,
  enough: (lines: readonly Line[]) => boolean,
): Promise<Part> {
  const near = await nearEnd(handle, end, enough, end)
  if (near) return near
  const part: Part = { lines: [], torn: undefined, lastAt: 0 }
  for await (const some of walk(handle, path, end, (torn) => (part.torn = torn))) {
    for (const { line, at } of some) {
      part.lines.push(line)
      part.lastAt = writtenAt(at)
    }
  }
  return part
}

/** How a journal ends: the last line with entries, and the last line that counts. */
export interface Ending {
  newest: EntriesLine
  last: Tip
}

/**
 * The end of a journal without parsing the JSON of earlier lines, for readers of many journals. Undefined unless each
 * line in the window continues the one before: `tail` handles all other cases, and reports damage.
 */
export async function endingOf(handle: JournalHandle, end: number): Promise<Ending | undefined> {
  const start = Math.max(0, end - firstWindowBytes)
  let last: Tip | undefined = start === 0 ? genesis : undefined
  let newest: { bytes: Buffer; before: Tip } | undefined
  for await (const some of segments(handle, start, end)) {
    for (const { bytes, at } of some) {
      if (at === start && start > 0) continue
      const line = beginningOf(bytes)
      if (!line || (last && !goesOn(line, last))) return undefined
      // The first line of the window is proved to count by the line that continues it.
      if (!line.isLease) newest = last && { bytes, before: last }
      last = line
    }
  }
  const piece = newest && decodePiece(newest.bytes)
  const line = piece?.kind === 'line' ? piece.line : undefined
  if (!last || !newest || !line || !('entries' in line)) return undefined
  return judge(line, newest.before, new Set()) === 'counts' ? { newest: line, last } : undefined
}

/** As `tail`, but undefined if more than `limit` bytes would have to be read, or those leave a doubt. */
async function nearEnd(
  handle: JournalHandle,
  end: number,
  enough: (lines: readonly Line[]) => boolean,
  limit: number,
): Promise<Part | undefined> {
  for (let span = firstWindowBytes; span < end && span <= limit; span *= 4) {
    const part = await window(handle, end - span, end)
    if (part && enough(part.lines)) return part
  }
  return undefined
}

/**
 * The counted lines with entries after `afterSeq`, perhaps some earlier ones too, each with its place for messages. A
 * reader that follows a long journal reads its end; one that starts from 0 reads and verifies all of it.
 */
export async function* linesAfter(
  handle: JournalHandle,
  path: string,
  end: number,
  afterSeq: number,
  onTornTail: (torn: TornTail) => void,
): AsyncGenerator<{ line: Line; place: string }[], void, undefined> {
  const near = afterSeq > 0 ? await nearEnd(handle, end, reachingBackTo(afterSeq), nearBytes) : undefined
  if (near?.torn) onTornTail(near.torn)
  if (near) yield near.lines.map((line) => ({ line, place: `${path} seq ${line.seq}` }))
  else
    for await (const some of walk(handle, path, end, onTornTail))
      yield some.map(({ line, number }) => ({ line, place: `${path} line ${number}` }))
}

/** Whether the lines reach back to the end of entry `afterSeq`. */
export function reachingBackTo(afterSeq: number): (lines: readonly Line[]) => boolean {
  return ([first]) => first !== undefined && seqBefore(first) <= afterSeq
}

/** A write begins with a newline. */
const writtenAt = (lineAt: number): number => Math.max(0, lineAt - 1)

/** The last entry before `line`. */
export function seqBefore(line: Line | undefined): number {
  if (!line) return 0
  return 'entries' in line ? line.seq - line.entries.length : line.seq
}

/** The counted lines between `start`, which need not be the start of a line, and `end`; undefined: read more. */
async function window(handle: JournalHandle, start: number, end: number): Promise<Part | undefined> {
  const part = await pieces(segments(handle, start, end), start)
  if (!part) return undefined
  const prevs = new Set(part.lines.map(({ prev }) => prev))
  const anchor = part.lines.findIndex(({ hash }) => prevs.has(hash))
  const first = part.lines[anchor]
  const rest = first && continuation(part.lines.slice(anchor + 1), first, [first.hash])
  if (!rest) return undefined
  const last = rest.at(-1) ?? first
  return { lines: [first, ...rest], torn: part.torn, lastAt: writtenAt(part.starts.get(last) ?? start) }
}

/** The counted lines between the end of the known part and `end`; undefined: read more. */
export async function growth(
  handle: JournalHandle,
  { size, tip, recent }: { size: number; tip: Tip; recent: readonly string[] },
  end: number,
): Promise<Omit<Part, 'lastAt'> | undefined> {
  const part = await pieces(segments(handle, size, end))
  const lines = part && continuation(part.lines, tip, recent)
  return lines && { lines, torn: part.torn }
}

interface Pieces extends Omit<Part, 'lastAt'> {
  /** Where each line begins. */
  starts: Map<Line, number>
}

/** All whole lines; undefined if anything but whole and torn lines is there. Skips the segment at `partialAt`. */
async function pieces(source: AsyncIterable<Segment[]>, partialAt = -1): Promise<Pieces | undefined> {
  const part: Pieces = { lines: [], torn: undefined, starts: new Map() }
  for await (const some of source) {
    for (const { bytes, at } of some) {
      if (at === partialAt) continue
      const piece = decodePiece(bytes)
      part.torn = piece.kind === 'torn' ? { at, bytes: bytes.length } : undefined
      if (piece.kind === 'line') {
        part.lines.push(piece.line)
        part.starts.set(piece.line, at)
      } else if (piece.kind !== 'torn') return undefined
    }
  }
  return part
}

/** Those of `lines` that count after `tip`; undefined if these lines cannot tell. */
function continuation(lines: readonly Line[], tip: Tip, recent: readonly string[]): Line[] | undefined {
  const known = new Set(recent)
  const counting: Line[] = []
  for (const line of lines) {
    const verdict = judge(line, tip, known)
    if (verdict === 'lost') continue
    if (verdict !== 'counts') return undefined
    tip = line
    known.add(line.hash)
    counting.push(line)
  }
  return counting
}

function corrupt(path: string, number: number, what: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `${path} line ${number} is damaged: ${what}`, {
    hint: `lastgood show ${sessionIdOfJournal(basename(path)) ?? '<sessionId>'} shows the part before it; restore the file from a copy to continue`,
    details: { path, line: number },
  })
}
