/**
 * Steps the machine through several entries, all or none: an entry that it does not expect came too late, because the
 * session was parked or rewound meanwhile, and must not be recorded. Pure.
 */
import { LastgoodError } from '../errors.ts'
import type { Entry, EntryType } from '../journal/journal.ts'
import { type Effect } from './machine-state.ts'
import { step, type Snapshot } from './machine-step.ts'

export interface Standing {
  snapshot: Snapshot
  /** The one effect that the session waits for. */
  owed: Effect
}

/** Where the session stands after `entries`. Errors: `journal-conflict`. */
export function stepThrough(sessionId: string, before: Standing, entries: readonly Entry[]): Standing {
  let { snapshot, owed } = before
  for (const entry of entries) {
    const stepped = step(snapshot, entry)
    if (stepped.snapshot === snapshot && !outsideMachine.has(entry.type)) throw outOfTurn(sessionId, entry, snapshot)
    snapshot = stepped.snapshot
    owed = stepped.effect ?? owed
  }
  return { snapshot, owed }
}

/** Entries that are not events of the machine. */
const outsideMachine: ReadonlySet<EntryType> = new Set([
  'session-opened',
  'envelope-changed',
  'transcript-repaired',
  'repairs-reverted',
  'session-forked',
  'session-imported',
  'retention-changed',
  'step-started',
  'step-finished',
])

function outOfTurn(id: string, { type }: Entry, { value }: Snapshot): LastgoodError {
  return new LastgoodError('journal-conflict', `session ${id}: ${type} does not apply while it is ${value}`, {
    hint: 'open the session again: it continues from what its journal has',
    details: { sessionId: id, type, state: value },
  })
}
