/**
 * Replay: a journal folded into the state it stands for. It runs no effect.
 *
 * A head's snapshot of the same machine version saves stepping through old entries; of another version it is ignored
 * and every entry is stepped through. Both give the same state: the head is a cache of the fold.
 */
import type { Entry } from './journal.ts'
import { initialSnapshot, restoreSnapshot, step, type Effect, type Snapshot } from './machine.ts'
import { stillSealed } from './sealed.ts'
import type { Head } from './store.ts'
import { Transcript } from './transcript.ts'

export interface Folded {
  snapshot: Snapshot
  /** The effect owed by the last state that named one; absent when the head's snapshot was taken as it is. */
  owed?: Effect
  transcript: Transcript
  /** Sequence of the last entry; 0 for an empty journal. */
  seq: number
  /** When and where the session was opened first; absent for an empty journal. */
  opened?: { at: number; cwd?: string | undefined }
  /** The head was written under another machine version. */
  refolded: boolean
}

export async function foldJournal(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  version: string,
  head?: Head,
): Promise<Folded> {
  const usable = head?.machine.version === version ? head : undefined
  const transcript = new Transcript()
  let snapshot = usable ? restoreSnapshot(usable.machine) : initialSnapshot
  let owed: Effect | undefined
  let seq = 0
  let opened: Folded['opened']
  for await (const entry of entries) {
    if (entry.type === 'sealed') throw stillSealed(entry)
    if (entry.type === 'session-opened') opened = { at: entry.at, cwd: entry.cwd }
    transcript.apply(entry)
    seq = entry.seq
    if (usable && entry.seq <= usable.seq) continue
    const stepped = step(snapshot, entry)
    snapshot = stepped.snapshot
    owed = stepped.effect ?? owed
  }
  const refolded = head !== undefined && !usable
  return { snapshot, ...(owed && { owed }), transcript, seq, ...(opened && { opened }), refolded }
}
