import { describe, expect, test } from 'vitest'
import type { Edit, EntryBody } from './journal.ts'
import { initialSnapshot, step } from '../machine/machine-step.ts'
import { Transcript } from './transcript.ts'

const away: EntryBody = { type: 'rung-changed', rung: 1, model: 'claude-sonnet-5-5', reason: 'overloaded' }
const said = (text: string) => ({ role: 'user' as const, content: text })
const started = (turn: number): EntryBody => ({ type: 'turn-started', turn, messages: [said(`turn ${turn}`)] })
const message = (text: string) => ({
  id: 'm',
  role: 'assistant' as const,
  model: 'claude-sonnet-5-5',
  content: text === '' ? [] : [{ type: 'text', text }],
  stop_reason: 'end_turn',
})
const answer = (text = 'a'): EntryBody => ({ type: 'response-received', message: message(text) })
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

/** What is in force on the rung that has the turn after `entries`, for a request that newly repairs nothing before `from`. */
function inForceAfter(entries: readonly EntryBody[], from = Infinity) {
  const transcript = new Transcript()
  entries.forEach((entry, at) => transcript.apply({ ...entry, v: 3, seq: at + 1, at, fence: 1, lane: 'main' }, 's'))
  return transcript.rungRepairs.inForce(from)
}

const [ofRequest, ofPlace, ofModel] = ['thinking-off', 'remove-images:messages.0.content.1', 'drop-params:speed']
const all = [ofRequest, ofPlace, ofModel]
const next = [started(9), away]
/** A turn of one message in which the rung refused something, and answered. */
const turn = (...rules: string[]) => [started(1), away, ...rules.map(refused), answer()]

test('P7: what a rung accepted repaired is repaired in its further requests, for as long as the rule reaches', () => {
  expect(inForceAfter(turn(...all))).toEqual(all)
  expect(inForceAfter([...turn(...all), { type: 'turn-continued', messages: [said('r')] }])).toEqual(all)
  expect(inForceAfter([...turn(...all), ...next])).toEqual([ofPlace, ofModel])
  expect(inForceAfter([...turn(...all), started(2), away, answer(), ...next])).toEqual([ofPlace, ofModel])
})

test('a rule that looks at each request by itself is asked in each of them', () => {
  expect(inForceAfter([...turn('thinking-config'), ...next])).toEqual(['thinking-config'])
})

test('what it did not answer is not: an empty answer, a refusal of the model, a turn that was parked or went on in other words', () => {
  const unanswered = turn(...all).slice(0, -1)
  const suspended: EntryBody = { type: 'session-suspended', reason: 'exhausted', detail: 'd' }
  const failed = { ...refused('x'), decision: { kind: 'fail', reason: 'r' } } as EntryBody
  const declined = { type: 'response-received', message: { ...message('no'), stop_reason: 'refusal' } } as EntryBody
  const otherWords: EntryBody = { type: 'turn-continued', messages: [said('or so')] }
  expect(inForceAfter(unanswered)).toEqual([])
  for (const between of [answer(''), declined, suspended, failed, otherWords]) {
    expect(inForceAfter([...unanswered, between, answer()])).toEqual([])
  }
})

test('it belongs to the rung and its model', () => {
  const elsewhere: EntryBody = { type: 'rung-changed', rung: 2, model: 'claude-sonnet-5-5', reason: 'overloaded' }
  const home: EntryBody = { type: 'rung-changed', rung: 0, model: 'claude-opus-5-5', reason: 'up' }
  expect(inForceAfter([...turn(...all), started(9), elsewhere])).toEqual([])
  expect(inForceAfter([...turn(...all), home])).toEqual([])
  expect(inForceAfter([...turn(...all), home, away])).toEqual([ofPlace, ofModel])
  expect(inForceAfter([started(1), refused(ofModel), answer(), ...next])).toEqual([])
  expect(inForceAfter([started(1), away, refused(ofModel), elsewhere, answer(), ...next])).toEqual([])
})

test('P4: its places are known until a message before them is rewound or repaired', () => {
  const after = (...entries: EntryBody[]) => inForceAfter([...turn(ofPlace, ofModel), ...entries, ...next])
  expect(after(rewound(1))).toEqual([ofPlace, ofModel])
  expect(after(rewound(0))).toEqual([ofModel])
  expect(after(started(2), answer(), repaired([editAt(2)]))).toEqual([ofPlace, ofModel])
  expect(after(started(2), answer(), repaired([editAt(0)]))).toEqual([ofModel])
  expect(after(started(2), answer(), repaired([], ['convert-system']))).toEqual([ofModel])
})

test('P4: and in no request that repairs a message before them, until the rung has accepted that', () => {
  const then = [...turn(ofPlace, ofModel), ...next]
  expect([0, 1].map((from) => inForceAfter(then, from))).toEqual([[ofModel], [ofPlace, ofModel]])
  const moved = 'remove-images:messages.1.content.0'
  const again = [...then, refused(moved), answer(), repaired([editAt(0)])]
  expect(inForceAfter([...again, ...next])).toEqual([ofModel, moved])
})

test('and what was repaired in the very request that was answered moves none', () => {
  const both = [...turn(ofPlace), repaired([editAt(0)]), ...next]
  expect([1, 2].map((from) => inForceAfter(both, from))).toEqual([[], [ofPlace]])
})

