/**
 * The steps of a caller's own loop, as a fold of the journal.
 *
 * 1. A lasting step (one with a key, and all inside it) is known for as long as the session lives. Any other belongs to
 *    a place in the conversation, and is forgotten when the conversation leaves it, unless its outcome is unknown. Then
 *    the steps inside of others are kept as well, because it may run again.
 * 2. A step keeps the name of the session that it was started in: a fork or an import goes on with the same idempotency
 *    key.
 */
import type { Entry } from './journal.ts'
import { sha256 } from '../sha256.ts'

type Finished = Extract<Entry, { type: 'step-finished' }>

export type RecordedStep = {
  name?: string | undefined
  startedIn?: string | undefined
  /**
   * When it was first heard of where the conversation stands, counted in entries. Undefined for a step that had no
   * outcome when its place was left, until it is asked for again.
   */
  order?: number | undefined
} & ({ state: 'started' } | { state: 'finished'; outcome: Finished['outcome']; value: unknown })

/** Whether a step is known for as long as the session lives; `step-ids.ts` makes the ids. */
export const isLasting = (stepId: string): boolean => /^key[:/]/.test(stepId)

/** The id for readers who may not see the caller's key: it identifies the step without revealing the key. */
export const withoutKey = (stepId: string): string =>
  stepId.startsWith('key:') ? `key:${sha256(stepId).slice(0, 16)}` : stepId

/**
 * The place of a step that has no key and is inside of no other: after how many `changes`, and its `number` among its
 * kind. In a journal that counts what a caller added, `changes` may be more than those at which the place began.
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
  /** Few of these remain after a message, so that going through them with every message is cheap enough. */
  readonly #placed = new Map<string, RecordedStep>()
  /** The steps that have a place, by kind and place: a program may run thousands of steps at one place (P7). */
  readonly #kinds = new Map<string, Map<number, Map<string, Place>>>()
  #heard = 0

  /** `sessionId`: whose journal it is in; `place`: where the conversation stands. */
  apply(entry: Entry, sessionId: string | undefined, place: number): void {
    this.#heard += 1
    if (entry.type === 'step-started') {
      // A step keeps the idempotency key that it began with.
      const { startedIn = sessionId, order = this.#heard } = this.of(entry.stepId) ?? {}
      this.#set(entry.stepId, { state: 'started', name: entry.name, startedIn, order })
    } else if (entry.type === 'step-finished') {
      const { outcome, value } = entry
      const known = this.of(entry.stepId)
      // A run that began at the step's own place may end late: then nobody has asked for the step here.
      const isOwn = !known && (placeOf(entry.stepId)?.changes ?? place) >= place
      const isAsked = isOwn || outcome === 'verified' || outcome === 'in-doubt'
      const { name, startedIn, order = isAsked ? this.#heard : undefined } = known ?? {}
      this.#set(entry.stepId, { state: 'finished', name: entry.name ?? name, outcome, value, startedIn, order })
    } else if (entry.type === 'session-imported') {
      // What reads as started in this session was started under its former name.
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

  /** The steps of a kind that have a place, this one or one that was left, in the order in which they began. */
  ofKind(kind: string): readonly (Place & { stepId: string; step: RecordedStep })[] {
    const places = [...(this.#kinds.get(kind)?.values() ?? [])].flatMap((ofPlace) => [...ofPlace])
    return places.map(([stepId, place]) => ({ stepId, step: this.#placed.get(stepId) as RecordedStep, ...place }))
  }

  /** Whether any steps of a kind belong to a place other than the one after `changes` changes. */
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
