/** Random journals, as a driver could have written them. */
import fc from 'fast-check'
import type { Block, Entry, EntryBody } from './journal.ts'
import { machineVersion, type Effect } from '../machine/machine-state.ts'
import { initialSnapshot, saveSnapshot, step, type Snapshot } from '../machine/machine-step.ts'
import type { Head } from '../store/head.ts'
import { Transcript } from './transcript.ts'

const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }

/** Plausible next facts for what a session owes. */
function nextBodies(owed: Effect, transcript: Transcript, turn: number, id: number): EntryBody[] {
  const resumed: EntryBody = { type: 'session-resumed', owner }
  const sent: EntryBody = { type: 'request-sent', model: 'm', attempt: 1 }
  const response = (stop_reason: string, ...content: Block[]): EntryBody => ({
    type: 'response-received',
    message: { id: `msg_${id}`, role: 'assistant', model: 'm', content, stop_reason },
  })
  const call = (n: number): Block => ({ type: 'tool_use', id: `toolu_${id}_${n}`, name: 't', input: {} })
  const text: Block = { type: 'text', text: `answer ${id}` }
  switch (owed.kind) {
    case 'rest':
      return [{ type: 'turn-started', turn: turn + 1, messages: [{ role: 'user', content: `ask ${id}` }] }, resumed]
    case 'send-request':
      return [
        sent,
        response('tool_use', text, call(1)),
        response('tool_use', call(1), call(2), call(3)),
        response('pause_turn', text),
        response('end_turn', text),
        { type: 'fault-observed', fault: { kind: 'overloaded' }, decision: { kind: 'retry', at: id } },
        { type: 'fault-observed', fault: { kind: 'spend-blocked' }, decision: { kind: 'suspend', reason: 'r' } },
        { type: 'turn-continued', messages: [{ role: 'user', content: 'steer' }] },
        resumed,
      ]
    case 'wait':
      return [sent, resumed, { type: 'session-suspended', reason: 'interrupted', detail: 'd' }]
    case 'run-tools': {
      const open = transcript.unanswered[id % Math.max(transcript.unanswered.length, 1)]
      const toolUseId = open?.toolUseId ?? 'none'
      const result = { type: 'tool_result', tool_use_id: toolUseId, content: `result ${id}` }
      return [
        { type: 'tool-started', toolUseId, name: 't', inDoubt: 'report' },
        { type: 'tool-finished', toolUseId, result, outcome: 'ran' },
        { type: 'tool-finished', toolUseId, result, outcome: 'ran' },
        { type: 'session-suspended', reason: 'needs-input', detail: 'd' },
        resumed,
      ]
    }
    case 'end-turn':
      return [{ type: 'turn-ended', turn }]
    case 'ask-person':
      return [resumed]
  }
}

/** A journal as a driver could have written it, with the head after each entry. */
function journalOf(choices: readonly number[]): { entries: Entry[]; heads: Head[] } {
  const entries: Entry[] = []
  const heads: Head[] = []
  const transcript = new Transcript()
  let snapshot: Snapshot = initialSnapshot
  let owed: Effect = { kind: 'rest' }
  choices.forEach((choice, i) => {
    const options = nextBodies(owed, transcript, snapshot.context.turn, i)
    // A parked session rests, and can only be resumed.
    const isParked = snapshot.value === 'suspended'
    const body: EntryBody = isParked
      ? { type: 'session-resumed', owner }
      : (options[choice % options.length] as EntryBody)
    const entry: Entry = { ...body, v: 3, seq: i + 1, at: i, fence: 1, lane: 'main' }
    const stepped = step(snapshot, entry)
    snapshot = stepped.snapshot
    owed = stepped.effect ?? owed
    transcript.apply(entry)
    entries.push(entry)
    const { turn, lastGoodTurn } = snapshot.context
    const machine = { version: machineVersion, ...saveSnapshot(snapshot) }
    heads.push({
      v: 3,
      sessionId: 's',
      seq: i + 1,
      status: 'idle',
      turn,
      lastGoodTurn,
      createdAt: 0,
      updatedAt: i,
      machine,
    })
  })
  return { entries, heads }
}

export const journals = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 }).map(journalOf)
