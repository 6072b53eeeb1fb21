/** The goals, in ms: a command that feels instant, and a list within a second. */
import { goal, type Goal } from '../goal.ts'

export const kinds = {
  node: 'node -e 0',
  version: 'lastgood --version',
  help: 'lastgood --help',
  empty: 'lastgood list, no session',
  file: 'lastgood list, file',
  redis: 'lastgood list, Redis',
} as const

/** In ms. */
export interface Waited {
  readonly what: string
  readonly p50: number
  readonly least: number
  /** What it printed. */
  readonly lines: number
}

export function goalsOf(waited: readonly Waited[]): Goal[] {
  const p50 = (what: string) => waited.find((one) => one.what === what)?.p50 ?? NaN
  return [
    goal(`${kinds.version}, more than ${kinds.node}`, p50(kinds.version) - p50(kinds.node), 100),
    goal(kinds.file, p50(kinds.file), 1_000),
    goal(kinds.redis, p50(kinds.redis), 1_000),
  ]
}
