import fc from 'fast-check'
import { initialTransition, transition } from 'xstate'
import { expect, test } from 'vitest'
import type { Entry, EntryBody } from '../journal/journal.ts'
import { ended, fault, finished, intent, response, resumed, run, sent, stamped, started } from './machine.fixture.ts'
import { sessionMachine } from './machine.ts'
import { initialSnapshot, restoreSnapshot, saveSnapshot, step } from './machine-step.ts'
import { stepThrough } from './step-through.ts'

test('a step is what xstate makes of it: state, context and the effect that is owed, for any entry in any state', () => {
  const suspended = (reason: 'interrupted' | 'needs-input'): EntryBody => ({
    type: 'session-suspended',
    reason,
    detail: 'd',
    ...(reason === 'interrupted' && { retryAt: 9 }),
  })
  const bodies: EntryBody[] = [
    started,
    { type: 'turn-continued', messages: [] },
    sent,
    response('tool_use', 'a', 'b'),
    response('end_turn'),
    response('refusal'),
    response('pause_turn'),
    intent('a'),
    finished('a'),
    finished('b'),
    fault({ kind: 'retry', at: 5 }),
    fault({ kind: 'resend' }),
    fault({ kind: 'fallback', rung: 1 }),
    fault({ kind: 'suspend', reason: 'x', retryAt: 8 }),
    fault({ kind: 'fail', reason: 'x' }),
    fault({ kind: 'repair', rule: 'r' }),
    fault({ kind: 'keep-and-continue' }),
    { type: 'request-held', until: 7, reason: 'h' },
    { type: 'rung-changed', rung: 1, model: 'n', reason: 'o' },
    { type: 'repairs-reverted', reason: 'r' },
    ended,
    resumed,
    { ...resumed, refolded: true } as EntryBody,
    suspended('interrupted'),
    suspended('needs-input'),
    { type: 'rewound', messages: 0, turn: 1, lastGoodTurn: 0, reason: 'r' },
    { type: 'rewound', messages: 0, turn: 0, lastGoodTurn: 0, reason: 'r' },
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...bodies), { maxLength: 40 }), (walk) => {
      let ours = initialSnapshot
      let [theirs] = initialTransition(sessionMachine)
      for (const [at, body] of walk.entries()) {
        const event: Entry = { ...body, v: 3, seq: at + 1, at: at * 10, fence: 1, lane: 'main' }
        const stepped = step(ours, event)
        const [next, actions] = transition(sessionMachine, theirs, event)
        expect(stepped.snapshot).toEqual({ value: next.value, context: next.context })
        const owed = actions.at(-1)?.type
        expect(stepped.effect?.kind).toBe(owed)
        expect(stepped.snapshot === ours).toBe(next === theirs)
        ours = stepped.snapshot
        theirs = next
      }
    }),
    { numRuns: 500 },
  )
})

test('entries that are no events of the machine are recorded in any state, and events only where they apply', () => {
  const before = { snapshot: initialSnapshot, owed: { kind: 'rest' } as const }
  const reverted = stamped({ type: 'repairs-reverted', reason: 'r' })
  expect(stepThrough('s', before, [reverted])).toEqual(before)
  expect(stepThrough('s', before, [reverted, stamped(started, 2)])).toMatchObject({
    snapshot: { value: 'requesting' },
    owed: { kind: 'send-request' },
  })
  expect(() => stepThrough('s', before, [reverted, stamped(ended, 2)])).toThrow(
    expect.objectContaining({
      code: 'journal-conflict',
      details: { sessionId: 's', type: 'turn-ended', state: 'idle' },
    }),
  )
})

test('a head keeps only what differs from a session without entries (P7)', () => {
  expect(saveSnapshot(initialSnapshot)).toEqual({ value: 'idle', context: {} })
  const { snapshot } = run([started, sent, response('tool_use', 'a')])
  expect(saveSnapshot(snapshot)).toEqual({ value: 'executingTools', context: { turn: 1, calls: { a: 'open' } } })
})

test('a head that names no state of the machine is damage, and is told (P5)', () => {
  for (const value of ['of-tomorrow', '', 'toString']) {
    expect(() => restoreSnapshot({ value, context: {} })).toThrow(
      expect.objectContaining({ code: 'journal-corrupt', hint: expect.stringContaining('lastgood show') }),
    )
  }
})
