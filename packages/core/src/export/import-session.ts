/**
 * A session from the lines of a file; see `export-file.ts`.
 *
 * 1. The whole file is verified before anything is written, and again during writing.
 * 2. Entries keep their instants and sequences and get the fence of the new lease. A final entry records their source.
 * 3. An unfinished import cannot be opened as a session: its head says so until the last append (`unfinished.ts`).
 *    Importing the same file again continues where it stopped, after comparing the entries that are already there.
 */
import { withBlobs } from '../store/blobs.ts'
import type { Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import type { Owner } from '../journal/journal.ts'
import { keepLease } from '../session/lease-keeper.ts'
import { removeSession } from '../store/removal.ts'
import { takeLease } from '../store/take-lease.ts'
import { resolveOptions } from '../session/session-options.ts'
import type { Head } from '../store/head.ts'
import { assertSessionId, type SessionSummary, type Store } from '../store/store.ts'
import { decodeExport, type VerifiedExport } from './export-file.ts'
import { ImportWriter } from './import-writer.ts'
import { anotherImport, nameTaken, unfinishedImport } from '../store/unfinished.ts'

export interface ImportOptions {
  /** The session's name here. Default: its name in the file. */
  as?: string
  /** Discard what an unfinished import left, and start over. Default false. */
  force?: boolean
  /** Default: the system's. */
  clock?: Clock
  /** Default: this process. */
  owner?: Owner
  /** As for `openSession`. */
  machineVersion?: string
}

export interface Imported {
  sessionId: string
  /** The session's name in the file. */
  from: string
  entries: number
  head: Head
}

/**
 * Makes a session from a file, closed and ready to resume. Each call of `lines` reads the file from its start, without
 * newlines.
 *
 * Errors: `journal-corrupt` and `journal-version` for a file that is not whole or too new, `bad-option` for one that is
 * redacted or holds entries that cannot be recorded, and for a name that is taken, `session-busy`, and those of
 * writing.
 */
export async function importSession(
  store: Store,
  lines: () => AsyncIterable<string>,
  options: ImportOptions = {},
): Promise<Imported> {
  const file = await decodeExport(lines())
  if (file.redacted) throw isRedacted(file.sessionId)
  const { as: sessionId = file.sessionId, force = false, ...rest } = options
  assertSessionId(sessionId)
  const resolved = resolveOptions({ ...rest, store })
  const { store: asked, owner, clock, leaseMs, storePatienceMs, machineVersion } = resolved
  const there = await asked.summary(sessionId)
  if (force && there && unfinishedImport(there.head)) await removeSession(store, there.head, rest)
  else assertFree(sessionId, there, file)

  const lease = await takeLease(asked, sessionId, { owner, leaseMs })
  const lost = new AbortController()
  // Read only if the session has entries already.
  const left = withBlobs(asked, sessionId, asked.read(sessionId))[Symbol.asyncIterator]()
  const patient = { store: asked, lease, clock, patienceMs: storePatienceMs }
  const keeper = keepLease(patient, leaseMs, (reason) => lost.abort(reason))
  try {
    const summary = await asked.summary(sessionId)
    assertFree(sessionId, summary, file)
    const writer = new ImportWriter({ ...patient, signal: lost.signal }, file, {
      count: summary?.head.seq ?? 0,
      entries: left,
    })
    const again = await decodeExport(lines(), (entry) => {
      lost.signal.throwIfAborted()
      return writer.take(entry)
    })
    if (again.sha256 !== file.sha256) throw changed()
    const head = await writer.finish(machineVersion)
    return { sessionId, from: file.sessionId, entries: file.entries, head }
  } finally {
    keeper.stop()
    await left.return?.()
    // The caller has to get the first error; a lease that cannot be released expires by itself.
    await asked.release(lease).catch(() => {})
  }
}

function assertFree(sessionId: string, summary: SessionSummary | undefined, file: VerifiedExport): void {
  if (!summary) return
  const unfinished = unfinishedImport(summary.head)
  if (!unfinished) throw nameTaken(sessionId)
  if (unfinished.sha256 !== file.sha256) throw anotherImport(sessionId)
}

function isRedacted(sessionId: string): LastgoodError {
  return new LastgoodError(
    'bad-option',
    `the file has session ${sessionId} without its content: it cannot be continued`,
    {
      hint: `export it again at its source, without --redact: lastgood export ${sessionId}`,
      details: { sessionId },
    },
  )
}

function changed(): LastgoodError {
  return new LastgoodError('journal-corrupt', 'the file changed while it was being imported', {
    hint: 'run the import again once nothing writes to the file',
  })
}
