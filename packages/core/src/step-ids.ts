/**
 * What a step is known by: the caller's key; or, without one, its name and its input, with where the conversation stands,
 * or inside another step or a tool call, with that one; and how many of its kind were asked for there before.
 *
 * 1. A process that does the same again gives the same ids; so does a step or a call that runs again.
 * 2. A step with a key, and all inside it, is known for as long as the session lives. Any other belongs to its place, and
 *    the conversation never stands at the same place twice, whatever is rewound.
 * 3. What came to no outcome does not count: asked for again, it is the same step, also when the conversation has gone on.
 */
import { createHash } from 'node:crypto'
import { LastgoodError } from './errors.ts'
import { effectAround, type Effect } from './nesting.ts'
import { jsonText } from './recordable.ts'
import { isLasting, type RecordedSteps } from './recorded-steps.ts'

export interface StepId {
  stepId: string
  /** It came to no outcome. */
  giveBack(): void
}

interface Places {
  readonly transcript: { readonly changes: number; readonly steps: Pick<RecordedSteps, 'unfinished'> }
}

export class StepIds {
  readonly #session: Places
  /** Inside of what; what is inside of nothing is asked for where the conversation stands, after so many changes. */
  readonly #inside = new WeakMap<Effect, Map<string, Numbers>>()
  #atTop = new Map<string, Numbers>()
  #changes = 0

  constructor(session: Places) {
    this.#session = session
  }

  /** `isRunning`: in this process, now. Errors: `bad-option`. */
  take(name: string, input: unknown, key: string | undefined, isRunning: (stepId: string) => boolean): StepId {
    if (key !== undefined) return { stepId: keyed(key), giveBack() {} }
    const around = effectAround(this.#session)
    const kind = `${name}:${digestOf(jsonText([around?.id ?? null, name, input], `the input of step ${name}`))}`
    const left = this.#session.transcript.steps.unfinished.find((id) => id.includes(`:${kind}:`) && !isRunning(id))
    if (left !== undefined && !around) return { stepId: left, giveBack() {} }
    const place = around
      ? `${isLasting(around.id) ? 'key' : 'in'}/${kind}`
      : `${this.#session.transcript.changes}:${kind}`
    const numbers = this.#numbersOf(around, place)
    const number = numbers.take()
    return { stepId: `${place}:${number}`, giveBack: () => numbers.giveBack(number) }
  }

  #numbersOf(around: Effect | undefined, place: string): Numbers {
    const { changes } = this.#session.transcript
    if (changes !== this.#changes) this.#atTop = new Map()
    this.#changes = changes
    const all = around ? (this.#inside.get(around) ?? new Map<string, Numbers>()) : this.#atTop
    if (around) this.#inside.set(around, all)
    const numbers = all.get(place) ?? new Numbers()
    all.set(place, numbers)
    return numbers
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

function keyed(key: string): string {
  if (key.length > 0 && key.length <= 200) return `key:${key}`
  throw new LastgoodError('bad-option', `the key of a step has 1 to 200 characters, got ${key.length}`, {
    hint: 'use a short, stable name: an issue number, a file, a commit',
  })
}

/** From 0 up, the lowest that is free. */
class Numbers {
  #next = 0
  #free: number[] = []

  take(): number {
    const lowest = this.#free.shift()
    if (lowest !== undefined) return lowest
    this.#next += 1
    return this.#next - 1
  }

  giveBack(number: number): void {
    this.#free = [...this.#free, number].sort((a, b) => a - b)
  }
}
