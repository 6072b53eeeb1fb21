/**
 * The checkpoint of a session: the head that replaces the last one with every append. A cache of the fold, of a size
 * that does not grow with the conversation.
 */
import type { Entry } from './journal.ts'
import { saveSnapshot, type Snapshot, type StateName } from './machine.ts'
import type { Head, SessionStatus } from './store.ts'

/** What the entries before say of the session; the new ones may say otherwise. */
export interface Known {
  sessionId: string
  createdAt: number | undefined
  cwd: string | undefined
  agent: string | undefined
  model: string | undefined
  machineVersion: string
}

/** The head after `entries` (at least one) have led to `snapshot`. */
export function headAfter(known: Known, entries: readonly Entry[], snapshot: Snapshot): Head {
  const last = entries.at(-1) as Entry
  const saved = saveSnapshot(snapshot)
  const { turn, lastGoodTurn, reason, wakeAt } = snapshot.context
  const started = entries.findLast((entry) => entry.type === 'turn-started')
  const agent = started ? started.agent : known.agent
  const model = entries.findLast((entry) => entry.type === 'envelope-changed')?.envelope.body.model ?? known.model
  return {
    v: 1,
    sessionId: known.sessionId,
    seq: last.seq,
    status: statuses[snapshot.value],
    ...(agent !== undefined && { agent }),
    ...(known.cwd !== undefined && { cwd: known.cwd }),
    ...(model !== undefined && { model }),
    turn,
    lastGoodTurn,
    ...(reason !== null && { reason }),
    ...(wakeAt !== null && { dueAt: wakeAt }),
    createdAt: known.createdAt ?? last.at,
    updatedAt: last.at,
    machine: { version: known.machineVersion, value: saved.value, context: saved.context },
  }
}

const statuses: Record<StateName, SessionStatus> = {
  idle: 'idle',
  requesting: 'running',
  executingTools: 'running',
  answered: 'running',
  restoring: 'running',
  backingOff: 'waiting',
  suspended: 'suspended',
  refused: 'suspended',
  needsInput: 'needs-input',
}
