import { expect, test } from 'vitest'
import type { Edit, EntryBody } from './journal.ts'
import { Transcript } from './transcript.ts'

const away: EntryBody = { type: 'rung-changed', rung: 1, model: 'claude-sonnet-5-5', reason: 'overloaded' }
const said = (text: string) => ({ role: 'user' as const, content: text })
const started = (turn: number): EntryBody => ({ type: 'turn-started', turn, messages: [said(`turn ${turn}`)] })
const answer = (text = 'a'): EntryBody => ({
  type: 'response-received',
  message: {
    id: 'm',
    role: 'assistant',
    model: 'claude-sonnet-5-5',
    content: text === '' ? [] : [{ type: 'text', text }],
    stop_reason: 'end_turn',
  },
})
const refused = (rule: string): EntryBody => ({
  type: 'fault-observed',
  fault: { kind: 'image-rejected', status: 400, repairs: [rule] },
  decision: { kind: 'repair', rule },
})
const rewound = (messages: number): EntryBody => ({
  type: 'rewound',
  messages,
  turn: 0,
  lastGoodTurn: 0,
  reason: 'edited',
})
const repaired = (edits: Edit[], standing: string[] = []): EntryBody => ({
  type: 'transcript-repaired',
  repairs: [],
  edits,
  standing,
})
const editAt = (from: number): Edit => ({ from, to: from + 1, insert: [said('other')] })

/** What the rung that takes the turn after `entries` has refused. */
function refusedAfter(...entries: EntryBody[]) {
  const transcript = new Transcript()
  const all = [...entries, started(9), away]
  all.forEach((entry, at) => transcript.apply({ ...entry, v: 3, seq: at + 1, at, fence: 1, lane: 'main' }, 's'))
  return transcript.rungRepairs.current
}

/** A turn of one message in which the rung refused something, and answered. */
const turn = [started(1), away, refused('r:1'), answer()]

test('P7: what a rung refused and then answered is known in later turns; what it did not answer is not', () => {
  expect(refusedAfter(...turn)).toEqual([{ rule: 'r:1', upTo: 1 }])
  expect(refusedAfter(...turn.slice(0, 3))).toEqual([])
  expect(refusedAfter(...turn.slice(0, 3), answer(''))).toEqual([])
  const suspended: EntryBody = { type: 'session-suspended', reason: 'exhausted', detail: 'd' }
  expect(refusedAfter(...turn.slice(0, 3), suspended, answer())).toEqual([])
})

test('it belongs to the rung and its model', () => {
  const elsewhere: EntryBody = { type: 'rung-changed', rung: 2, model: 'claude-sonnet-5-5', reason: 'overloaded' }
  expect(refusedAfter(started(1), elsewhere, refused('r:1'), answer())).toEqual([])
  expect(refusedAfter(started(1), refused('r:1'), answer())).toEqual([])
  expect(refusedAfter(started(1), away, refused('r:1'), elsewhere, answer())).toEqual([])
})

test('P4: its places are known until a message before them is rewound or repaired', () => {
  const moved = [{ rule: 'r:1', upTo: undefined }]
  expect(refusedAfter(...turn, rewound(1))).toEqual([{ rule: 'r:1', upTo: 1 }])
  expect(refusedAfter(...turn, rewound(0))).toEqual(moved)
  expect(refusedAfter(...turn, started(2), answer(), repaired([editAt(2)]))).toEqual([{ rule: 'r:1', upTo: 1 }])
  expect(refusedAfter(...turn, started(2), answer(), repaired([editAt(0)]))).toEqual(moved)
  expect(refusedAfter(...turn, started(2), answer(), repaired([], ['convert-system']))).toEqual(moved)
})

test('and what was repaired in the very request that was answered moves none', () => {
  expect(refusedAfter(...turn, repaired([editAt(0)]))).toEqual([{ rule: 'r:1', upTo: 2 }])
})

test('a revert of repairs forgets it', () => {
  expect(refusedAfter(...turn, { type: 'repairs-reverted', reason: 'r' })).toEqual([])
})
