/**
 * What a step is known by: the caller's key, or, without one, its name, its input, the step or call that it is part of,
 * where the conversation stands, and how many of its kind were asked for there before.
 *
 * 1. A process that does the same again gives the same ids. A key is good for as long as the session lives.
 * 2. The conversation never stands at the same place twice, whatever is rewound: neither does a step without a key.
 * 3. What came to no outcome does not count: asked for again, it is the same step.
 */
import { createHash } from 'node:crypto'
import { LastgoodError } from './errors.ts'
import { effectAround } from './nesting.ts'
import { jsonText } from './recordable.ts'

interface StepId {
  stepId: string
  /** It came to no outcome. */
  giveBack(): void
}

export class StepIds {
  readonly #session: { readonly transcript: { readonly changes: number } }
  /** Of the steps without a key that were asked for after so many changes. */
  readonly #asked = new Map<string, Numbers>()
  #askedAfter = 0

  constructor(session: { readonly transcript: { readonly changes: number } }) {
    this.#session = session
  }

  /** Errors: `bad-option`. */
  take(name: string, input: unknown, key: string | undefined): StepId {
    if (key !== undefined) return { stepId: keyed(key), giveBack() {} }
    const part = effectAround(this.#session)?.id ?? null
    const text = jsonText([part, name, input], `the input of step ${name}`)
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16)
    const after = this.#session.transcript.changes
    if (after !== this.#askedAfter) this.#asked.clear()
    this.#askedAfter = after
    const place = `${after}:${name}:${digest}`
    const numbers = this.#asked.get(place) ?? new Numbers()
    this.#asked.set(place, numbers)
    const number = numbers.take()
    return { stepId: `${place}:${number}`, giveBack: () => numbers.giveBack(number) }
  }
}

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
