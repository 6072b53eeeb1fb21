/** A session as the lines of a file; see `export-file.ts`. It is only read, and others may write it meanwhile. */
import { createHash, type Hash } from 'node:crypto'
import { systemClock, type Clock } from '../clock.ts'
import { LastgoodError } from '../errors.ts'
import { readHistory } from '../store/history.ts'
import type { Entry, EntryBody } from '../journal/journal.ts'
import { sessionNotFound, type Store } from '../store/store.ts'
import { writerVersion } from '../version.ts'
import { encodeExport } from './export-file.ts'
import { redacted } from './redact.ts'
import { assertFinished } from '../store/unfinished.ts'

export interface ExportOptions {
  /** Replace content by its kind and length, and mask secrets. Such a file can be read, not imported. Default false. */
  redact?: boolean
  /** Default: the system's. */
  clock?: Clock
}

/** The file's lines, each with its newline. Errors: `session-not-found`, and those of reading. */
export async function* exportSession(
  store: Store,
  sessionId: string,
  { redact = false, clock = systemClock }: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  const summary = await store.summary(sessionId)
  if (!summary) throw sessionNotFound(sessionId, store)
  assertFinished(summary.head)
  // Counted first: the header holds the count, and entries appended from now on are left out.
  let count = 0
  for await (const _entry of flattened(store, sessionId)) count += 1
  const header = {
    sessionId,
    exportedAt: new Date(clock.now()).toISOString(),
    writer: writerVersion,
    entries: count,
    redacted: redact,
  }
  yield* encodeExport(header, exported(store, sessionId, count, redact))
}

async function* exported(
  store: Store,
  sessionId: string,
  count: number,
  redact: boolean,
): AsyncGenerator<Entry, void, undefined> {
  let seq = 0
  for await (const entry of flattened(store, sessionId)) {
    yield redact ? redacted(entry) : entry
    seq = entry.seq
    if (seq === count) return
  }
  throw new LastgoodError(
    'journal-corrupt',
    `session ${sessionId}: ${count - seq} entries disappeared while it was being read`,
    {
      hint: `somebody removed it or its parent; see what is left: lastgood show ${sessionId}`,
      details: { sessionId, entries: count, read: seq },
    },
  )
}

/**
 * The history as one journal. A parent's own retention does not apply to the fork; where the parent's entries end, a
 * mark has its name, which is part of the idempotency keys of its steps (P2).
 */
async function* flattened(store: Store, sessionId: string): AsyncGenerator<Entry, void, undefined> {
  const inherited = createHash('sha256')
  let seq = 0
  for await (const { entry, isInherited } of readHistory(store, sessionId)) {
    if (isInherited && entry.type === 'retention-changed') continue
    const { v, seq: _seq, at, fence: _fence, lane, ...body } = entry
    // Keys in one order, whatever store the entry comes from.
    const one: Entry = { ...markIfForked(body, seq, inherited), v, seq: seq + 1, at, fence: 1, lane }
    if (isInherited) inherited.update(JSON.stringify(one))
    seq += 1
    yield one
  }
}

function markIfForked(body: EntryBody, entries: number, inherited: Hash): EntryBody {
  if (body.type !== 'session-forked') return body
  const { sessionId } = body.origin
  return { type: 'session-imported', sessionId, entries, sha256: inherited.copy().digest('hex') }
}
