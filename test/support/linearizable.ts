/**
 * Whether a small history of one session is linearizable: whether its operations have an order, consistent with which
 * of them was over before which, in which a store that does one thing at a time would have given the same answers.
 *
 * A search after Wing and Gong (1993) with Lowe's cache of visited states (2017). An operation without an answer may
 * have happened at any later instant, or never. No lease expires here: the leases outlast the histories.
 */
import type { Operation } from './journal-history.ts'

/** What a store knows of one session. */
interface Kept {
  fence: number
  holder: { fence: number; owner: string } | null
  ids: readonly string[]
}

/** Undefined if it is linearizable; else how far the best order got, in words. */
export function notLinearizable(history: readonly Operation[]): string | undefined {
  const tried = new Set<string>()
  let best: readonly number[] = []
  const isAnswered = history.map(({ outcome }) => outcome !== 'unknown')
  const excused = history.map((one) => one.outcome === 'busy' && history.some((other) => isRemovalDuring(other, one)))

  function search(order: readonly number[], kept: Kept): boolean {
    const done = new Set(order)
    const left = history.flatMap((_, i) => (done.has(i) ? [] : [i]))
    if (order.length > best.length) best = order
    if (left.every((i) => !isAnswered[i])) return true
    const key = `${left.join()} ${JSON.stringify(kept)}`
    if (tried.has(key)) return false
    tried.add(key)
    const firstEnd = Math.min(...left.map((i) => history[i]?.returnedAt ?? 0))
    return left.some((i) => {
      const operation = history[i] as Operation
      if (operation.invokedAt > firstEnd) return false
      const after = excused[i] ? kept : happened(operation, kept)
      return after !== undefined && search([...order, i], after)
    })
  }

  if (search([], { fence: 0, holder: null, ids: [] })) return undefined
  const stuck = history.filter((_, i) => !best.includes(i)).map((one) => JSON.stringify(one))
  return `no order explains more than ${best.length} of ${history.length}; left:\n${stuck.join('\n')}`
}

/** A removal may hold the session while it goes. */
function isRemovalDuring(other: Operation, one: Operation): boolean {
  return (
    other !== one &&
    other.kind === 'remove' &&
    other.invokedAt < one.returnedAt &&
    one.invokedAt < other.returnedAt &&
    (one.kind === 'acquire' || one.kind === 'remove')
  )
}

/** What is kept afterwards; undefined if the store would have answered differently. */
function happened(operation: Operation, kept: Kept): Kept | undefined {
  const { holder } = kept
  const { outcome } = operation
  const isHeld = 'owner' in operation && holder?.owner === operation.owner
  const isNewest = isHeld && 'fence' in operation && holder?.fence === operation.fence
  switch (operation.kind) {
    case 'acquire': {
      const isFree = !holder || isHeld || holder.fence === operation.takeover
      if (!isFree) return told(outcome, 'busy', kept)
      if (operation.outcome === 'busy') return undefined
      const fence = operation.outcome === 'unknown' ? kept.fence + 1 : operation.outcome.fence
      return fence > kept.fence ? { ...kept, fence, holder: { fence, owner: operation.owner } } : undefined
    }
    case 'renew':
      return told(outcome, isNewest, kept)
    case 'release':
      return isNewest ? { ...kept, holder: null } : kept
    case 'append': {
      if (!isNewest) return told(outcome, 'lease-lost', kept)
      const { afterSeq, ids } = operation
      if (afterSeq === kept.ids.length) return told(outcome, 'acknowledged', { ...kept, ids: [...kept.ids, ...ids] })
      const isRepeat = ids.every((id, i) => kept.ids[afterSeq + i] === id)
      return told(outcome, isRepeat ? 'acknowledged' : 'journal-conflict', kept)
    }
    case 'read':
      return outcome === 'unknown' || JSON.stringify(outcome) === JSON.stringify(kept.ids) ? kept : undefined
    case 'remove':
      return holder ? told(outcome, 'busy', kept) : told(outcome, 'removed', { fence: 0, holder: null, ids: [] })
  }
}

function told(outcome: unknown, expected: unknown, after: Kept): Kept | undefined {
  return outcome === expected || outcome === 'unknown' ? after : undefined
}
