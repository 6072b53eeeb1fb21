/**
 * The id of a step: the caller's key; or, without one, its name and input, its place (where the conversation stands, or
 * the step or tool call that it is inside of), and how many of its kind were asked for there before.
 *
 * 1. A process that does the same again gets the same ids; so does a step or a call that runs again.
 * 2. A step with a key, and all inside it, is known for as long as the session lives. Any other belongs to its place,
 *    and the conversation never stands at the same place twice, whatever is rewound.
 * 3. A step without an outcome does not count: asked for again, it is the same step, even if the conversation has gone
 *    on. At the new place it then comes after what was asked for there while it still ran, and before anything new.
 */
import { LastgoodError } from '../errors.ts'
import { effectAround, type Effect } from './nesting.ts'
import { jsonText } from './recordable.ts'
import { sha256 } from '../sha256.ts'
import { hasOutcome, isLasting, type RecordedStep, type RecordedSteps } from '../journal/recorded-steps.ts'

export interface StepId {
  stepId: string
  /** To be called when the step came to no outcome. */
  giveBack(): void
}

interface Places {
  readonly transcript: { readonly place: number; readonly steps: Pick<RecordedSteps, 'ofKind' | 'hasLeft'> }
}

export class StepIds {
  readonly #session: Places
  /** The ids taken inside of each effect; a step inside of none belongs to where the conversation stands. */
  readonly #inside = new WeakMap<Effect, Taken>()
  #atTop = new Taken()
  #place = 0

  constructor(session: Places) {
    this.#session = session
  }

  /** `isRunning`: in this process, now. Errors: `bad-option`. */
  take(name: string, input: unknown, key: string | undefined, isRunning: (stepId: string) => boolean): StepId {
    if (key !== undefined) return { stepId: keyed(key), giveBack() {} }
    const around = effectAround(this.#session)
    const asked = jsonText([around?.id, name, input], `the input of step ${name}`)
    const kind = `${name}:${sha256(asked).slice(0, 16)}`
    const taken = this.#takenIn(around)
    const { place, steps } = this.#session.transcript
    const stem = around ? `${isLasting(around.id) ? 'key' : 'in'}/${kind}` : `${place}:${kind}`
    return steps.hasLeft(kind, place) ? taken.firstOf(this.#idsHere(kind, isRunning)) : taken.next(stem)
  }

  /** The ids of a kind in the order in which they are asked for at this place, with the steps left at other places. */
  *#idsHere(kind: string, isRunning: (stepId: string) => boolean): Generator<string> {
    const { place, steps } = this.#session.transcript
    const known = steps.ofKind(kind)
    const [own, left] = [known.filter((one) => one.changes === place), known.filter((one) => one.changes !== place)]
    const takenUp = left.filter(isTakenUp).sort((one, other) => orderOf(one) - orderOf(other))
    const ids = numbered(`${place}:${kind}`)
    const last = Math.max(...own.map(({ number }) => number))
    for (let number = 0; number <= last; number += 1) {
      // A step may be heard of only when it has ended: then those after it tell where it belongs.
      const heardOf = () => Math.min(...own.filter((one) => one.number >= number).map(orderOf))
      while (takenUp[0] && orderOf(takenUp[0]) < heardOf()) yield takenUp.shift()?.stepId as string
      yield ids.next().value as string
    }
    for (const { stepId } of takenUp) yield stepId
    for (const one of left) if (!hasOutcome(one.step) && !isRunning(one.stepId)) yield one.stepId
    yield* ids
  }

  #takenIn(around: Effect | undefined): Taken {
    if (around) {
      const taken = this.#inside.get(around) ?? new Taken()
      this.#inside.set(around, taken)
      return taken
    }
    const { place } = this.#session.transcript
    if (place !== this.#place) this.#atTop = new Taken()
    this.#place = place
    return this.#atTop
  }
}

/** What was asked for at one place. */
class Taken {
  readonly #ids = new Set<string>()
  /** By stem: all numbers below this one are taken, so that the thousandth step costs no more than the first (P7). */
  readonly #free = new Map<string, number>()

  /** The next number of a stem. */
  next(stem: string): StepId {
    const taken = this.firstOf(numbered(stem, this.#free.get(stem)))
    this.#free.set(stem, Number(taken.stepId.slice(stem.length + 1)) + 1)
    return taken
  }

  firstOf(ids: Iterable<string>): StepId {
    for (const stepId of ids) {
      if (this.#ids.has(stepId)) continue
      this.#ids.add(stepId)
      return { stepId, giveBack: () => this.#giveBack(stepId) }
    }
    throw new Error('there is always another number')
  }

  #giveBack(stepId: string): void {
    this.#ids.delete(stepId)
    this.#free.clear()
  }
}

const orderOf = ({ step }: { step: RecordedStep }): number => step.order ?? Infinity

const isTakenUp = ({ step }: { step: RecordedStep }): boolean => step.order !== undefined

function* numbered(stem: string, from = 0): Generator<string> {
  for (let number = from; ; number += 1) yield `${stem}:${number}`
}

function keyed(key: string): string {
  if (key.length > 0 && key.length <= 200) return `key:${key}`
  throw new LastgoodError('bad-option', `the key of a step has 1 to 200 characters, got ${key.length}`, {
    hint: 'use a short, stable name: an issue number, a file, a commit',
  })
}
