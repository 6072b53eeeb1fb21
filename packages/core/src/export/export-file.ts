/**
 * The file format of an exported session: JSON lines, each of which can be checked alone. Pure.
 *
 *     {"format":"lastgood-export","v":1,"sessionId":"fix-auth","exportedAt":"…","writer":"0.2.0","entries":42,"redacted":false}
 *     {"sha256":"…","entry":{…}}                                        each entry; the hash is of its JSON text
 *     {"end":"lastgood-export","entries":42,"sha256":"…","header":"…"}  hashes: of all entry lines, of the header line
 *
 * 1. The entries are the session's whole history: bodies in place, forks flattened, numbered from 1. Where a fork began,
 *    a `session-imported` entry names its parent. Leases are not exported: `fence` is 1.
 * 2. Only a whole file is an export: anything altered, missing, cut off or added is found before the file is used.
 * 3. A newer format, or an entry of a newer version, is refused with both versions in the error.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { LastgoodError, newerVersion } from '../errors.ts'
import { parseEntry, type Entry } from '../journal/journal.ts'
import { sessionIdSchema } from '../journal/session-id.ts'
import { parsedJson } from '../json.ts'
import { lazily } from '../lazily.ts'
import { recordable } from '../session/recordable.ts'
import { sha256, sha256Schema } from '../sha256.ts'

const exportVersion = 1
const format = 'lastgood-export'

const headerSchema = lazily(() =>
  z.strictObject({
    format: z.literal(format),
    v: z.literal(exportVersion),
    /** The session's name where it was exported. */
    sessionId: sessionIdSchema(),
    /** ISO 8601. */
    exportedAt: z.string(),
    /** The lastgood version that wrote the file. */
    writer: z.string(),
    entries: z.number().int().min(1),
    /** Content was replaced by its kind and length: such a session can be read, not continued. */
    redacted: z.boolean(),
  }),
)
export type ExportHeader = Omit<z.infer<ReturnType<typeof headerSchema>>, 'format' | 'v'>

const footerSchema = lazily(() =>
  z.strictObject({
    end: z.literal(format),
    entries: z.number(),
    sha256: sha256Schema(),
    header: sha256Schema(),
  }),
)

/** The lines of a file, each with its newline. */
export async function* encodeExport(header: ExportHeader, entries: AsyncIterable<Entry>): AsyncGenerator<string> {
  const first = JSON.stringify({ format, v: exportVersion, ...header })
  yield `${first}\n`
  const all = createHash('sha256')
  let count = 0
  for await (const entry of entries) {
    const text = JSON.stringify(entry)
    const line = `{"sha256":"${sha256(text)}","entry":${text}}\n`
    all.update(line)
    count += 1
    yield line
  }
  yield `${JSON.stringify({ end: format, entries: count, sha256: all.digest('hex'), header: sha256(first) })}\n`
}

export interface VerifiedExport extends ExportHeader {
  /** SHA-256 of the entry lines, in hex. */
  sha256: string
}

/**
 * Verifies a file: gives `onEntry` each entry once its line is verified, and returns the header once the file is whole.
 * Lines come without their newlines. Errors: `journal-corrupt`, naming the line, `journal-version`, and `bad-option`
 * for an entry that cannot be recorded.
 */
export async function decodeExport(
  lines: AsyncIterable<string>,
  onEntry: (entry: Entry) => void | Promise<void> = () => {},
): Promise<VerifiedExport> {
  const all = createHash('sha256')
  let header: ExportHeader | undefined
  let headerHash = ''
  let verified: VerifiedExport | undefined
  let [number, seq] = [0, 0]
  for await (const line of lines) {
    number += 1
    if (line === '' && verified) continue
    if (verified) throw damaged(number, 'comes after the end')
    if (!header) {
      header = headerIn(line)
      headerHash = sha256(line)
      continue
    }
    const match = /^\{"sha256":"([0-9a-f]{64})","entry":(\{.*\})\}$/s.exec(line)
    if (!match) {
      const footer = footerIn(line, number)
      if (footer.header !== headerHash) throw damaged(1, 'was altered')
      if (footer.entries !== seq || header.entries !== seq)
        throw damaged(number, `gives a wrong number of entries: ${seq} come before it`)
      const hash = all.digest('hex')
      if (footer.sha256 !== hash) throw damaged(number, 'does not match the entries before it')
      verified = { ...header, sha256: hash }
      continue
    }
    const [, hash, text = ''] = match
    if (sha256(text) !== hash) throw damaged(number, 'was altered')
    seq += 1
    const entry = entryIn(text, number)
    if (entry.seq !== seq) throw damaged(number, `has entry ${entry.seq} where entry ${seq} belongs`)
    all.update(`${line}\n`)
    await onEntry(entry)
  }
  if (verified) return verified
  throw damaged(number + 1, header ? 'is missing: the file was cut off' : 'is missing: the file is empty')
}

function headerIn(line: string): ExportHeader {
  const value = parsedJson(line)
  const { format: found, v } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (found !== format) throw damaged(1, 'is not the header of an exported session')
  if (typeof v === 'number' && v > exportVersion) throw newerVersion('an exported session', v, exportVersion)
  const { success, data } = headerSchema().safeParse(value)
  if (!success) throw damaged(1, 'is damaged')
  const { format: _format, v: _v, ...header } = data
  return header
}

function footerIn(line: string, number: number): z.infer<ReturnType<typeof footerSchema>> {
  const { success, data } = footerSchema().safeParse(parsedJson(line))
  if (success) return data
  throw damaged(number, 'is damaged')
}

/** Entries that have a meaning only beside other journals or within one store: no file has them. */
const elsewhere: ReadonlySet<string> = new Set(['session-forked', 'kept-apart', 'sealed'])

function entryIn(text: string, number: number): Entry {
  const entry = recordable(parseEntry(parsedJson(text), `line ${number}`), `line ${number} of the file`)
  if (elsewhere.has(entry.type)) throw damaged(number, `has a ${entry.type} entry, which does not belong in a file`)
  if (entry.type === 'rewound' && entry.lastGoodTurn > entry.turn) throw damaged(number, 'ends a turn that never began')
  return entry
}

function damaged(line: number, what: string): LastgoodError {
  return new LastgoodError('journal-corrupt', `line ${line} of the file ${what}`, {
    hint: 'export the session again at its source: lastgood export <session> <file>',
    details: { line },
  })
}
