import fc from 'fast-check'
import type { SnapshotFrom } from 'xstate'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { EntryBody } from '../journal/journal.ts'
import {
  ended,
  fault,
  finished,
  intent,
  response,
  resumed,
  run,
  sent,
  stamped,
  started,
  transient,
} from './machine.fixture.ts'
import type { StateName } from './machine-state.ts'
import { sessionMachine } from './machine.ts'
import { initialSnapshot, restoreSnapshot, saveSnapshot, step } from './machine-step.ts'

describe('the session machine', () => {
  test('a turn: request, parallel tools, request, answer, rest', () => {
    expect(run([started]).owed).toEqual({ kind: 'send-request' })
    expect(run([started, sent, response('tool_use', 'a', 'b')]).owed).toEqual({ kind: 'run-tools' })
    const oneLeft = run([started, sent, response('tool_use', 'a', 'b'), intent('a'), intent('b'), finished('b')])
    expect(oneLeft).toMatchObject({ state: 'executingTools', context: { calls: { a: 'started' } } })
    const all = run([finished('a')], oneLeft.snapshot)
    expect(all).toMatchObject({ state: 'requesting', owed: { kind: 'send-request' } })
    const end = run([sent, response('end_turn'), ended], all.snapshot)
    expect(end).toMatchObject({ state: 'idle', owed: { kind: 'rest' }, context: { turn: 1, lastGoodTurn: 1 } })
  })

  test('what every object has is no call that was made', () => {
    const calling = run([started, sent, response('tool_use', 'a', 'b')])
    for (const id of ['constructor', 'toString', '__proto__']) {
      expect(run([intent(id)], calling.snapshot).snapshot).toBe(calling.snapshot)
      expect(run([finished(id)], calling.snapshot).snapshot).toBe(calling.snapshot)
    }
  })

  test('a wait is an instant that survives a restart (P6)', () => {
    const waiting = run([started, sent, fault({ kind: 'retry', at: 9_000 })])
    expect(waiting.owed).toEqual({ kind: 'wait', until: 9_000 })
    const restored = run([resumed], restoreSnapshot(JSON.parse(JSON.stringify(saveSnapshot(waiting.snapshot)))))
    expect(restored).toMatchObject({ state: 'backingOff', owed: { kind: 'wait', until: 9_000 } })
  })

  test('faults are counted until there is progress', () => {
    const retry = fault({ kind: 'retry', at: 1 })
    const twice = run([started, sent, retry, sent, retry, sent])
    expect(twice.context).toMatchObject({ faults: 2, attempt: 3, firstFaultAt: 1_000, wakeAt: null })
    expect(run([response('end_turn')], twice.snapshot).context).toMatchObject({
      faults: 0,
      attempt: 0,
      firstFaultAt: null,
    })
  })

  test('before the first entry nothing has happened', () => {
    expect(initialSnapshot).toEqual({
      value: 'idle',
      context: {
        turn: 0,
        lastGoodTurn: 0,
        calls: {},
        attempt: 0,
        faults: 0,
        firstFaultAt: null,
        faultKind: null,
        faultsOfKind: 0,
        rung: 0,
        rungModel: null,
        rungFaults: 0,
        rungFaultAt: null,
        tried: [],
        tokens: 0,
        wakeAt: null,
        reason: null,
      },
    })
  })

  test('faults are counted by kind, as long as one follows the other, and by the tokens that they cost', () => {
    const [soon, later] = [{ kind: 'retry', at: 1 } as const, { kind: 'retry', at: 2 } as const]
    const cut = { kind: 'stream-cut', tokens: 3 } as const
    const one = run([started, sent, fault(soon)])
    expect(one.context).toMatchObject({
      faultKind: 'server-transient',
      faultsOfKind: 1,
      reason: '500 server-transient',
    })
    const since = { firstFaultAt: 1_000, rungFaultAt: 1_000 }
    expect(step(one.snapshot, stamped(fault(later), 2, 2_000)).snapshot.context).toMatchObject(since)
    const two = run([sent, fault(later)], one.snapshot)
    expect(two.context).toMatchObject({ faultKind: 'server-transient', faultsOfKind: 2, wakeAt: 2 })
    const four = run([sent, fault(soon, cut), sent, fault(soon, cut)], two.snapshot)
    expect(four.context).toMatchObject({
      reason: 'stream-cut',
      faults: 4,
      tried: [],
      faultKind: 'stream-cut',
      faultsOfKind: 2,
      rungFaults: 4,
      tokens: 6,
    })
    expect(run([sent, fault(soon)], four.snapshot).context).toMatchObject({ faultsOfKind: 1, tokens: 6 })
  })

  test('what the same request cannot win is refused; anything else that stops it is suspended, and goes on as it was', () => {
    const fail = { kind: 'fail', reason: 'x' } as const
    const suspend = { kind: 'suspend', reason: 'x' } as const
    const refolded = { ...resumed, refolded: true } as EntryBody
    for (const observed of [
      fault(fail),
      fault(suspend, { kind: 'poisoned' }),
      fault(suspend, { kind: 'output-filtered' }),
    ]) {
      const refused = run([started, sent, observed])
      expect(refused).toMatchObject({ state: 'refused', owed: { kind: 'rest' }, context: { faults: 1, reason: 'x' } })
      // To fold the journal anew is no wish to try again.
      expect(run([refolded], refused.snapshot)).toMatchObject({ state: 'refused', context: { faults: 0, reason: 'x' } })
      expect(run([resumed], refused.snapshot)).toMatchObject({ state: 'requesting', context: { reason: null } })
    }
    const declined = run([started, sent, fault({ kind: 'repair', rule: 'r' }), sent, response('refusal')])
    expect(declined).toMatchObject({ state: 'refused', owed: { kind: 'rest' } })
    expect(declined.context).toEqual({ ...initialSnapshot.context, turn: 1, reason: expect.any(String) })
    for (const seen of [transient, { kind: 'spend-blocked' } as const]) {
      expect(run([started, sent, fault(suspend, seen)])).toMatchObject({ state: 'suspended' })
    }
    const parked = run([started, sent, { type: 'session-suspended', reason: 'interrupted', detail: 'd', retryAt: 9 }])
    expect(parked).toMatchObject({ state: 'suspended', context: { wakeAt: 9, reason: 'd' } })
    const forGood: EntryBody = { type: 'session-suspended', reason: 'interrupted', detail: 'd' }
    expect(run([forGood], parked.snapshot)).toMatchObject({ context: { wakeAt: null } })
  })

  test('what is held by the circuit breaker waits for an instant, again and again, and survives a restart', () => {
    const held = (until: number): EntryBody => ({ type: 'request-held', until, reason: 'the breaker is open' })
    const waiting = run([started, held(5_000), held(8_000)])
    expect(waiting).toMatchObject({
      state: 'backingOff',
      owed: { kind: 'wait', until: 8_000 },
      context: { faults: 0, reason: 'the breaker is open' },
    })
    expect(run([resumed], waiting.snapshot).owed).toEqual({ kind: 'wait', until: 8_000 })
    expect(run([sent], waiting.snapshot)).toMatchObject({ state: 'requesting', context: { wakeAt: null } })
  })

  test('a request has been in trouble since its first hold or fault, whichever came first', () => {
    const held: EntryBody = { type: 'request-held', until: 5_000, reason: 'the breaker is open' }
    const since = (...bodies: EntryBody[]) => {
      const { snapshot } = run(bodies)
      return step(step(snapshot, stamped(held, 8, 2_000)).snapshot, stamped(sent, 9, 3_000)).snapshot.context
    }
    expect(since(started)).toMatchObject({ firstFaultAt: 2_000, faults: 0 })
    expect(since(started, held)).toMatchObject({ firstFaultAt: 1_000 })
    expect(since(started, sent, fault({ kind: 'retry', at: 1 }))).toMatchObject({ firstFaultAt: 1_000 })
  })

  test('another rung takes the turn with a window of its own; the next turn begins with the first', () => {
    const changed: EntryBody = { type: 'rung-changed', rung: 1, model: 'n', reason: 'overloaded' }
    const fallen = run([started, sent, fault({ kind: 'fallback', rung: 1 }), changed])
    expect(fallen).toMatchObject({
      state: 'requesting',
      owed: { kind: 'send-request' },
      context: { rung: 1, rungModel: 'n', faults: 1, rungFaults: 0, rungFaultAt: null },
    })
    const waiting = run([sent, fault({ kind: 'retry', at: 9_000 })], fallen.snapshot)
    // The model that the caller asked for needs no name.
    expect(run([{ ...changed, rung: 0 }], waiting.snapshot)).toMatchObject({
      state: 'requesting',
      context: { rung: 0, rungModel: null, wakeAt: null },
    })
    const later = run([sent, response('tool_use', 'a'), finished('a'), sent], fallen.snapshot)
    expect(later.context.rung).toBe(1)
    const next = run([response('end_turn'), ended, { ...started, turn: 2 } as EntryBody], later.snapshot)
    expect(next.context.rung).toBe(0)
  })

  test('repairs stay in force for the request until there is progress, also over a restart', () => {
    const repair = (rule: string) => fault({ kind: 'repair', rule })
    const mended = run([started, sent, repair('drop-block'), sent, repair('strip-thinking')])
    expect(mended).toMatchObject({
      state: 'requesting',
      owed: { kind: 'send-request' },
      context: { tried: ['drop-block', 'strip-thinking'] },
    })
    expect(run([resumed], mended.snapshot)).toMatchObject({
      state: 'requesting',
      context: { tried: ['drop-block', 'strip-thinking'] },
    })
    expect(run([sent, response('end_turn')], mended.snapshot).context.tried).toEqual([])
  })

  test('progress ends what was tried for a request, on every rung', () => {
    const continued: EntryBody = { type: 'turn-continued', messages: [] }
    const changed: EntryBody = { type: 'rung-changed', rung: 1, model: 'n', reason: 'overloaded' }
    const repaired = [sent, fault({ kind: 'repair', rule: 'drop-block' }), sent]
    for (const before of [[started], [started, sent, changed]]) {
      const mended = run([...before, ...repaired])
      for (const next of [continued, response('tool_use', 'a'), response('end_turn')]) {
        expect(run([next], mended.snapshot).context).toMatchObject({ tried: [], attempt: 0, faults: 0 })
      }
      expect(run([changed], mended.snapshot).context.tried).toEqual([])
    }
  })

  test('a turn, and what is said into one, begin with nothing of the requests and calls before them', () => {
    const changed: EntryBody = { type: 'rung-changed', rung: 1, model: 'n', reason: 'overloaded' }
    const troubled = run([started, sent, changed, fault({ kind: 'retry', at: 9 }, { kind: 'overloaded', tokens: 5 })])
    const calling = run([started, sent, response('tool_use', 'a'), intent('a')])
    const fresh = { ...initialSnapshot.context, turn: 2 }
    const rewound: EntryBody = { type: 'rewound', messages: 2, turn: 2, lastGoodTurn: 0, reason: 'r' }
    for (const { snapshot } of [troubled, calling]) {
      for (const next of [{ ...started, turn: 2 } as EntryBody, rewound]) {
        const begun = run([next], snapshot)
        expect(begun.state).toBe('requesting')
        expect(begun.context).toEqual(fresh)
      }
      const { rung, rungModel } = snapshot.context
      const continued = run([{ type: 'turn-continued', messages: [] }], snapshot)
      expect(continued.state).toBe('requesting')
      expect(continued.context).toEqual({ ...fresh, turn: 1, rung, rungModel })
    }
  })

  test('an answer that is kept after it broke off needs no other attempt', () => {
    const kept = run([started, sent, fault({ kind: 'keep-and-continue' }), response('tool_use', 'a')])
    expect(kept).toMatchObject({ state: 'executingTools', owed: { kind: 'run-tools' }, context: { faults: 0 } })
  })

  test('a parked session owes its request again once it is resumed, with a new budget and without the wait', () => {
    const parked = run([started, sent, fault({ kind: 'suspend', reason: 'spend', retryAt: 99_000 })])
    expect(parked).toMatchObject({
      state: 'suspended',
      owed: { kind: 'rest' },
      context: { wakeAt: 99_000, reason: 'spend' },
    })
    expect(run([resumed], parked.snapshot)).toMatchObject({
      state: 'requesting',
      owed: { kind: 'send-request' },
      context: { faults: 0, wakeAt: null, reason: null },
    })
  })

  test('a crash while tools run owes the tools again, and knows which had started (P2)', () => {
    const crashed = run([started, sent, response('tool_use', 'a', 'b'), intent('a')])
    expect(run([resumed], crashed.snapshot)).toMatchObject({
      state: 'executingTools',
      owed: { kind: 'run-tools' },
      context: { calls: { a: 'started', b: 'open' } },
    })
  })

  test('a paused turn is sent again at once', () => {
    expect(run([started, sent, response('pause_turn')])).toMatchObject({
      state: 'requesting',
      owed: { kind: 'send-request' },
    })
  })

  test('a result for a call that was never made changes nothing', () => {
    const running = run([started, sent, response('tool_use', 'a')])
    expect(run([finished('zz')], running.snapshot).snapshot).toBe(running.snapshot)
  })

  test('a question for a person parks the session until it is resumed', () => {
    const asking = run([
      started,
      sent,
      response('tool_use', 'a'),
      intent('a'),
      { type: 'session-suspended', reason: 'needs-input', detail: 'a?' },
    ])
    expect(asking).toMatchObject({ state: 'needsInput', owed: { kind: 'ask-person' } })
    expect(run([resumed], asking.snapshot)).toMatchObject({ state: 'executingTools', owed: { kind: 'run-tools' } })
  })

  test('a rewind to a finished turn rests; into an open one owes the request', () => {
    const rewound = (turn: number, lastGoodTurn: number): EntryBody => ({
      type: 'rewound',
      messages: 2,
      turn,
      lastGoodTurn,
      reason: 'r',
    })
    const two = [started, sent, response('end_turn'), ended, { ...started, turn: 2 } as EntryBody, sent]
    expect(run([...two, rewound(1, 1)])).toMatchObject({ state: 'idle', context: { turn: 1, lastGoodTurn: 1 } })
    expect(run([...two, rewound(1, 0)])).toMatchObject({ state: 'requesting', context: { turn: 1, lastGoodTurn: 0 } })
  })

  test('it has no timers, no promises and no children: restoring it starts nothing', () => {
    const nodes = [sessionMachine.root, ...Object.values(sessionMachine.root.states)]
    expect(nodes.flatMap((node) => [...node.invoke, ...node.after])).toEqual([])
  })

  test('its states are those that a session may be in', () => {
    expectTypeOf<SnapshotFrom<typeof sessionMachine>['value']>().toEqualTypeOf<StateName>()
  })

  test('any order of entries keeps the machine in a state that can be left, and JSON keeps the state', () => {
    const bodies = [
      started,
      sent,
      response('tool_use', 'a', 'b'),
      response('end_turn'),
      intent('a'),
      finished('a'),
      finished('b'),
      fault({ kind: 'retry', at: 5 }),
      fault({ kind: 'suspend', reason: 'x' }),
      fault({ kind: 'repair', rule: 'r' }),
      fault({ kind: 'keep-and-continue' }),
      { type: 'request-held', until: 7, reason: 'h' } as const,
      { type: 'rung-changed', rung: 1, model: 'n', reason: 'o' } as const,
      ended,
      resumed,
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bodies), { maxLength: 30 }), (walk) => {
        const { snapshot, state, context } = run(walk)
        expect(state).not.toBe('restoring')
        expect(Object.keys(context.calls).length).toBeLessThanOrEqual(2)
        const saved = JSON.parse(JSON.stringify(saveSnapshot(snapshot)))
        expect(saveSnapshot(restoreSnapshot(saved))).toEqual(saved)
        // Whatever was in flight, a restart finds one way back in.
        const again = run([resumed], snapshot)
        expect(again.owed?.kind ?? 'rest').toMatch(/rest|send-request|wait|run-tools/)
      }),
    )
  })
})
