/** A round of one contender: all that is measured of it, in the same order for everybody; and the medians of its rounds. */
import { median } from '../store/spread.ts'
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
  /** What took longer is not measured again. */
  readonly slowMs: number
}

export interface Measured {
  readonly contender: Contender
  readonly lengths: readonly ({ readonly steps: number } & Steps)[]
  readonly atOnce: AtOnce
  readonly goingOn: GoingOn
}

export interface Round {
  readonly lengths: ReadonlyMap<number, Steps>
  readonly atOnce: AtOnce
  readonly goingOn: GoingOn
}

export async function measureRound(
  one: Ready,
  round: number,
  before: readonly Round[],
  options: RoundOptions,
): Promise<Round> {
  const lengths = new Map<number, Steps>()
  const id = (what: string) => `${one.program}-${one.name.replaceAll(/\W+/g, '-')}-${what}-${round}`
  for (const steps of options.lengths) {
    const known = before[0]?.lengths.get(steps)
    const isSlow = known && (known.done < steps || known.p50 * steps > options.slowMs)
    // Who comes to no end with many steps is still measured with few.
    const measured = () => measureSteps(one, id(String(steps)), steps, options).catch(unlessTooLong)
    lengths.set(steps, isSlow ? known : await measured())
  }
  const atOnce = await measureAtOnce(one, { id: id('at-once'), ...options.atOnce }, options)
  // Once where it takes long.
  const known = before[0]?.goingOn
  const isSlow = known && (known.ms ?? Infinity) > options.slowMs
  const goingOn = isSlow ? known : await measureGoingOn(one, id('kill'), options.killAfter, options)
  return { lengths, atOnce, goingOn }
}

function unlessTooLong(error: unknown): Steps {
  if (error instanceof TooLong) return neverEnded
  throw error
}

export function mediansOf(contender: Ready, rounds: readonly Round[]): Measured {
  const of = (value: (round: Round) => number) => median(rounds.map(value))
  const lengths = [...(rounds[0]?.lengths.keys() ?? [])].map((steps) => {
    const at = (key: Exclude<keyof Steps, 'isExact'>) => of((round) => round.lengths.get(steps)?.[key] ?? NaN)
    return {
      steps,
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
      isExact: rounds.every((round) => round.lengths.get(steps)?.isExact === true),
    }
  })
  const { on: _on, target: _target, node: _node, path: _path, ...plain } = contender
  const wentOn = rounds.map(({ goingOn }) => goingOn)
  const isBack = wentOn.every(({ ms }) => ms !== undefined)
  return {
    contender: plain,
    lengths,
    atOnce: { p50: of(({ atOnce }) => atOnce.p50), perSecond: of(({ atOnce }) => atOnce.perSecond) },
    goingOn: {
      ms: isBack ? of(({ goingOn }) => goingOn.ms ?? NaN) : undefined,
      lost: isBack ? Math.max(...wentOn.map(({ lost }) => lost ?? NaN)) : undefined,
    },
  }
}
