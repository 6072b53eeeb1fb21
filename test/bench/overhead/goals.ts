/**
 * The goals, in ms: what lastgood's own work at level 1 may take of the processor before an answer begins, however long
 * the history is.
 */
import { goal, type Goal } from '../goal.ts'
import type { Spread } from '../spread.ts'
import { levels, storeNames, type Level, type StoreName } from './requests.ts'

export type Path = 'SDK' | `${Level}, ${StoreName}`
export const paths: readonly Path[] = [
  'SDK',
  ...levels.flatMap((level) => storeNames.map((store): Path => `${level}, ${store}`)),
]

/** In ms. */
export interface Requests {
  readonly messages: number
  /** Of those, as JSON. */
  readonly bytes: number
  readonly of: Readonly<Record<Path, Readonly<Record<'firstWord' | 'cpu' | 'event' | 'eventCpu' | 'end', Spread>>>>
}

/** Without a disk or a server, whose work is not lastgood's. */
const own: Path = 'level 1, memory'
const atMost = 0.3

export function goalsOf(requests: readonly Requests[]): Goal[] {
  return requests.map(({ messages, of }) =>
    goal(`${own}: processor added to a request of ${messages} messages`, of[own].cpu.p50 - of.SDK.cpu.p50, atMost),
  )
}
