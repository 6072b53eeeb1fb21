/**
 * How long sessions are kept. A store never deletes by itself: each session says when it may go, and pruning reads
 * that. Pure; `removal.ts` does the removing.
 *
 * 1. A session goes when its time since its last entry is over, or when pruning asks for all sessions of that age.
 * 2. A pinned session never goes, a held one not now, and one with forks not before them: they read its journal.
 */
import { positiveMs } from '../option-checks.ts'
import type { SessionFacts } from './checkpoint.ts'
import { latestInstant } from '../journal/instant.ts'
import type { EntryBody } from '../journal/journal.ts'
import type { Head } from '../store/head.ts'
import type { SessionSummary } from '../store/store.ts'

export interface Retention {
  /** How long after its last entry a session may be pruned; `null`: only when somebody asks for it. */
  ttlMs?: number | null
  /** It is never pruned. */
  pinned?: boolean
}

/** The options about retention, checked. Throws `bad-option`. */
export function checkedRetention({ ttlMs, pinned }: Retention): Retention {
  if (ttlMs !== undefined && ttlMs !== null) {
    positiveMs('ttlMs', ttlMs, 'use null to keep a session until someone prunes it')
  }
  return { ...(ttlMs !== undefined && { ttlMs }), ...(pinned !== undefined && { pinned }) }
}

/** The entry that makes the wanted change, or undefined when nothing changes. Throws `bad-option`. */
export function retentionChange(
  facts: SessionFacts,
  wanted: Retention,
): Extract<EntryBody, { type: 'retention-changed' }> | undefined {
  const before = { ttlMs: facts.ttlMs ?? null, pinned: facts.pinned ?? false }
  const after = { ...before, ...checkedRetention(wanted) }
  if (after.ttlMs === before.ttlMs && after.pinned === before.pinned) return undefined
  return { type: 'retention-changed', ...after }
}

/** When it may be pruned (epoch ms, at most the latest possible instant); undefined when it says never. */
export function expiryOf({ ttlMs, pinned, updatedAt }: Head): number | undefined {
  return ttlMs === undefined || pinned ? undefined : Math.min(updatedAt + ttlMs, latestInstant)
}

/** Why an expired session stays. */
export type KeptBecause = 'pinned' | 'held' | 'forks'

export interface PrunePlan<Summary extends SessionSummary = SessionSummary> {
  /** Their time is over; forks come before what they were forked from. */
  readonly expired: readonly Summary[]
  readonly kept: readonly { readonly summary: Summary; readonly because: KeptBecause }[]
  /** All others. */
  readonly others: number
}

export interface PruneOptions {
  /** Epoch ms. */
  now: number
  /** Sessions whose last entry is older go too, whatever their own time, unless they are pinned. */
  olderThanMs?: number
}

/** What pruning would do to these sessions, which must be all sessions of the store. */
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
  // A fork that stays keeps its parent, which in turn keeps its own parent.
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

/** How many ancestors a session has. */
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
