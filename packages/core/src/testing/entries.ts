/** Builders of owners, entries and heads for tests: small, valid, and the same every time. */
import { journalVersion, type Entry, type EntryBody, type Owner } from '../journal/journal.ts'
import { headVersion, type Head } from '../store/head.ts'

/** The instant at which tests start unless they say otherwise: 2026-01-01T00:00:00Z. */
export const testEpoch = Date.UTC(2026, 0, 1)

/** An owner with a process table of its own, so that nothing can tell whether its pid is alive. */
export function owner(name: string): Owner {
  return { id: name, host: `${name}.test`, realm: `realm of ${name}`, pid: 4242 }
}

/** The body of a turn that a user message starts. */
export function turnStarted(text: string, turn = 1): EntryBody {
  return { type: 'turn-started', turn, messages: [{ role: 'user', content: [{ type: 'text', text }] }] }
}

/** `body` as entry `seq`, written under `fence`. */
export function entry(seq: number, fence: number, body: EntryBody = turnStarted(`message ${seq}`)): Entry {
  return { ...body, v: journalVersion, seq, at: testEpoch + seq, fence, lane: 'main' }
}

/** `count` entries that continue after `afterSeq`. */
export function entriesAfter(afterSeq: number, count: number, fence: number, body?: EntryBody): Entry[] {
  return Array.from({ length: count }, (_, i) => entry(afterSeq + 1 + i, fence, body))
}

/** The head of a session whose last entry is `seq`. */
export function head(sessionId: string, seq: number, changes: Partial<Head> = {}): Head {
  return {
    v: headVersion,
    sessionId,
    seq,
    status: 'running',
    turn: 1,
    lastGoodTurn: 0,
    createdAt: testEpoch,
    updatedAt: testEpoch + seq,
    machine: { version: 'test', value: 'any', context: {} },
    ...changes,
  }
}
