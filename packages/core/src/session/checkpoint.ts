/**
 * The checkpoint of a session: the head, replaced with every append. It is a cache of the fold, and its size does not
 * grow with the conversation.
 */
import type { Entry, Origin } from '../journal/journal.ts'
import { type StateName } from '../machine/machine-state.ts'
import { saveSnapshot, type Snapshot } from '../machine/machine-step.ts'
import { headVersion, type Head, type SessionStatus } from '../store/head.ts'

/** What a session's own entries say about it, for good or until a later entry changes it. */
export interface SessionFacts {
  readonly createdAt?: number
  readonly cwd?: string
  readonly origin?: Origin
  readonly ttlMs?: number
  readonly pinned?: true
}

export function factsAfter(facts: SessionFacts, entry: Entry): SessionFacts {
  switch (entry.type) {
    case 'session-opened': {
      const { cwd: _before, ...rest } = facts
      return { ...rest, createdAt: entry.at, ...(entry.cwd !== undefined && { cwd: entry.cwd }) }
    }
    case 'session-forked':
      return { ...facts, origin: entry.origin }
    case 'retention-changed': {
      const { ttlMs: _ttlMs, pinned: _pinned, ...rest } = facts
      return { ...rest, ...(entry.ttlMs !== null && { ttlMs: entry.ttlMs }), ...(entry.pinned && { pinned: true }) }
    }
    default:
      return facts
  }
}

/** What earlier entries say about the session; the new ones may change it. */
export interface Known {
  sessionId: string
  facts: SessionFacts
  agent: string | undefined
  model: string | undefined
  machineVersion: string
}

/** The head after `entries` (at least one) have led to `snapshot`. */
export function headAfter(known: Known, entries: readonly Entry[], snapshot: Snapshot): Head {
  const last = entries.at(-1) as Entry
  const facts = entries.reduce(factsAfter, known.facts)
  const saved = saveSnapshot(snapshot)
  const { turn, lastGoodTurn, reason, wakeAt } = snapshot.context
  const started = entries.findLast((entry) => entry.type === 'turn-started')
  const agent = started ? started.agent : known.agent
  const model = entries.findLast((entry) => entry.type === 'envelope-changed')?.envelope.body.model ?? known.model
  return {
    v: headVersion,
    sessionId: known.sessionId,
    seq: last.seq,
    status: statuses[snapshot.value],
    ...(agent !== undefined && { agent }),
    ...(facts.cwd !== undefined && { cwd: facts.cwd }),
    ...(model !== undefined && { model }),
    turn,
    lastGoodTurn,
    ...(reason !== null && { reason }),
    ...(wakeAt !== null && { dueAt: wakeAt }),
    createdAt: facts.createdAt ?? last.at,
    updatedAt: last.at,
    ...(facts.origin && { origin: facts.origin }),
    ...(facts.ttlMs !== undefined && { ttlMs: facts.ttlMs }),
    ...(facts.pinned && { pinned: facts.pinned }),
    machine: { version: known.machineVersion, value: saved.value, context: saved.context },
  }
}

export const statuses: Readonly<Record<StateName, SessionStatus>> = {
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
