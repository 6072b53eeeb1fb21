/**
 * The session machine, stepped: the state after an entry, and the effect that is owed from then on. Pure.
 *
 * 1. It steps through the statechart of `machine.ts` as xstate has parsed it: the transitions are laid out in a table
 *    at the first step. Flat states with named guards and updates need no more, and xstate's own `transition` takes ten
 *    times as long, for every entry of every request.
 * 2. `step` and xstate's `transition` agree on every entry in every state: a property test checks it.
 */
import { LastgoodError } from '../errors.ts'
import type { Entry } from '../journal/journal.ts'
import { lazily } from '../lazily.ts'
import type { Context, Effect, StateName } from './machine-state.ts'
import { freshContext, guards, sessionMachine, updates } from './machine.ts'

export interface Snapshot {
  readonly value: StateName
  readonly context: Context
}

/** The state before the first entry. */
export const initialSnapshot: Snapshot = { value: 'idle', context: freshContext }

/** A transition out of a state, or back into it. */
interface Way {
  readonly guard: ((context: Context, event: Entry) => boolean) | undefined
  readonly updates: readonly ((context: Context, event: Entry) => Partial<Context>)[]
  readonly to: StateName | undefined
  /** The target state is entered, even if it is the one that was left. */
  readonly enters: boolean
}

interface State {
  readonly entry: Effect['kind'] | undefined
  readonly ways: ReadonlyMap<string, readonly Way[]>
  /** Taken without an entry. */
  readonly always: readonly Way[]
}

/** The snapshot after `entry`, the same object when that does not apply; no effect when what is owed stays the same. */
export function step(snapshot: Snapshot, entry: Entry): { snapshot: Snapshot; effect?: Effect } {
  const { states, anywhere } = table()
  let { value, context } = snapshot
  const isOpen = ({ guard }: Way) => guard?.(context, entry) ?? true
  let way = states[value].ways.get(entry.type)?.find(isOpen) ?? anywhere.get(entry.type)?.find(isOpen)
  if (!way) return { snapshot }
  let isEntered = false
  for (; way; way = states[value].always.find(isOpen)) {
    for (const update of way.updates) context = Object.assign({ ...context }, update(context, entry))
    value = way.to ?? value
    isEntered ||= way.enters
  }
  const effect = isEntered ? effectOf(states[value].entry, context) : undefined
  return { snapshot: { value, context }, ...(effect && { effect }) }
}

/** Whether it is an event of the machine; other entries are recorded in any state and change none. */
export const isEvent = ({ type }: Entry): boolean => events().has(type)
const events = lazily(() => new Set<string>(sessionMachine.events))

const table = lazily(() => {
  const { root } = sessionMachine
  const nodes = Object.entries(root.states) as [StateName, (typeof root.states)[StateName]][]
  const states = nodes.map(([name, { entry, transitions, always = [] }]) => [
    name,
    {
      entry: entry[0] as Effect['kind'] | undefined,
      ways: waysOf(name, transitions),
      always: always.map((one) => wayOf(name, one)),
    },
  ])
  return {
    states: Object.fromEntries(states) as Readonly<Record<StateName, State>>,
    anywhere: waysOf(undefined, root.transitions),
  }
})

type Transition = (typeof sessionMachine.root.always & object)[number]

function waysOf(from: StateName | undefined, transitions: ReadonlyMap<string, readonly Transition[]>): State['ways'] {
  return new Map([...transitions].map(([type, some]) => [type, some.map((one) => wayOf(from, one))]))
}

function wayOf(from: StateName | undefined, { guard, actions, target, reenter }: Transition): Way {
  const to = target?.[0]?.key as StateName | undefined
  return {
    guard: guard === undefined ? undefined : guards[guard as keyof typeof guards],
    updates: actions.map((action) => updates[action as keyof typeof updates]),
    to,
    enters: to !== undefined && (to !== from || reenter),
  }
}

function effectOf(kind: Effect['kind'] | undefined, { wakeAt }: Context): Effect | undefined {
  return kind === 'wait' ? { kind, until: wakeAt ?? 0 } : kind && { kind }
}

/** The snapshot as the head keeps it: without fields that are still fresh, because it is written with every append. */
export function saveSnapshot({ value, context }: Snapshot): { value: string; context: Partial<Context> } {
  const changed: Partial<Record<string, unknown>> = {}
  for (const key in context) {
    const now = context[key as keyof Context]
    if (isEmpty(now) || now === freshContext[key as keyof Context]) continue
    changed[key] = now
  }
  return { value, context: changed }
}

/** A list or a record without anything in it, which is what is fresh of those. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  for (const _any in value) return false
  return true
}

/** The snapshot of a head written under this machine's version. Errors: `journal-corrupt` for an unknown state. */
export function restoreSnapshot({ value, context }: { value: string; context: object }): Snapshot {
  if (Object.hasOwn(sessionMachine.states, value)) {
    return { value: value as StateName, context: { ...freshContext, ...context } }
  }
  throw new LastgoodError(
    'journal-corrupt',
    `the head gives the session the state ${JSON.stringify(value)}, which does not exist`,
    {
      hint: 'lastgood show <sessionId> --raw shows the entries themselves; restore the session from a copy to continue',
    },
  )
}
