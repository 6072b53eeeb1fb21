/**
 * The session machine: a statechart used as a pure function. Its events are journal entries, so the state of a session
 * is the fold of its journal.
 *
 * 1. `step` (`machine-step.ts`) is pure: no timers, promises, `invoke` or `after`. A wait is an instant in the context.
 * 2. A state's entry action names, as data, the one effect that the session owes while it is there. The driver runs it
 *    after the entry is durable; coming back after a restart re-enters the state and so owes the same effect again.
 * 3. The context is JSON and does not grow with the conversation: calls are those of the last response only.
 * 4. `restoring` is a choice that never rests; every state can be left by `session-resumed`.
 */
import { assign, setup } from 'xstate'
import { traitsOf } from '../faults/fault-kinds.ts'
import { callsOf, isRefusal, pausesTurn } from '../journal/answer.ts'
import type { AssistantMessage, Entry } from '../journal/journal.ts'
import type { Context, Effect } from './machine-state.ts'

/** What a restart resets. */
const budget = {
  faults: 0,
  firstFaultAt: null,
  faultKind: null,
  faultsOfKind: 0,
  rungFaults: 0,
  rungFaultAt: null,
  tokens: 0,
}
const progress = { attempt: 0, ...budget, tried: [], wakeAt: null, reason: null }
const atHome = { rung: 0, rungModel: null }
/** Before the first entry. */
export const freshContext: Context = { turn: 0, lastGoodTurn: 0, calls: {}, ...atHome, ...progress }

const isAnswer = (entry: Entry, which: (answer: AssistantMessage) => boolean) =>
  entry.type === 'response-received' && which(entry.message)

/** Decisions after which the request is sent again at once: unchanged, repaired, or through another rung. */
const goingOnAtOnce: ReadonlySet<string> = new Set(['resend', 'repair', 'fallback'])

const callIdsIn = (entry: Entry): string[] =>
  entry.type === 'response-received' ? callsOf(entry.message).map((call) => String(call['id'])) : []

type Calls = Context['calls']

/**
 * The calls with one of them in this state; undefined: without it. The object has no prototype, since its keys are ids:
 * so it is a dictionary from the start, while V8 makes and looks up a shape of its own for each id in a literal.
 */
const withCall = (calls: Calls, id: string, state: Calls[string] | undefined): Calls => {
  const changed = Object.create(null) as Calls
  for (const known in calls) changed[known] = calls[known] as Calls[string]
  if (state) changed[id] = state
  else delete changed[id]
  return changed
}

type Update = (context: Context, event: Entry) => Partial<Context>

/** When a transition is taken. */
export const guards = {
  refuses: (_, event) => isAnswer(event, isRefusal),
  leavesCalls: (_, event) => callIdsIn(event).length > 0,
  pausesTurn: (_, event) => isAnswer(event, pausesTurn),
  isLastCall: (context, event) =>
    event.type === 'tool-finished' && Object.keys(context.calls).every((id) => id === event.toolUseId),
  isKnownCall: (context, event) => 'toolUseId' in event && Object.hasOwn(context.calls, event.toolUseId),
  willRetry: (_, event) => event.type === 'fault-observed' && event.decision.kind === 'retry',
  goesOnAtOnce: (_, event) => event.type === 'fault-observed' && goingOnAtOnce.has(event.decision.kind),
  keepsAnswer: (_, event) => event.type === 'fault-observed' && event.decision.kind === 'keep-and-continue',
  cannotWin: (_, event) =>
    event.type === 'fault-observed' &&
    (event.decision.kind === 'fail' ||
      (event.decision.kind === 'suspend' && traitsOf(event.fault.kind).needsOtherWords === true)),
  isRefolded: (_, event) => event.type === 'session-resumed' && event.refolded === true,
  needsInput: (_, event) => event.type === 'session-suspended' && event.reason === 'needs-input',
  hasCalls: (context) => Object.keys(context.calls).length > 0,
  isWaiting: (context) => context.wakeAt !== null,
  hasOpenTurn: (context) => context.turn > context.lastGoodTurn,
} satisfies Record<string, (context: Context, event: Entry) => boolean>

