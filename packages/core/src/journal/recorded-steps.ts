/**
 * The steps of a loop of one's own, as a fold of the journal.
 *
 * 1. A lasting step, one with a key and all inside it, is known for as long as the session lives. Any other belongs to a
 *    place of the conversation, and is forgotten when that is left, unless nobody knows what came of it. Then what is
 *    known of the steps inside one is kept as well: it may run again.
 * 2. A step is known by the session that it was started in: a fork or an import goes on with it under the same key.
 */
import { createHash } from 'node:crypto'
import type { Entry } from './journal.ts'

type Finished = Extract<Entry, { type: 'step-finished' }>

export type RecordedStep = {
  name?: string | undefined
  startedIn?: string | undefined
  /**
   * When it was first heard of where the conversation stands, counted over all steps. Undefined for one whose outcome was
   * unknown when its own place was left, as long as it was not asked for again.
   */
  order?: number | undefined
} & ({ state: 'started' } | { state: 'finished'; outcome: Finished['outcome']; value: unknown })

/** Whether a step is known for as long as the session lives; `step-ids.ts` makes the ids. */
export const isLasting = (stepId: string): boolean => /^key[:/]/.test(stepId)

/** For whoever may not see the caller's key: an id that says which step it is, and not what it was called. */
export const withoutKey = (stepId: string): string =>
  stepId.startsWith('key:') ? `key:${createHash('sha256').update(stepId).digest('hex').slice(0, 16)}` : stepId

/**
 * Where a step without a key belongs that is inside of nothing: after so many changes, the so manieth of its kind. In a
 * journal that counts what a caller added, these may be more than those at which the place began.
 */
interface Place {
  changes: number
  kind: string
  number: number
}

function placeOf(stepId: string): Place | undefined {
  const [, changes, kind, number] = /^(\d+):(.*):(\d+)$/s.exec(stepId) ?? []
  return kind === undefined ? undefined : { changes: Number(changes), kind, number: Number(number) }
}

export const hasOutcome = (step: RecordedStep | undefined): step is RecordedStep & { state: 'finished' } =>
  step?.state === 'finished' && step.outcome !== 'in-doubt'

export class RecordedSteps {
  readonly #lasting = new Map<string, RecordedStep>()
  /** Those that a message leaves behind are few: what happens to them with every message may cost something. */
  readonly #placed = new Map<string, RecordedStep>()
  /** Those that have a place, by kind and by that: a program may do thousands of steps where the conversation stands (P7). */
  readonly #kinds = new Map<string, Map<number, Map<string, Place>>>()
  #heard = 0

  /** `sessionId`: whose journal it is in; `place`: where the conversation stands. */
  apply(entry: Entry, sessionId: string | undefined, place: number): void {
    this.#heard += 1
    if (entry.type === 'step-started') {
      // Its idempotency key stays what it was when it began.
      const { startedIn = sessionId, order = this.#heard } = this.of(entry.stepId) ?? {}
      this.#set(entry.stepId, { state: 'started', name: entry.name, startedIn, order })
    } else if (entry.type === 'step-finished') {
      const { outcome, value } = entry
      const known = this.of(entry.stepId)
      // The run that began at its own place may come to its end late: then nobody has asked for it here.
      const isOwn = !known && (placeOf(entry.stepId)?.changes ?? place) >= place
      const isAsked = isOwn || outcome === 'verified' || outcome === 'in-doubt'
      const { name, startedIn, order = isAsked ? this.#heard : undefined } = known ?? {}
      this.#set(entry.stepId, { state: 'finished', name: entry.name ?? name, outcome, value, startedIn, order })
    } else if (entry.type === 'session-imported') {
      // What reads as started here was started when the session was called otherwise.
      for (const [id, step] of [...this.#lasting, ...this.#placed]) {
        if (step.startedIn === sessionId) this.#set(id, { ...step, startedIn: entry.sessionId })
      }
    }
  }

  /** The conversation has left the place where it stood. */
  leavePlace(): void {
    const mayRunAgain = [...this.#placed].some(([id, step]) => placeOf(id) && !hasOutcome(step))
    for (const [id, step] of this.#placed) {
      if (!hasOutcome(step)) this.#placed.set(id, { ...step, order: undefined })
      else if (placeOf(id) || !mayRunAgain) this.#forget(id)
    }
  }

  of(stepId: string): RecordedStep | undefined {
    return this.#mapOf(stepId).get(stepId)
  }

  /** Those of a kind that belong to a place, of this one and of those that were left, in the order in which they began. */
  ofKind(kind: string): readonly (Place & { stepId: string; step: RecordedStep })[] {
    const places = [...(this.#kinds.get(kind)?.values() ?? [])].flatMap((ofPlace) => [...ofPlace])
    return places.map(([stepId, place]) => ({ stepId, step: this.#placed.get(stepId) as RecordedStep, ...place }))
  }

  /** Whether some of a kind belong to another place than that after so many changes. */
  hasLeft(kind: string, changes: number): boolean {
    const ofKind = this.#kinds.get(kind)
    return ofKind !== undefined && ofKind.size > (ofKind.has(changes) ? 1 : 0)
  }

  #set(stepId: string, step: RecordedStep): void {
    const place = this.of(stepId) || isLasting(stepId) ? undefined : placeOf(stepId)
    if (place) {
      const ofKind = this.#kinds.get(place.kind) ?? new Map<number, Map<string, Place>>()
      const ofPlace = ofKind.get(place.changes) ?? new Map<string, Place>()
      this.#kinds.set(place.kind, ofKind.set(place.changes, ofPlace.set(stepId, place)))
    }
    this.#mapOf(stepId).set(stepId, step)
  }

  #forget(stepId: string): void {
    this.#placed.delete(stepId)
    const { kind = '', changes = 0 } = placeOf(stepId) ?? {}
    const ofKind = this.#kinds.get(kind)
    const ofPlace = ofKind?.get(changes)
    ofPlace?.delete(stepId)
    if (ofPlace?.size === 0) ofKind?.delete(changes)
    if (ofKind?.size === 0) this.#kinds.delete(kind)
  }

  #mapOf(stepId: string): Map<string, RecordedStep> {
    return isLasting(stepId) ? this.#lasting : this.#placed
  }
}
