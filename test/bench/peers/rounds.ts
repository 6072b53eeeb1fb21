/** The parts of a round, of one contender, and the medians of its rounds. */
import { median } from '../spread.ts'
import type { Contender } from './contenders.ts'
import { TooLong, type Ready } from './job.ts'
import {
  measureAtOnce,
  measureGoingOn,
  measureSteps,
  neverEnded,
  type AtOnce,
  type GoingOn,
  type Limits,
  type Steps,
} from './measure.ts'

export interface RoundOptions extends Limits {
  /** Steps of the sessions that are measured, ascending. */
  readonly lengths: readonly number[]
  readonly atOnce: { readonly sessions: number; readonly steps: number }
  /** Steps before the kill. */
  readonly killAfter: number
  /** A part that took longer than this is not measured again. */
  readonly slowMs: number
}

export interface Measured {
  readonly contender: Contender
  readonly lengths: readonly ({ readonly steps: number } & Steps)[]
  readonly atOnce: AtOnce
  readonly goingOn: GoingOn
}

/** What was measured of one contender so far: one sample of each kind for each round. */
export interface Samples {
  readonly lengths: Map<number, Steps[]>
  readonly atOnce: AtOnce[]
  readonly goingOn: GoingOn[]
}

export const noSamples = (): Samples => ({ lengths: new Map(), atOnce: [], goingOn: [] })

/** The parts of a round: a length of `lengths`, sessions at once, the kill. */
export type Part = number | 'at once' | 'kill'

/** Adds a sample. A part that took long in the first round is not measured again. */
export async function measurePart(
  one: Ready,
  part: Part,
  round: number,
  samples: Samples,
  options: RoundOptions,
): Promise<void> {
  const id = `${one.name.replaceAll(/\W+/g, '-')}-${part}-${round}`.replaceAll(' ', '-')
  if (part === 'at once') {
    samples.atOnce.push(await measureAtOnce(one, { id, ...options.atOnce }, options))
  } else if (part === 'kill') {
    const [first] = samples.goingOn
    if (first && (first.ms ?? Infinity) > options.slowMs) return
    samples.goingOn.push(await measureGoingOn(one, id, options.killAfter, options))
  } else {
    const known = samples.lengths.get(part) ?? []
    const [first] = known
    if (first && (first.done < part || first.p50 * part > options.slowMs)) return
    // A contender that does not end with many steps is still measured with few.
    const steps = await measureSteps(one, id, part, options).catch(unlessTooLong)
    samples.lengths.set(part, [...known, steps])
  }
}

function unlessTooLong(error: unknown): Steps {
  if (error instanceof TooLong) return neverEnded
  throw error
}

export function mediansOf(contender: Ready, { lengths, atOnce, goingOn }: Samples): Measured {
  const { on: _on, target: _target, node: _node, path: _path, ...plain } = contender
  const isBack = goingOn.every(({ ms }) => ms !== undefined)
  return {
    contender: plain,
    lengths: [...lengths].map(([steps, all]) => ({ steps, ...medianSteps(all) })),
    atOnce: { p50: median(atOnce.map(({ p50 }) => p50)), perSecond: median(atOnce.map(({ perSecond }) => perSecond)) },
    goingOn: {
      ms: isBack ? median(goingOn.map(({ ms }) => ms ?? NaN)) : undefined,
      lost: isBack ? Math.max(...goingOn.map(({ lost }) => lost ?? NaN)) : undefined,
    },
  }
}

function medianSteps(all: readonly Steps[]): Steps {
  const at = (key: Exclude<keyof Steps, 'isExact'>) => median(all.map((one) => one[key]))
  return {
    done: at('done'),
    p50: at('p50'),
    p99: at('p99'),
    late: at('late'),
    clientCpu: at('clientCpu'),
    serverCpu: at('serverCpu'),
    written: at('written'),
    stored: at('stored'),
    open: at('open'),
    openAlone: at('openAlone'),
    isExact: all.every(({ isExact }) => isExact),
  }
}
