/**
 * Outages, assembled from what many sessions met: for each model, the periods in which it failed them. Pure.
 *
 * Failures close together are one outage, in whatever sessions. Its beginning and end are as seen from here.
 */
export interface Failing {
  readonly sessionId: string
  readonly model: string
  readonly from: number
  /** Undefined while it still fails. */
  readonly to: number | undefined
  readonly faults: number
  /** What the wire said, and how often: `529 overloaded_error`. */
  readonly labels: ReadonlyMap<string, number>
  /** The API's own words, from the first failure that had any. */
  readonly said: string | undefined
}

export interface Outage {
  readonly model: string
  from: number
  to: number | undefined
  faults: number
  said: string | undefined
  readonly sessions: Set<string>
  readonly labels: Map<string, number>
}

/** A pause this long does not end an outage: sessions wait up to five minutes between two tries. */
const gapMs = 300_000
/** The most distinct wire labels that are kept. */
const keptLabels = 20
const others = 'others'

export class Outages {
  readonly #byModel = new Map<string, Outage[]>()

  add(failing: Failing): void {
    const { model } = failing
    const apart: Outage[] = []
    let merged = outageOf(failing)
    for (const one of this.#byModel.get(model) ?? []) {
      if (isApart(one, merged)) apart.push(one)
      else merged = joined(one, merged)
    }
    this.#byModel.set(model, [...apart, merged])
  }

  /** In the order of their beginnings. */
  get all(): Outage[] {
    return [...this.#byModel.values()].flat().sort((a, b) => a.from - b.from)
  }

  /** How long any model was down. */
  totalMs(now: number): number {
    let total = 0
    let until = -Infinity
    for (const { from, to = now } of this.all) {
      total += Math.max(0, to - Math.max(from, until))
      until = Math.max(until, to)
    }
    return total
  }
}

function outageOf({ sessionId, model, from, to, faults, labels, said }: Failing): Outage {
  return { model, from, to, faults, said, sessions: new Set([sessionId]), labels: new Map(labels) }
}

function isApart(a: Outage, b: Outage): boolean {
  return a.from > (b.to ?? Infinity) + gapMs || b.from > (a.to ?? Infinity) + gapMs
}

function joined(a: Outage, b: Outage): Outage {
  for (const id of b.sessions) a.sessions.add(id)
  for (const [label, times] of b.labels) countIn(a.labels, label, times)
  a.said = a.from <= b.from ? (a.said ?? b.said) : (b.said ?? a.said)
  a.faults += b.faults
  a.from = Math.min(a.from, b.from)
  a.to = a.to === undefined || b.to === undefined ? undefined : Math.max(a.to, b.to)
  return a
}

/** Counts `label`; once there are too many different ones, a new one counts as `others`. */
export function countIn(labels: Map<string, number>, label: string, times: number): void {
  const known = labels.has(label) || labels.size < keptLabels ? label : others
  labels.set(known, (labels.get(known) ?? 0) + times)
}
