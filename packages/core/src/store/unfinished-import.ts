/**
 * The head of a session whose import has not finished. Its version is that of no machine, so its entries cannot be
 * taken for a conversation; the last append of the import replaces it.
 */
import { LastgoodError } from '../errors.ts'
import { headVersion, type Head } from './store.ts'

const importing = 'importing'

export interface ImportSource {
  /** SHA-256 of the file's entries, in hex. */
  sha256: string
  entries: number
}

export function unfinishedHead(sessionId: string, seq: number, at: number, { sha256, entries }: ImportSource): Head {
  return {
    v: headVersion,
    sessionId,
    seq,
    status: 'suspended',
    reason: `${seq} of ${entries} entries are imported: run the import again`,
    turn: 0,
    lastGoodTurn: 0,
    createdAt: at,
    updatedAt: at,
    machine: { version: importing, value: importing, context: { sha256, entries } },
  }
}

/** The file that an unfinished import reads; undefined for every other session. */
export function unfinishedImport({ machine }: Head): ImportSource | undefined {
  if (machine.version !== importing) return undefined
  return { sha256: String(machine.context['sha256']), entries: Number(machine.context['entries']) }
}

export function anotherImport(sessionId: string): LastgoodError {
  return nameTaken(sessionId, 'an unfinished import of another file', ', or discard that import: --force')
}

/** `or`: another way out, appended to the hint. */
export function nameTaken(sessionId: string, by = 'a session', or = ''): LastgoodError {
  return new LastgoodError('bad-option', `${by} called ${sessionId} already exists`, {
    hint: `choose another name: lastgood import <file> --as <session>${or}`,
    details: { sessionId },
  })
}

/** Throws `journal-corrupt` for the head of an unfinished import. */
export function assertImported(head: Head): void {
  const source = unfinishedImport(head)
  if (!source) return
  const { sessionId, seq } = head
  throw new LastgoodError(
    'journal-corrupt',
    `session ${sessionId}: its import stopped after ${seq} of ${source.entries} entries`,
    {
      hint: `run the import again; it continues where it stopped: lastgood import <file> --as ${sessionId}`,
      details: { sessionId, seq, ...source },
    },
  )
}