/** What a transition changes in the context. */
export const updates = {
  startTurn: (_, event) =>
    event.type === 'turn-started' ? { ...progress, calls: {}, ...atHome, turn: event.turn } : {},
  continueTurn: () => ({ ...progress, calls: {} }),
  countAttempt: (context) => ({ attempt: context.attempt + 1, wakeAt: null }),
  takeResponse: (_, event) => ({
    ...progress,
    calls: callIdsIn(event).reduce((calls, id) => withCall(calls, id, 'open'), {}),
  }),
  recordRefusal: () => ({ ...progress, reason: 'The model refused to answer. Rewind, or rephrase' }),
  startCall: (context, event) =>
    event.type === 'tool-started' ? { calls: withCall(context.calls, event.toolUseId, 'started') } : {},
  finishCall: (context, event) =>
    event.type === 'tool-finished' ? { calls: withCall(context.calls, event.toolUseId, undefined) } : {},
  recordFault: (context, event) => {
    if (event.type !== 'fault-observed') return {}
    const { fault, decision } = event
    return {
      faults: context.faults + 1,
      firstFaultAt: context.firstFaultAt ?? event.at,
      faultKind: fault.kind,
      faultsOfKind: context.faultKind === fault.kind ? context.faultsOfKind + 1 : 1,
      rungFaults: context.rungFaults + 1,
      rungFaultAt: context.rungFaultAt ?? event.at,
      tried: decision.kind === 'repair' ? [...context.tried, decision.rule] : context.tried,
      tokens: context.tokens + (fault.tokens ?? 0),
      wakeAt: (decision.kind === 'retry' ? decision.at : decision.kind === 'suspend' && decision.retryAt) || null,
      reason: 'reason' in decision ? decision.reason : [fault.status, fault.kind].filter(Boolean).join(' '),
    }
  },
  hold: (context, event) =>
    event.type === 'request-held'
      ? { wakeAt: event.until, reason: event.reason, firstFaultAt: context.firstFaultAt ?? event.at }
      : {},
  changeRung: (_, event) =>
    event.type === 'rung-changed'
      ? {
          rung: event.rung,
          rungModel: event.rung > 0 ? event.model : null,
          rungFaults: 0,
          rungFaultAt: null,
          tried: [],
          wakeAt: null,
        }
      : {},
  park: (_, event) =>
    event.type === 'session-suspended' ? { wakeAt: event.retryAt ?? null, reason: event.detail } : {},
  // A restart gets a new budget. A wait that was armed before a crash still holds; one from before parking does not.
  renewBudget: () => budget,
  startAnew: () => progress,
  endLastTurn: (context) => ({ lastGoodTurn: context.turn }),
  rewind: (_, event) =>
    event.type === 'rewound'
      ? { ...progress, calls: {}, ...atHome, turn: event.turn, lastGoodTurn: event.lastGoodTurn }
      : {},
} satisfies Record<string, Update>

/** The entry actions: the effects, as data. Nothing runs them here. */
const effects: readonly Effect['kind'][] = ['rest', 'send-request', 'wait', 'run-tools', 'end-turn', 'ask-person']

const nothing = (): void => {}
const assigned = (update: Update) =>
  assign<Context, Entry, undefined, Entry, never>(({ context, event }) => update(context, event))
const eachOf = <Name extends string, From, To>(from: Readonly<Record<Name, From>>, to: (one: From) => To) =>
  Object.fromEntries(Object.entries<From>(from).map(([name, one]) => [name, to(one)])) as Record<Name, To>

