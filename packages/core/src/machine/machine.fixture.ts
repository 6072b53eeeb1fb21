/** Entries of a journal, and what the machine makes of them. */
import type { Entry, EntryBody } from '../journal/journal.ts'
import type { Effect } from './machine-state.ts'
import { initialSnapshot, step, type Snapshot } from './machine-step.ts'

const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }
export const stamped = (body: EntryBody, seq = 1, at = 1_000): Entry => ({
  ...body,
  v: 3,
  seq,
  at,
  fence: 1,
  lane: 'main',
})

export function run(bodies: readonly EntryBody[], from: Snapshot = initialSnapshot) {
  let snapshot = from
  let owed: Effect | undefined
  for (const [i, body] of bodies.entries()) {
    const stepped = step(snapshot, stamped(body, i + 1))
    snapshot = stepped.snapshot
    owed = stepped.effect ?? owed
  }
  return { state: snapshot.value, context: snapshot.context, owed, snapshot }
}

export const started: EntryBody = { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'hi' }] }
export const sent: EntryBody = { type: 'request-sent', model: 'm', attempt: 1 }
export const response = (stopReason: string, ...calls: string[]): EntryBody => ({
  type: 'response-received',
  message: {
    id: 'msg',
    role: 'assistant',
    model: 'm',
    content: calls.map((id) => ({ type: 'tool_use', id, name: 't', input: {} })),
    stop_reason: stopReason,
  },
})
export const intent = (toolUseId: string): EntryBody => ({
  type: 'tool-started',
  toolUseId,
  name: 't',
  inDoubt: 'report',
})
export const finished = (toolUseId: string): EntryBody => ({
  type: 'tool-finished',
  toolUseId,
  result: { type: 'tool_result', tool_use_id: toolUseId },
  outcome: 'ran',
})
type Observed = Extract<EntryBody, { type: 'fault-observed' }>
export const transient: Observed['fault'] = { kind: 'server-transient', status: 500 }
export const fault = (decision: Observed['decision'], seen = transient): EntryBody => ({
  type: 'fault-observed',
  fault: seen,
  decision,
})
export const ended: EntryBody = { type: 'turn-ended', turn: 1 }
export const resumed: EntryBody = { type: 'session-resumed', owner }
