/**
 * Steps the machine through several entries, all or none: an entry that it does not expect came too late, because the
 * session was parked or rewound meanwhile, and must not be recorded. Pure.
 */
import { LastgoodError } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'
import { type Effect } from './machine-state.ts'
import { isEvent, step, type Snapshot } from './machine-step.ts'

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
    if (stepped.snapshot === snapshot && isEvent(entry)) throw outOfTurn(sessionId, entry, snapshot)
    snapshot = stepped.snapshot
    owed = stepped.effect ?? owed
  }
  return { snapshot, owed }
}

function outOfTurn(id: string, { type }: Entry, { value }: Snapshot): LastgoodError {
  return new LastgoodError('journal-conflict', `session ${id}: ${type} does not apply while it is ${value}`, {
    hint: 'open the session again: it continues from what its journal has',
    details: { sessionId: id, type, state: value },
  })
}