describe('the model that was asked for', () => {
  const [always, next] = [
    [started(1), refused('strip-thinking'), answer()],
    [started(2), answer()],
  ]
  const again = [started(2), refused('strip-thinking'), answer()]
  const ended: EntryBody = { type: 'turn-ended', turn: 1 }
  const asking = (name: string): EntryBody => ({
    type: 'envelope-changed',
    envelope: { body: { model: name }, betas: [] },
  })

  test('gets what a turn called for until the turn ends; what lasts longer are edits and standing rules', () => {
    const refusals = [...all, 'strip-thinking'].map(refused)
    expect(inForceAfter([started(1), ...refusals, answer()])).toEqual([ofRequest])
    expect(inForceAfter([started(1), ...refusals, answer(), ended])).toEqual([])
    expect(inForceAfter([started(1), ...refusals, answer(), started(2)])).toEqual([])
    expect(inForceAfter([started(1), ...refusals, answer(), asking('other')])).toEqual([])
  })

  test('and what it called for twice, if its rule says so: once may have been about what is gone by now', () => {
    const twice = [...always, refused('strip-thinking'), answer()]
    expect(inForceAfter(twice)).toEqual(['strip-thinking'])
    expect(inForceAfter([...twice, ended])).toEqual([])
    expect(inForceAfter([...always, answer(), refused('strip-thinking'), answer()])).toEqual(['strip-thinking'])
  })

  test('and what two turns in a row called for from then on, if its rule says so', () => {
    expect(inForceAfter([...always, ...again, ended])).toEqual(['strip-thinking'])
    expect(inForceAfter([...always, ended, ...again, ended, started(3), away])).toEqual([])
    expect(inForceAfter([...always, ...next, ...again, ended])).toEqual([])
    expect(inForceAfter([...always, started(2), away, answer(), started(3), ...again.slice(1), ended])).toEqual([
      'strip-thinking',
    ])
    const off = [refused(ofRequest), answer()]
    expect(inForceAfter([started(1), ...off, started(2), ...off, ended])).toEqual([])
  })

  test('only that model, and a rung likewise', () => {
    const asked = [asking('one'), ...always, ...again]
    expect(inForceAfter([...asked, asking('other')])).toEqual([])
    expect(inForceAfter([...asked, asking('other'), asking('one')])).toEqual(['strip-thinking'])
    const there = (turn: number) => [started(turn), away, refused('strip-thinking'), answer()]
    expect(inForceAfter([...there(1), ...there(2), ...again.slice(0, 1), away])).toEqual(['strip-thinking'])
    expect(inForceAfter([...there(1), started(2), away])).toEqual([])
  })
})

test('a revert of repairs forgets it, also within the turn', () => {
  const reverted: EntryBody = { type: 'repairs-reverted', reason: 'r' }
  expect(inForceAfter([...turn(...all), reverted])).toEqual([])
  expect(inForceAfter([...turn(...all), reverted, ...next])).toEqual([])
})

test('an answer on a rung proves just what the machine has tried for its request, whatever came between', () => {
  const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }
  const fault = { kind: 'overloaded' } as const
  const observed = (decision: Extract<EntryBody, { type: 'fault-observed' }>['decision']): EntryBody => ({
    type: 'fault-observed',
    fault,
    decision,
  })
  const home: EntryBody = { type: 'rung-changed', rung: 0, model: 'claude-opus-5-5', reason: 'gone' }
  const bodies: EntryBody[] = [
    started(1),
    away,
    home,
    refused(ofRequest),
    { type: 'request-sent', model: 'm', attempt: 1 },
    { type: 'turn-continued', messages: [said('or so')] },
    { type: 'turn-ended', turn: 1 },
    answer(),
    answer(''),
    { type: 'response-received', message: { ...message('no'), stop_reason: 'refusal' } },
    observed({ kind: 'retry', at: 5 }),
    observed({ kind: 'keep-and-continue' }),
    observed({ kind: 'fail', reason: 'r' }),
    observed({ kind: 'suspend', reason: 'r' }),
    { type: 'request-held', until: 7, reason: 'h' },
    { type: 'session-suspended', reason: 'interrupted', detail: 'd' },
    { type: 'session-resumed', owner },
    rewound(0),
  ]
  const walks = bodies.flatMap((one) =>
    bodies.map((other) => [started(1), away, refused(ofModel), one, other, answer()]),
  )
  for (const walk of walks) {
    const transcript = new Transcript()
    let snapshot = initialSnapshot
    for (const [at, body] of walk.entries()) {
      const entry = { ...body, v: 3 as const, seq: at + 1, at, fence: 1, lane: 'main' as const }
      const { snapshot: next } = step(snapshot, entry)
      // What a state does not take, nobody records in it.
      if (next === snapshot) continue
      const { rung, tried } = snapshot.context
      const known = transcript.rungRepairs.inForce(Infinity)
      transcript.apply(entry, 's')
      snapshot = next
      if (entry.type !== 'response-received' || rung === 0) continue
      const isProof = entry.message.stop_reason === 'end_turn' && entry.message.content.length > 0
      const inForce = new Set(transcript.rungRepairs.inForce(Infinity))
      expect({ walk, inForce }).toEqual({ walk, inForce: new Set([...known, ...(isProof ? tried : [])]) })
    }
  }
})
