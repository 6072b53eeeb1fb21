/** What the head of a session asks of a fleet: work now, later, or none. Pure, but `isDead` checks a process. */
import { isDead, waitsForPerson, type Owner, type SessionSummary } from '@lastgood/core'
import { comesBackAt, type Recovered } from './comeback.ts'

export type Verdict =
  /** No turn is open, or it waits for a person, or no agent is recorded that could continue it. */
  | { kind: 'nothing' }
  /** `seq`: its last entry. */
  | { kind: 'due'; agent: string; seq: number }
  /** Another process has it, until its lease ends (epoch ms, the clock of the store). */
  | { kind: 'held'; expiresAt: number }
  | { kind: 'later'; inMs: number }

export interface Surroundings {
  /** Epoch ms, the clock of this process. */
  readonly now: number
  /** When the model last answered again after its breaker had been open. */
  readonly recovered: (model: string) => Recovered | undefined
  /** Whether a holder is known to be dead. Default: `isDead`. */
  readonly isGone?: (owner: Owner) => boolean
}

/** A head that is this far in the future was written by a clock that is ahead, or before ours was set back. */
const aheadMs = 60_000

export function assess(summary: SessionSummary | undefined, surroundings: Surroundings): Verdict {
  const { now, recovered, isGone = isDead } = surroundings
  if (!summary || summary.head.agent === undefined) return { kind: 'nothing' }
  const { head, holder } = summary
  if (holder && !isGone(holder.owner)) return { kind: 'held', expiresAt: holder.expiresAt }
  const { status, agent, seq, dueAt, model, updatedAt } = head
  if (status === 'idle' || waitsForPerson(head)) return { kind: 'nothing' }
  const since = status === 'waiting' && model !== undefined ? recovered(model) : undefined
  const early = since && since.at > updatedAt ? comesBackAt(since, head.sessionId) : Infinity
  // Whether its wait is over by this clock is decided when the session is opened.
  const isAhead = updatedAt > now + aheadMs
  const instant = Math.min(isAhead ? now : (dueAt ?? now), early)
  return instant <= now ? { kind: 'due', agent: agent as string, seq } : { kind: 'later', inMs: instant - now }
}
