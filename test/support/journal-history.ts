/**
 * Whether the answers that several writers of one session got can all be true: a check of a whole history, pure.
 *
 * A history is what each client asked and was answered, with instants of one clock that all share. The session's final
 * journal is the judge. As far as can be told from outside, these hold for every store whose operations each happen at
 * one instant between question and answer (P1, P3):
 *
 * 1. The journal's sequence has no gap; its fences never shrink; no entry is in it twice or without a writer.
 * 2. An acknowledged append is there, whole, once, where it was put. A refused one is nowhere. One without an answer is
 *    whole or nowhere. An append and its repeats count as one.
 * 3. If one acknowledged append was over before another began, it comes first in the journal.
 * 4. A read returns a prefix of the journal, made of whole appends. It has all that was acknowledged before it, nothing
 *    begun after it, and no less than a read that was over before it began.
 * 5. A grant that was over before another began has the smaller fence, and no fence is granted twice.
 * 6. Once a fence was granted, no append under a smaller one that begins later is acknowledged; once it was given back,
 *    none under itself either. None is acknowledged before its fence was granted.
 *
 * It does not look at removals, which restart a session: `linearizable.ts` does, for small histories.
 */

/** An operation of a client. `returnedAt` is Infinity, and the outcome unknown, if it got no answer. */
export type Operation = { client: string; invokedAt: number; returnedAt: number } & (
  | { kind: 'acquire'; owner: string; takeover?: number | undefined; outcome: { fence: number } | 'busy' | 'unknown' }
  | { kind: 'renew'; fence: number; owner: string; outcome: boolean | 'unknown' }
  | { kind: 'release'; fence: number; owner: string; outcome: 'done' | 'unknown' }
  | { kind: 'append'; fence: number; owner: string; afterSeq: number; ids: readonly string[]; outcome: AppendOutcome }
  | { kind: 'read'; outcome: readonly string[] | 'unknown' }
  | { kind: 'remove'; outcome: 'removed' | 'busy' | 'unknown' }
)
export type AppendOutcome = 'acknowledged' | 'lease-lost' | 'journal-conflict' | 'unknown'

type Of<Kind> = Extract<Operation, { kind: Kind }>

/** An entry of the final journal; `id` is the name that its writer gave it. */
export interface Placed {
  id: string
  seq: number
  fence: number
}

/** The contradictions, in words; empty if there are none. */
export function violations(history: readonly Operation[], journal: readonly Placed[]): string[] {
  const of = <Kind extends Operation['kind']>(kind: Kind) => history.filter((one): one is Of<Kind> => one.kind === kind)
  const appends = logicalAppends(of('append'))
  return [
    ...journalItself(journal, appends),
    ...appends.flatMap((append) => placeOf(append, journal)),
    ...orderOf(appends),
    ...of('read').flatMap((read) => wasTrue(read, journal, appends)),
    ...inOrder(of('read')),
    ...grantsOf(of('acquire')),
    ...fencedOff(of('append'), of('acquire'), of('release')),
  ]
}

/** An append and its repeats. */
interface LogicalAppend {
  name: string
  fence: number
  afterSeq: number
  ids: readonly string[]
  /** When it was first asked for, and first acknowledged. */
  invokedAt: number
  acknowledgedAt: number
  isRefused: boolean
}

function logicalAppends(attempts: readonly Of<'append'>[]): LogicalAppend[] {
  const groups = new Map<string, Of<'append'>[]>()
  for (const one of attempts) {
    const key = JSON.stringify([one.fence, one.afterSeq, one.ids])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].map((group) => {
    const [{ client, fence, afterSeq, ids }] = group as [Of<'append'>]
    return {
      name: `append ${ids.join(',')} of ${client} after ${afterSeq} under fence ${fence}`,
      fence,
      afterSeq,
      ids,
      invokedAt: Math.min(...group.map((one) => one.invokedAt)),
      acknowledgedAt: Math.min(
        ...group.map((one) => (one.outcome === 'acknowledged' ? one.returnedAt : Number.POSITIVE_INFINITY)),
      ),
      isRefused: group.every(({ outcome }) => outcome === 'lease-lost' || outcome === 'journal-conflict'),
    }
  })
}

const isAcknowledged = ({ acknowledgedAt }: LogicalAppend) => acknowledgedAt < Number.POSITIVE_INFINITY

function journalItself(journal: readonly Placed[], appends: readonly LogicalAppend[]): string[] {
  const known = new Set(appends.flatMap(({ ids }) => ids))
  const seen = new Set<string>()
  return journal.flatMap(({ id, seq, fence }, i) => {
    const found: string[] = []
    if (seq !== i + 1) found.push(`entry ${id} has sequence ${seq} at place ${i + 1}`)
    if (fence < (journal[i - 1]?.fence ?? 0)) found.push(`entry ${id} of fence ${fence} follows a greater fence`)
    if (seen.has(id)) found.push(`entry ${id} is there twice`)
    if (!known.has(id)) found.push(`entry ${id} was appended by nobody`)
    seen.add(id)
    return found
  })
}

