/**
 * When a process, or its server, is killed: at any time, or right after a sign of activity, so that kills land where
 * things happen.
 */
import type { EntryType } from '@lastgood/core'
import type { Said } from './evidence.ts'

/** A sign of a process: a line of its output, or its request at the lab. */
export type Sign = Said | { requested: true }

export interface KillPlan {
  /** Counted from the `nth` sign of this kind; without `on`, from the start. */
  on?: { kind: 'opened' | 'entry' | 'began' | 'requested'; type?: EntryType; nth: number }
  afterMs: number
  /** At this number of entries at the latest: not every process shows every sign. */
  latest: number
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
  const draws: (() => Omit<KillPlan, 'latest'>)[] = [
    () => ({ afterMs: below(1200) }),
    () => ({ on: { kind: 'opened', nth: 1 }, afterMs: below(200) }),
    () => ({ on: { kind: 'entry', nth: 1 + below(20) }, afterMs: below(4) }),
    () => ({ on: { kind: 'entry', type: telling[below(telling.length)]!, nth: 1 + below(3) }, afterMs: below(3) }),
    () => ({ on: { kind: 'began', nth: 1 + below(8) }, afterMs: below(12) }),
    () => ({ on: { kind: 'requested', nth: 1 + below(5) }, afterMs: below(30) }),
  ]
  return { ...draws[below(draws.length)]!(), latest: 8 + below(20) }
}

/** Calls `act` once, when the plan says so, unless `signal` aborts before. The returned function takes each sign. */
export function arm({ on, afterMs, latest }: KillPlan, act: () => void, signal: AbortSignal): (sign: Sign) => void {
  let [seen, entries, isDue] = [0, 0, false]
  const due = (ms: number) => {
    if (signal.aborted || isDue) return
    isDue = true
    // A tick of the clock is a millisecond: without one, at once.
    if (ms === 0) return act()
    const timer = setTimeout(act, ms)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }
  if (!on) due(afterMs)
  return (sign) => {
    if (on && isSign(sign, on) && (seen += 1) === on.nth) due(afterMs)
    if ('entry' in sign && (entries += 1) === latest) due(0)
  }
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