const builder = setup({
  types: { context: {} as Context, events: {} as Entry },
  guards: eachOf(
    guards,
    (guard) =>
      ({ context, event }: { context: Context; event: Entry }) =>
        guard(context, event),
  ),
  actions: {
    ...eachOf(updates, assigned),
    ...(Object.fromEntries(effects.map((name) => [name, nothing])) as Record<Effect['kind'], () => void>),
  },
})

/** A call that ended while the session was being parked: its result counts, and the session stays parked (P2). */
const endedBeside = { guard: 'isKnownCall', actions: 'finishCall' } as const

/** The chart; its events are the entries of a journal. */
export const sessionMachine = builder.createMachine({
  id: 'session',
  context: freshContext,
  initial: 'idle',
  on: {
    'turn-started': { target: '.requesting', actions: 'startTurn' },
    'turn-continued': { target: '.requesting', actions: 'continueTurn' },
    'session-suspended': [
      { guard: 'needsInput', target: '.needsInput', actions: 'park' },
      { target: '.suspended', actions: 'park' },
    ],
    'session-resumed': { target: '.restoring', actions: 'renewBudget' },
    rewound: { target: '.restoring', actions: 'rewind' },
  },
  states: {
    idle: { entry: 'rest' },
    requesting: {
      entry: 'send-request',
      on: {
        'request-sent': { actions: 'countAttempt' },
        'response-received': [
          { guard: 'refuses', target: 'refused', actions: 'recordRefusal' },
          { guard: 'leavesCalls', target: 'executingTools', actions: 'takeResponse' },
          { guard: 'pausesTurn', target: 'requesting', reenter: true, actions: 'takeResponse' },
          { target: 'answered', actions: 'takeResponse' },
        ],
        'request-held': { target: 'backingOff', actions: 'hold' },
        'rung-changed': { target: 'requesting', reenter: true, actions: 'changeRung' },
        'fault-observed': [
          { guard: 'willRetry', target: 'backingOff', actions: 'recordFault' },
          { guard: 'goesOnAtOnce', target: 'requesting', reenter: true, actions: 'recordFault' },
          { guard: 'keepsAnswer', actions: 'recordFault' },
          { guard: 'cannotWin', target: 'refused', actions: 'recordFault' },
          { target: 'suspended', actions: 'recordFault' },
        ],
      },
    },
    backingOff: {
      entry: 'wait',
      on: {
        'request-sent': { target: 'requesting', actions: 'countAttempt' },
        'request-held': { target: 'backingOff', reenter: true, actions: 'hold' },
        'rung-changed': { target: 'requesting', actions: 'changeRung' },
      },
    },
    executingTools: {
      entry: 'run-tools',
      on: {
        'tool-started': { guard: 'isKnownCall', actions: 'startCall' },
        'tool-finished': [
          { guard: 'isLastCall', target: 'requesting', actions: 'finishCall' },
          { guard: 'isKnownCall', actions: 'finishCall' },
        ],
      },
    },
    answered: {
      entry: 'end-turn',
      on: { 'turn-ended': { target: 'idle', actions: 'endLastTurn' } },
    },
    suspended: {
      entry: 'rest',
      on: { 'session-resumed': { target: 'restoring', actions: 'startAnew' }, 'tool-finished': endedBeside },
    },
    // By the model or by the API: sending the same again cannot succeed.
    refused: {
      entry: 'rest',
      on: {
        'session-resumed': [
          { guard: 'isRefolded', actions: 'renewBudget' },
          { target: 'restoring', actions: 'startAnew' },
        ],
      },
    },
    needsInput: {
      entry: 'ask-person',
      on: { 'session-resumed': { target: 'restoring', actions: 'startAnew' }, 'tool-finished': endedBeside },
    },
    restoring: {
      always: [
        { guard: 'hasCalls', target: 'executingTools' },
        { guard: 'isWaiting', target: 'backingOff' },
        { guard: 'hasOpenTurn', target: 'requesting' },
        { target: 'idle' },
      ],
    },
  },
})
