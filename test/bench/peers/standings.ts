/**
 * Where lastgood stands: in each row, beside the best peer of its league that keeps what it acknowledged. A peer that
 * lost steps to the kill writes behind, or not at all, and is not compared.
 */
import { leagues, type League } from './contenders.ts'
import type { Measured } from './rounds.ts'

export interface Standing {
  readonly league: League
  readonly row: string
  readonly ours: number
  readonly best: number
  readonly peer: string
  /** How many times better lastgood is; above 1 it is ahead. */
  readonly times: number
}

type Length = Measured['lengths'][number]
/** Undefined or NaN for a contender that did not get there. */
type Value = (measured: Measured) => number | undefined

export function standingsOf(measured: readonly Measured[]): Standing[] {
  const lengths = measured[0]?.lengths.map(({ steps }) => steps) ?? []
  const rows = [...lengths.flatMap(rowsOfLength), ...otherRows]
  return rows.flatMap(({ row, value, isMoreBetter }) =>
    leagues.flatMap((league) => {
      const here = measured.filter(({ contender }) => contender.league === league)
      const ours = here.filter(({ contender }) => contender.kind === 'lastgood').map(value)[0]
      const peers = here
        .filter(({ contender, goingOn }) => contender.kind === 'peer' && (goingOn.lost ?? 0) === 0)
        .flatMap((one) => {
          const found = value(one)
          return found === undefined || Number.isNaN(found) ? [] : [{ peer: one.contender.name, best: found }]
        })
        .sort((one, other) => (isMoreBetter ? other.best - one.best : one.best - other.best))
      const [first] = peers
      if (!first || ours === undefined) return []
      return [{ league, row, ours, ...first, times: isMoreBetter ? ours / first.best : first.best / ours }]
    }),
  )
}

interface Row {
  readonly row: string
  readonly value: Value
  readonly isMoreBetter?: boolean
}

function rowsOfLength(steps: number): Row[] {
  const of =
    (value: (one: Length) => number): Value =>
    ({ lengths }) => {
      const one = lengths.find((length) => length.steps === steps)
      return one && one.done === steps ? value(one) : undefined
    }
  const kept = (value: (one: Length) => number) => of((one) => (one.isExact ? value(one) : NaN))
  return [
    { row: `${steps} steps: p50`, value: of(({ p50 }) => p50) },
    { row: `${steps} steps: p99`, value: of(({ p99 }) => p99) },
    { row: `${steps} steps: processor`, value: of(({ clientCpu, serverCpu }) => clientCpu + serverCpu) },
    { row: `${steps} steps: written`, value: kept(({ written }) => written || NaN) },
    { row: `${steps} steps: stored`, value: kept(({ stored }) => stored || NaN) },
    { row: `${steps} steps: open`, value: kept(({ open }) => open) },
  ]
}

const otherRows: readonly Row[] = [
  { row: 'sessions at once: p50', value: ({ atOnce }) => atOnce.p50 },
  { row: 'sessions at once: steps/s', value: ({ atOnce }) => atOnce.perSecond, isMoreBetter: true },
  { row: 'SIGKILL to the next request', value: ({ goingOn }) => goingOn.ms },
]
