import fc from 'fast-check'
import { initialTransition, transition, type SnapshotFrom } from 'xstate'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Entry, EntryBody } from '../journal/journal.ts'
import type { Effect, StateName } from './machine-state.ts'
import { sessionMachine } from './machine.ts'
import { initialSnapshot, restoreSnapshot, saveSnapshot, step, type Snapshot } from './machine-step.ts'

const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }
const stamped = (body: EntryBody, seq = 1, at = 1_000): Entry => ({ ...body, v: 3, seq, at, fence: 1, lane: 'main' })

function run(bodies: readonly EntryBody[], from: Snapshot = initialSnapshot) {
  let snapshot = from
  let owed: Effect | undefined
  for (const [i, body] of bodies.entries()) {
    const stepped = step(snapshot, stamped(body, i + 1))
    snapshot = stepped.snapshot
    owed = stepped.effect ?? owed
  }
  return { state: snapshot.value, context: snapshot.context, owed, snapshot }
}

const started: EntryBody = { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'hi' }] }
const sent: EntryBody = { type: 'request-sent', model: 'm', attempt: 1 }
const response = (stopReason: string, ...calls: string[]): EntryBody => ({
  type: 'response-received',
  message: {
    id: 'msg',
    role: 'assistant',
    model: 'm',
    content: calls.map((id) => ({ type: 'tool_use', id, name: 't', input: {} })),
    stop_reason: stopReason,
  },
})
const intent = (toolUseId: string): EntryBody => ({ type: 'tool-started', toolUseId, name: 't', inDoubt: 'report' })
const finished = (toolUseId: string): EntryBody => ({
  type: 'tool-finished',
  toolUseId,
  result: { type: 'tool_result', tool_use_id: toolUseId },
  outcome: 'ran',
})
type Observed = Extract<EntryBody, { type: 'fault-observed' }>
const transient: Observed['fault'] = { kind: 'server-transient', status: 500 }
const fault = (decision: Observed['decision'], seen = transient): EntryBody => ({
  type: 'fault-observed',
  fault: seen,
  decision,
})
const ended: EntryBody = { type: 'turn-ended', turn: 1 }
const resumed: EntryBody = { type: 'session-resumed', owner }

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
      faults: 4,
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
    expect(run([started, sent, response('refusal')])).toMatchObject({ state: 'refused', owed: { kind: 'rest' } })
    for (const seen of [transient, { kind: 'spend-blocked' } as const]) {
      expect(run([started, sent, fault(suspend, seen)])).toMatchObject({ state: 'suspended' })
    }
    const parked = run([started, sent, { type: 'session-suspended', reason: 'interrupted', detail: 'd', retryAt: 9 }])
    expect(parked).toMatchObject({ state: 'suspended', context: { wakeAt: 9, reason: 'd' } })
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

  test('another rung takes the turn with a window of its own; the next turn begins with the first', () => {
    const changed: EntryBody = { type: 'rung-changed', rung: 1, model: 'n', reason: 'overloaded' }
    const fallen = run([started, sent, fault({ kind: 'fallback', rung: 1 }), changed])
    expect(fallen).toMatchObject({
      state: 'requesting',
      owed: { kind: 'send-request' },
      context: { rung: 1, faults: 1, rungFaults: 0, rungFaultAt: null },
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
    expect(run([resumed], mended.snapshot).context.tried).toEqual(['drop-block', 'strip-thinking'])
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

  test('a head that names no state of the machine is damage, and is told (P5)', () => {
    for (const value of ['of-tomorrow', '', 'toString']) {
      expect(() => restoreSnapshot({ value, context: {} })).toThrow(
        expect.objectContaining({ code: 'journal-corrupt', hint: expect.stringContaining('lastgood show') }),
      )
    }
  })

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
})
