/**
 * What was changed in a list of messages, as edits that lie over it.
 *
 * 1. Messages are compared by identity: one that stands in both lists is an anchor, everything between is an edit.
 * 2. `applyEdits(recorded, editsBetween(recorded, repaired))` is `repaired`, message by message.
 * 3. Edits are in order and do not overlap or touch; no edits means no change.
 */
import type { Edit, Message } from '../journal.ts'

export function editsBetween(recorded: readonly Message[], repaired: readonly Message[]): Edit[] {
  const edits: Edit[] = []
  let [from, next] = [0, 0]
  const close = (to: number, until: number): void => {
    if (to > from || until > next) edits.push({ from, to, insert: repaired.slice(next, until) })
  }
  for (const [was, is] of anchorsOf(recorded, repaired)) {
    close(was, is)
    ;[from, next] = [was + 1, is + 1]
  }
  close(recorded.length, repaired.length)
  return edits
}

/** The inverse: `recorded` with the edits made. `edits` have to be in order, as `editsBetween` gives them. */
export function applyEdits(recorded: readonly Message[], edits: readonly Edit[]): Message[] {
  const result: Message[] = []
  let done = 0
  for (const { from, to, insert } of edits) {
    for (; done < from && done < recorded.length; done += 1) result.push(...recorded.slice(done, done + 1))
    result.push(...insert)
    done = Math.max(done, to)
  }
  return [...result, ...recorded.slice(done)]
}

type Anchor = readonly [was: number, is: number]

/** Pairs of places of the same message, rising in both lists, as many as there are. */
function anchorsOf(recorded: readonly Message[], repaired: readonly Message[]): readonly Anchor[] {
  const places = new Map<Message, number[]>()
  recorded.forEach((message, at) => places.set(message, [...(places.get(message) ?? []), at]))
  const pairs: Anchor[] = []
  repaired.forEach((message, is) => {
    const was = places.get(message)?.shift()
    if (was !== undefined) pairs.push([was, is])
  })
  return longestRise(pairs)
}

/** The longest part of `pairs` whose first places rise, by patience sorting. */
function longestRise(pairs: readonly Anchor[]): readonly Anchor[] {
  const piles: number[] = []
  const before: (number | undefined)[] = []
  pairs.forEach(([was], at) => {
    let [low, high] = [0, piles.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((pairs[piles[middle] ?? 0]?.[0] ?? 0) < was) low = middle + 1
      else high = middle
    }
    before.push(piles[low - 1])
    piles[low] = at
  })
  const rise: Anchor[] = []
  for (let at = piles.at(-1); at !== undefined; at = before[at]) rise.push(...pairs.slice(at, at + 1))
  return rise.reverse()
}