function placeOf(append: LogicalAppend, journal: readonly Placed[]): string[] {
  const { name, afterSeq, ids, fence, isRefused } = append
  const there = journal.filter(({ id }) => ids.includes(id)).length
  const isWhole = ids.every((id, i) => journal[afterSeq + i]?.id === id && journal[afterSeq + i]?.fence === fence)
  if (isAcknowledged(append) && !isWhole) return [`${name}: acknowledged, and not where it was put`]
  if (isRefused && there > 0) return [`${name}: refused, and in the journal`]
  if (!isWhole && there > 0) return [`${name}: only a part of it, or somewhere else`]
  return []
}

function orderOf(appends: readonly LogicalAppend[]): string[] {
  const found: string[] = []
  // From the last append back: of those after the current one, `first` is the one that was over first.
  let first: LogicalAppend | undefined
  for (const append of appends.filter(isAcknowledged).toSorted((a, b) => b.afterSeq - a.afterSeq)) {
    if (first && first.acknowledgedAt < append.invokedAt)
      found.push(`${append.name}: before ${first.name}, which was over when it began`)
    if (!first || append.acknowledgedAt < first.acknowledgedAt) first = append
  }
  return found
}

function wasTrue(read: Of<'read'>, journal: readonly Placed[], appends: readonly LogicalAppend[]): string[] {
  const { client, invokedAt, returnedAt, outcome } = read
  if (outcome === 'unknown') return []
  const name = `read of ${client} at ${invokedAt}`
  const found = outcome.every((id, i) => journal[i]?.id === id) ? [] : [`${name}: no beginning of the journal`]
  const ids = new Set(outcome)
  for (const append of appends) {
    const isIn = append.ids.filter((id) => ids.has(id)).length
    if (append.acknowledgedAt < invokedAt && isIn < append.ids.length)
      found.push(`${name}: without ${append.name}, which was acknowledged before`)
    if (append.invokedAt > returnedAt && isIn > 0) found.push(`${name}: with ${append.name}, which was begun later`)
    if (isIn > 0 && isIn < append.ids.length) found.push(`${name}: with a part of ${append.name}`)
  }
  return found
}

function inOrder(reads: readonly Of<'read'>[]): string[] {
  const lengths = reads.flatMap(({ outcome, ...rest }) =>
    outcome === 'unknown' ? [] : [{ ...rest, length: outcome.length }],
  )
  return lengths.flatMap((read) => {
    const longer = lengths.find((one) => one.returnedAt < read.invokedAt && one.length > read.length)
    return longer
      ? [`read of ${read.client} at ${read.invokedAt}: shorter than the one before, of ${longer.client}`]
      : []
  })
}

interface Grant {
  client: string
  fence: number
  invokedAt: number
  returnedAt: number
}

function granted(acquires: readonly Of<'acquire'>[]): Grant[] {
  return acquires.flatMap(({ outcome, ...rest }) => (typeof outcome === 'object' ? [{ ...rest, ...outcome }] : []))
}

function grantsOf(acquires: readonly Of<'acquire'>[]): string[] {
  const grants = granted(acquires).toSorted((a, b) => a.fence - b.fence)
  return grants.flatMap((grant, i) => {
    const before = grants[i - 1]
    if (before?.fence === grant.fence)
      return [`fence ${grant.fence} was granted to ${before.client} and ${grant.client}`]
    const later = grants.slice(0, i).find((smaller) => smaller.invokedAt > grant.returnedAt)
    return later ? [`fence ${later.fence} was granted after the greater ${grant.fence}`] : []
  })
}

function fencedOff(
  attempts: readonly Of<'append'>[],
  acquires: readonly Of<'acquire'>[],
  releases: readonly Of<'release'>[],
): string[] {
  const grants = granted(acquires)
  return attempts
    .filter(({ outcome }) => outcome === 'acknowledged')
    .flatMap(({ client, fence, ids, invokedAt, returnedAt }) => {
      const name = `append ${ids.join(',')} of ${client} under fence ${fence}`
      const newer = grants.find((grant) => grant.fence > fence && grant.returnedAt < invokedAt)
      const own = acquires.some(
        ({ outcome, ...grant }) =>
          grant.invokedAt < returnedAt &&
          (outcome === 'unknown' || (typeof outcome === 'object' && outcome.fence === fence)),
      )
      const released = releases.some((one) => one.fence === fence && one.returnedAt < invokedAt)
      return [
        ...(newer ? [`${name}: acknowledged although fence ${newer.fence} had been granted`] : []),
        ...(own ? [] : [`${name}: acknowledged without a grant`]),
        ...(released ? [`${name}: acknowledged although the lease had been given back`] : []),
      ]
    })
}
