import { expect, it } from 'vitest'
import type { SessionCard } from '../../src/overview.ts'
import type { SessionDocument } from '../../src/session-document.ts'
import { offersOf, turnsFor } from './actions.ts'

const heldBy = { host: 'there', pid: 12, since: '2026-01-01T00:00:00.000Z' }

/** A session whose turns are `ended`, with one more where it is open. */
function document(ended: readonly number[], card: Partial<SessionCard>): SessionDocument {
  const lastGoodTurn = ended.at(-1) ?? 0
  const turns = ended.map((turn) => ({ turn, state: 'ended' }))
  const known = {
    status: 'idle',
    turn: lastGoodTurn,
    lastGoodTurn,
    heldBy: null,
    command: 'lastgood resume s',
    clientCommand: null,
    ...card,
  }
  return { card: known, resume: null, turns } as unknown as SessionDocument
}

const refusalOf = (name: string, card: Partial<SessionCard>): string | undefined =>
  offersOf(document([1], card), undefined).find((one) => one.name === name)?.refusal

it('what goes back to the last good turn is offered while a turn is open, and is the first choice', () => {
  expect(turnsFor('rewind', document([1, 2, 3], { turn: 4 }))).toEqual([3, 2, 1, 0])
  expect(turnsFor('rewind', document([1, 2, 3], {}))).toEqual([2, 1, 0])
  expect(turnsFor('fork', document([1, 2, 3], { turn: 4 }))).toEqual([3, 2, 1])
})

it('says before the first saved turn that there is none', () => {
  const resume = { turn: 1, does: 'turn 1 is open', cost: 'about $0.01' } as SessionDocument['resume']
  const [first] = offersOf({ ...document([], { status: 'suspended', turn: 1 }), resume }, undefined)
  expect(first?.does.at(-1)).toBe('No turn is saved yet; finished tool calls are not run again.')
})

it('a session that is held and at rest can be neither suspended nor taken over', () => {
  for (const name of ['suspend', 'takeover']) {
    expect(refusalOf(name, { heldBy, status: 'idle' })).toBe('No turn is open in it.')
    expect(refusalOf(name, { heldBy, status: 'running', turn: 2 })).toBeUndefined()
    expect(refusalOf(name, { status: 'waiting', turn: 2 })).toMatch(/^No process/)
  }
})

it('what another process has is not called finished: it says who has it, and that it can be taken over', () => {
  const held = /^pid 12 on there has it\. .*take it over/
  expect(refusalOf('resume', { heldBy, status: 'waiting', turn: 2 })).toMatch(held)
  expect(refusalOf('resume', { heldBy, status: 'running', turn: 2 })).toMatch(held)
  expect(refusalOf('resume', { heldBy })).toMatch(/^Nothing is open/)
  expect(refusalOf('resume', {})).toMatch(/^Nothing is open/)
})

it('what no agent of a configuration ran is neither resumed nor taken over here, and can be suspended', () => {
  const own = { command: null, status: 'running', turn: 2 } as const
  expect(refusalOf('resume', own)).toMatch(/^No agent of a configuration ran it: start its own program again/)
  expect(refusalOf('takeover', { ...own, heldBy })).toMatch(/^No agent/)
  expect(refusalOf('suspend', { ...own, heldBy })).toBeUndefined()
})

it('what its client holds is neither rewound nor forked here', () => {
  const theirs = { clientCommand: 'lastgood run -- claude --resume s' }
  for (const name of ['rewind', 'fork']) {
    expect(refusalOf(name, theirs)).toMatch(/^Its client continues it from its own copy/)
    expect(refusalOf(name, {})).toBeUndefined()
  }
})
