/**
 * Replay: a journal folded into the state it stands for. It runs no effect.
 *
 * 1. A head's snapshot of the same machine version saves stepping through old entries; one of another version is
 *    ignored and every entry is stepped through. Both give the same state: the head is a cache of the fold.
 * 2. Entries that a fork inherited count for conversation and state, not for sequence and facts: those are its own.
 */
import { chunksOf } from '../store/chunked.ts'
import { factsAfter, type SessionFacts } from './checkpoint.ts'
import type { HistoryEntry } from '../store/history.ts'
import type { Entry } from '../journal/journal.ts'
import { type Effect } from '../machine/machine-state.ts'
import { initialSnapshot, restoreSnapshot, step, type Snapshot } from '../machine/machine-step.ts'
import type { Head } from '../store/head.ts'
import { Transcript } from '../journal/transcript.ts'

export interface Folded {
  snapshot: Snapshot
  /** The effect owed by the last state that named one; absent when the head's snapshot was taken as it is. */
  owed?: Effect
  transcript: Transcript
  /** Sequence of the session's own last entry; 0 for an empty journal. */
  seq: number
  facts: SessionFacts
  /** The head was written under another machine version. */
  refolded: boolean
}

/** Folds one journal. A fork's journal has a history before it: see `foldHistory`. */
export function foldJournal(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  version: string,
  head?: Head,
): Promise<Folded> {
  return foldHistory(ownEntries(entries), version, head)
}

/**
 * The state of a session from its whole history, as `readHistory` gives it. `version`: the machine's, `machineVersion`;
 * a `head` of the same version spares stepping through the entries before it. Errors: `journal-corrupt`,
 * `journal-sealed`, `journal-version`.
 */
export async function foldHistory(
  history: AsyncIterable<Pick<HistoryEntry, 'entry' | 'isInherited'> & Partial<HistoryEntry>>,
  version: string,
  head?: Head,
): Promise<Folded> {
  const usable = head?.machine.version === version ? head : undefined
  const transcript = new Transcript()
  let snapshot = usable ? restoreSnapshot(usable.machine) : initialSnapshot
  let owed: Effect | undefined
  let seq = 0
  let facts: SessionFacts = {}
  for await (const some of chunksOf(history)) {
    for (const { entry, isInherited, sessionId } of some) {
      transcript.apply(entry, sessionId)
      if (!isInherited) {
        facts = factsAfter(facts, entry)
        seq = entry.seq
      }
      if (usable && (isInherited || entry.seq <= usable.seq)) continue
      const stepped = step(snapshot, entry)
      snapshot = stepped.snapshot
      owed = stepped.effect ?? owed
    }
  }
  const refolded = head !== undefined && !usable
  return { snapshot, ...(owed && { owed }), transcript, seq, facts, refolded }
}

async function* ownEntries(entries: AsyncIterable<Entry> | Iterable<Entry>) {
  for await (const entry of entries) yield { entry, isInherited: false }
}
