/** The goals, and whether they were met: all against the floor of the same run. */
import { goal, type Goal } from '../goal.ts'
import type { AtOnce, Checkpoints, Processor } from './checkpoints.ts'
import type { Growth, Stored } from './growth.ts'
import type { Opening } from './opening.ts'

export interface StoreResults {
  readonly checkpoints: readonly Checkpoints[]
  readonly processor: readonly Processor[]
  readonly growth: readonly Growth[]
  readonly stored: readonly Stored[]
  /** The same content, compressed. */
  readonly shrunk: readonly Stored[]
  readonly opening: readonly Opening[]
  /** The same session on the same server, alone there and beside others' keys. */
  readonly beside: readonly Beside[]
  readonly atOnce: readonly AtOnce[]
}

export interface Beside {
  readonly keys: number
  readonly alone: Opening
  readonly beside: Opening
}

/** Allowed for loading modules before a session can be opened; a floor has none. */
const loadingMs = 30

export function goalsOf({
  checkpoints,
  processor,
  growth,
  stored,
  shrunk,
  opening,
  beside,
  atOnce,
}: StoreResults): Goal[] {
  return [
    ...checkpoints.flatMap(({ medium, times: { floor, append, record } }) =>
      [
        { role: 'append', ...append },
        { role: 'record', ...record },
      ].flatMap(({ role, p50, p99 }) => [
        goal(`${medium}: ${role} p50`, p50 / floor.p50, medium === 'file' ? 1.3 : 1.15),
        ...(medium === 'file' ? [] : [goal(`${medium}: ${role} p99`, p99 / floor.p99, 1.5)]),
      ]),
    ),
    ...processor.flatMap(({ medium, cpu: { floor, append, record } }) => [
      goal(`${medium}: processor of append`, append / floor, 1.2),
      goal(`${medium}: processor of record`, record / floor, 1.2),
    ]),
    ...growth.map(({ medium, role, places }) =>
      goal(`${medium}: ${role} deep in a session`, farthest(places) / (places[0]?.p50 ?? NaN), 1.1),
    ),
    ...stored.map((one) => goal(`${one.medium}: bytes of ${one.role}`, one.stored / one.content, 1.15)),
    ...shrunk.map((one) => goal(`${one.medium}: bytes of ${one.role}`, one.stored / one.content, 0.45)),
    ...opening.map(({ medium, what, floor, opened }) =>
      goal(`${medium}: opening ${what}`, (opened - loadingMs) / floor, 1.15),
    ),
    ...beside.map(({ keys, alone, beside: crowded }) =>
      goal(
        `${alone.medium}: opening ${alone.what} beside ${keys} other keys, times alone`,
        crowded.opened / crowded.floor / (alone.opened / alone.floor),
        1.2,
      ),
    ),
    ...atOnce
      .filter(({ sessions }) => sessions > 1)
      .flatMap(({ medium, sessions, stepsPerSecond: { floor, append, record } }) => [
        goal(`${medium}: append, ${sessions} sessions`, floor / append, 1 / 0.85),
        goal(`${medium}: record, ${sessions} sessions`, floor / record, 1 / 0.85),
      ]),
  ]
}

const farthest = (places: readonly { readonly p50: number }[]) => Math.max(...places.slice(1).map(({ p50 }) => p50))
