/**
 * What this process knows of the last answer's calls, and the journal does not: an answer is recorded with the intents
 * of its calls before anybody runs them, so that a call that was only handed out reads like one that was begun.
 *
 * 1. A call is new where its answer came and until it is begun. In any other process nobody can say that it is.
 * 2. What somebody has taken nobody else takes, until it is given back.
 */
import { LastgoodError } from '../errors.ts'

export class CallsAtHand {
  readonly #sessionId: string
  #came: ReadonlySet<string> = new Set()
  #isHandedOut = false
  readonly #begun = new Set<string>()
  readonly #taken = new Set<string>()

  constructor(sessionId: string) {
    this.#sessionId = sessionId
  }

  /** The calls of an answer that has just been recorded. */
  handOut(toolUseIds: Iterable<string>): void {
    this.#came = new Set(toolUseIds)
    this.#isHandedOut = true
    this.#begun.clear()
  }

  /** Whoever asked for that answer has gone without it. */
  takeBack(): void {
    this.#isHandedOut = false
  }

  /** Whether somebody in this process may be running it: what a dead process had, nobody has. */
  isOut(toolUseId: string): boolean {
    return this.#isHandedOut && this.#came.has(toolUseId)
  }

  isNew(toolUseId: string): boolean {
    return this.#came.has(toolUseId) && !this.#begun.has(toolUseId)
  }

  /** Its effect comes next. */
  begin(toolUseId: string): void {
    this.#begun.add(toolUseId)
  }

  /** All of them, or none. Gives the way to give them back. Errors: `bad-option` when one is taken. */
  take(toolUseIds: readonly string[]): () => void {
    const taken = toolUseIds.find((id) => this.#taken.has(id))
    if (taken !== undefined) throw alreadyTaken(this.#sessionId, taken)
    for (const id of toolUseIds) this.#taken.add(id)
    return () => toolUseIds.forEach((id) => this.#taken.delete(id))
  }
}

function alreadyTaken(sessionId: string, toolUseId: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId}: tool call ${toolUseId} is being run already`, {
    hint: 'leave the calls of an agent to the agent, or wait for the step that runs it',
    details: { sessionId, toolUseId },
  })
}
