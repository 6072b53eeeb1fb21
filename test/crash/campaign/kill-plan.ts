/**
 * When a process is killed: at any time, or right after something was seen of it, so that kills land where things happen.
 */
import type { EntryType } from '@lastgood/core'
import type { Said } from './evidence.ts'

/** What is seen of a process: a line of its own, or its request at the lab. */
export type Sign = Said | { requested: true }

export interface KillPlan {
  /** For the `nth` sign of this kind; without it from the start on. */
  on?: { kind: 'opened' | 'entry' | 'began' | 'requested'; type?: EntryType; nth: number }
  afterMs: number
}

const telling: readonly EntryType[] = [
  'request-sent',
  'response-received',
  'tool-started',
  'tool-finished',
  'turn-continued',
  'fault-observed',
  'session-resumed',
  'session-suspended',
  'turn-ended',
]

/** `random` is uniform in [0, 1). */
export function drawKill(random: () => number): KillPlan {
  const below = (limit: number) => Math.floor(random() * limit)
  const draws: (() => KillPlan)[] = [
    () => ({ afterMs: below(1200) }),
    () => ({ on: { kind: 'opened', nth: 1 }, afterMs: below(200) }),
    () => ({ on: { kind: 'entry', nth: 1 + below(20) }, afterMs: below(4) }),
    () => ({ on: { kind: 'entry', type: telling[below(telling.length)]!, nth: 1 + below(3) }, afterMs: below(3) }),
    () => ({ on: { kind: 'began', nth: 1 + below(8) }, afterMs: below(12) }),
    () => ({ on: { kind: 'requested', nth: 1 + below(5) }, afterMs: below(30) }),
  ]
  return draws[below(draws.length)]!()
}

export function isSign(sign: Sign, { kind, type }: NonNullable<KillPlan['on']>): boolean {
  if (!(kind in sign)) return false
  return type === undefined || ('entry' in sign && sign.entry.type === type)
}

/** What a process was last seen doing, in a word. */
export function nameOf(sign: Sign | undefined): string {
  if (!sign) return 'starting'
  if ('entry' in sign) return sign.entry.type
  if ('began' in sign) return 'inside a tool'
  if ('requested' in sign) return 'asking the model'
  return Object.keys(sign)[0] ?? ''
}
