/** What the head of a session says to a fleet: something to do now, later, or nothing. Pure but for a look at a process. */
import { isDead, type Owner, type SessionSummary } from '@lastgood/core'
import { comesBackAt, type Recovered } from './comeback.ts'

export type Verdict =
  /** Nothing is open, or it waits for a person, or nobody knows who could go on. */
  | { kind: 'nothing' }
  /** `seq`: the entry at which it is. */
  | { kind: 'due'; agent: string; seq: number }
  | { kind: 'later'; why: 'held' | 'waiting'; inMs: number }

export interface Surroundings {
  /** Epoch ms, the clock of this process. */
  readonly now: number
  /** The last time that a model answered again after its breaker had been open. */
  readonly recovered: (model: string) => Recovered | undefined
  /** Whether a holder is known to be dead. Default: `isDead`. */
  readonly isGone?: (owner: Owner) => boolean
}

/** How long a row of a session in other hands waits, whatever the difference between the clocks. */
const [shortestHeldMs, longestHeldMs] = [500, 30_000]

/** A head that is so much younger than now was written by a clock that is ahead, or before ours was set back. */
const aheadMs = 60_000

/** Until a lease of somebody else is looked at again, ms. */
export const untilFree = (expiresAt: number, now: number): number =>
  Math.min(Math.max(expiresAt - now, shortestHeldMs), longestHeldMs)

export function assess(summary: SessionSummary | undefined, surroundings: Surroundings): Verdict {
  const { now, recovered, isGone = isDead } = surroundings
  if (!summary || summary.head.agent === undefined) return { kind: 'nothing' }
  const { head, holder } = summary
  if (holder && !isGone(holder.owner)) {
    return { kind: 'later', why: 'held', inMs: untilFree(holder.expiresAt, now) }
  }
  const { status, agent, seq, dueAt, model, updatedAt } = head
  if (status === 'idle' || status === 'needs-input') return { kind: 'nothing' }
  if (status === 'suspended' && dueAt === undefined) return { kind: 'nothing' }
  const since = status === 'waiting' && model !== undefined ? recovered(model) : undefined
  const early = since && since.at > updatedAt ? comesBackAt(since, head.sessionId) : Infinity
  // Who opens it knows how long its wait is to last by this clock.
  const isAhead = updatedAt > now + aheadMs
  const instant = Math.min(isAhead ? now : (dueAt ?? now), early)
  return instant <= now
    ? { kind: 'due', agent: agent as string, seq }
    : { kind: 'later', why: 'waiting', inMs: instant - now }
}
