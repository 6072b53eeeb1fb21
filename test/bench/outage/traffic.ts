/**
 * What was sent, and what follows from it: rates, peaks, waste, and how soon sessions were back. Pure.
 */

/** One request. Instants are in ms, of the virtual clock. */
export interface Sent {
  readonly at: number
  readonly session: number
  readonly failed: boolean
  /** When its answer was whole. */
  answeredAt?: number
}

/** Requests per second in `[from, to)`. */
export function meanRate(sent: readonly Sent[], from: number, to: number): number {
  const count = sent.filter(({ at }) => at >= from && at < to).length
  return count / ((to - from) / 1000)
}

/** The most requests per second in any window of `windowMs` that begins at or after `from`; 0 when there are none. */
export function peakRate(sent: readonly Sent[], from: number, windowMs: number): number {
  const instants = sent.flatMap(({ at }) => (at >= from ? [at] : [])).sort((a, b) => a - b)
  let [first, most] = [0, 0]
  for (const [last, at] of instants.entries()) {
    while ((instants[first] ?? at) <= at - windowMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most / (windowMs / 1000)
}

/** For each session with an answer to a request sent from `from` on: how long after `from` it had the first one. */
export function backAfterMs(sent: readonly Sent[], from: number): ReadonlyMap<number, number> {
  const back = new Map<number, number>()
  for (const { at, session, answeredAt } of sent) {
    if (at < from || answeredAt === undefined) continue
    back.set(session, Math.min(back.get(session) ?? Infinity, answeredAt - from))
  }
  return back
}

/** The most failed requests of one session in any minute. */
export function failedInAMinute(sent: readonly Sent[]): number {
  const failed = new Map<number, Sent[]>()
  for (const one of sent) if (one.failed) failed.set(one.session, [...(failed.get(one.session) ?? []), one])
  return Math.max(0, ...[...failed.values()].map((those) => peakRate(those, 0, 60_000) * 60))
}
