/**
 * How long sessions are kept. A store never deletes by itself: a session says when it may go, and whoever prunes asks.
 * Pure; `removal.ts` does it.
 *
 * 1. A session goes when its time after its last entry is over, or when somebody asks for all that are so old.
 * 2. A pinned one never goes, a held one not now, and one with forks not before them: they read its journal.
 */
import { positiveMs } from '../option-checks.ts'
import type { SessionFacts } from './checkpoint.ts'
import { latestInstant } from '../journal/instant.ts'
import type { EntryBody } from '../journal/journal.ts'
import type { Head, SessionSummary } from '../store/store.ts'

export interface Retention {
  /** How long after its last entry a session may be pruned; `null`: only when somebody asks for it. */
  ttlMs?: number | null
  /** It is never pruned. */
  pinned?: boolean
}

/** What of `options` is about retention. Throws `bad-option`. */
export function checkedRetention({ ttlMs, pinned }: Retention): Retention {
  if (ttlMs !== undefined && ttlMs !== null) {
    positiveMs('ttlMs', ttlMs, 'write null for a session that is kept until somebody prunes it')
  }
  return { ...(ttlMs !== undefined && { ttlMs }), ...(pinned !== undefined && { pinned }) }
}

/** The entry that brings about what is wanted, or undefined where it is so already. Throws `bad-option`. */
export function retentionChange(
  facts: SessionFacts,
  wanted: Retention,
): Extract<EntryBody, { type: 'retention-changed' }> | undefined {
  const before = { ttlMs: facts.ttlMs ?? null, pinned: facts.pinned ?? false }
  const after = { ...before, ...checkedRetention(wanted) }
  if (after.ttlMs === before.ttlMs && after.pinned === before.pinned) return undefined
  return { type: 'retention-changed', ...after }
}

/** When it may be pruned (epoch ms, the last that there is at most); undefined when it says never. */
export function expiryOf({ ttlMs, pinned, updatedAt }: Head): number | undefined {
  return ttlMs === undefined || pinned ? undefined : Math.min(updatedAt + ttlMs, latestInstant)
}

/** Why a session that would go stays. */
export type KeptBecause = 'pinned' | 'held' | 'forks'

export interface PrunePlan<Summary extends SessionSummary = SessionSummary> {
  /** Their time is over; forks stand before what they were forked from. */
  readonly expired: readonly Summary[]
  readonly kept: readonly { readonly summary: Summary; readonly because: KeptBecause }[]
  /** All others. */
  readonly others: number
}

export interface PruneOptions {
  /** Epoch ms. */
  now: number
  /** Sessions whose last entry is older go too, whatever they say, unless they are pinned. */
  olderThanMs?: number
}

/** What pruning would do to these sessions, which have to be all of the store. */
export function prunePlan<Summary extends SessionSummary>(
  summaries: readonly Summary[],
  { now, olderThanMs }: PruneOptions,
): PrunePlan<Summary> {
  const isOver = ({ head: { updatedAt, ttlMs = Infinity } }: SessionSummary) =>
    updatedAt + Math.min(ttlMs, olderThanMs ?? Infinity) <= now
  const over = summaries.filter(isOver)
  const ids = new Set(over.map(({ head }) => head.sessionId))
  const kept = new Map<string, KeptBecause>()
  for (const { head, holder } of over) {
    if (head.pinned) kept.set(head.sessionId, 'pinned')
    else if (holder) kept.set(head.sessionId, 'held')
  }
  const goes = (id: string) => ids.has(id) && !kept.has(id)
  // A fork that stays keeps what it came from, and that what it came from in its turn.
  for (let changed = true; changed;) {
    changed = false
    for (const { head } of summaries) {
      const parent = head.origin?.sessionId
      if (parent === undefined || goes(head.sessionId) || !goes(parent)) continue
      kept.set(parent, 'forks')
      changed = true
    }
  }
  const depth = depths(summaries)
  const expired = over
    .filter(({ head }) => !kept.has(head.sessionId))
    .toSorted((a, b) => depth(b) - depth(a) || a.head.updatedAt - b.head.updatedAt)
  const staying = over.flatMap((summary) => {
    const because = kept.get(summary.head.sessionId)
    return because ? [{ summary, because }] : []
  })
  return { expired, kept: staying, others: summaries.length - over.length }
}

/** How many forks lead to a session. */
function depths(summaries: readonly SessionSummary[]): (summary: SessionSummary) => number {
  const parents = new Map(summaries.map(({ head }) => [head.sessionId, head.origin?.sessionId]))
  return ({ head }) => {
    let depth = 0
    const seen = new Set<string>()
    for (let id = parents.get(head.sessionId); id !== undefined && !seen.has(id); id = parents.get(id)) {
      seen.add(id)
      depth += 1
    }
    return depth
  }
}
