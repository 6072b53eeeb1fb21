/**
 * The steps of a loop of one's own, as a fold of the journal.
 *
 * 1. A lasting step, one with a key and all inside it, is known for as long as the session lives. Any other belongs to a
 *    place of the conversation, and is forgotten when that is left, unless nobody knows what came of it.
 * 2. A step is known by the session that it was started in: a fork or an import goes on with it under the same key.
 */
import type { Entry } from './journal.ts'

type Finished = Extract<Entry, { type: 'step-finished' }>

export type RecordedStep = { name?: string | undefined; startedIn?: string | undefined } & (
  | { state: 'started' }
  | { state: 'finished'; outcome: Finished['outcome']; value: unknown }
)

/** Whether a step is known for as long as the session lives; `step-ids.ts` makes the ids. */
export const isLasting = (stepId: string): boolean => /^key[:/]/.test(stepId)

export const hasOutcome = (step: RecordedStep | undefined): step is RecordedStep & { state: 'finished' } =>
  step?.state === 'finished' && step.outcome !== 'in-doubt'

export class RecordedSteps {
  readonly #steps = new Map<string, RecordedStep>()

  /** `sessionId`: whose journal it is in. */
  apply(entry: Entry, sessionId: string | undefined): void {
    if (entry.type === 'step-started') {
      this.#steps.set(entry.stepId, { state: 'started', name: entry.name, startedIn: sessionId })
    } else if (entry.type === 'step-finished') {
      const { outcome, value } = entry
      const { name, startedIn } = this.#steps.get(entry.stepId) ?? {}
      this.#steps.set(entry.stepId, { state: 'finished', name: entry.name ?? name, outcome, value, startedIn })
    } else if (entry.type === 'session-imported') {
      // What reads as started here was started when the session was called otherwise.
      for (const [id, step] of this.#steps) {
        if (step.startedIn === sessionId) this.#steps.set(id, { ...step, startedIn: entry.sessionId })
      }
    }
  }

  /** The conversation has left the place where it stood. */
  leavePlace(): void {
    for (const [id, step] of this.#steps) if (!isLasting(id) && hasOutcome(step)) this.#steps.delete(id)
  }

  of(stepId: string): RecordedStep | undefined {
    return this.#steps.get(stepId)
  }

  /** Those that belong to a place, which may have been left, and have no outcome. */
  get unfinished(): readonly string[] {
    return [...this.#steps].flatMap(([id, step]) => (isLasting(id) || hasOutcome(step) ? [] : [id]))
  }
}
