/**
 * The head of a session whose import or fork has not finished. Its version is that of no machine, so its entries cannot
 * be taken for a conversation; the last append of the import or fork replaces it.
 */
import { LastgoodError } from '../errors.ts'
import type { Origin } from '../journal/journal.ts'
import { headVersion, type Head } from './head.ts'

const importing = 'importing'
const forking = 'forking'

export interface ImportSource {
  /** SHA-256 of the file's entries, in hex. */
  sha256: string
  entries: number
}

export function importingHead(sessionId: string, seq: number, at: number, { sha256, entries }: ImportSource): Head {
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

/** It names the origin already, so that nobody removes that. */
export function forkingHead(head: Head, origin: Origin): Head {
  const reason = 'its fork has not finished: run the fork again'
  return { ...head, status: 'suspended', reason, origin, machine: { version: forking, value: forking, context: {} } }
}

/** The file that an unfinished import reads; undefined for every other session. */
export function unfinishedImport({ machine }: Head): ImportSource | undefined {
  if (machine.version !== importing) return undefined
  return { sha256: String(machine.context['sha256']), entries: Number(machine.context['entries']) }
}

/** Whether it is a fork that has not finished: nothing is in it yet. */
export const isUnfinishedFork = ({ machine }: Head): boolean => machine.version === forking

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

/** Throws `journal-corrupt` for the head of an unfinished import or fork. */
export function assertFinished(head: Head): void {
  if (isUnfinishedFork(head)) throw cutFork(head)
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

function cutFork({ sessionId, origin }: Head): LastgoodError {
  const from = origin?.sessionId ?? '<session>'
  return new LastgoodError('journal-corrupt', `session ${sessionId}: its fork stopped before anything was in it`, {
    hint: `run the fork again, it takes the place of this one: lastgood fork ${from} ${sessionId}`,
    details: { sessionId, origin },
  })
}
