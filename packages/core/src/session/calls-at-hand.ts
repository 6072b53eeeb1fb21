/**
 * What this process knows about the last answer's calls and the journal does not: an answer is recorded with the
 * intents of its calls before any of them runs, so in the journal a call that was only handed out looks like one that
 * was begun.
 *
 * 1. A call is new only in the process that received its answer, until it is begun there. No other process can tell.
 * 2. A call that has been taken cannot be taken again until it is given back.
 */
import { LastgoodError } from '../errors.ts'

export class CallsAtHand {
  readonly #sessionId: string
  #came: ReadonlySet<string> = new Set()
  #out: ReadonlySet<string> = this.#came
  readonly #begun = new Set<string>()
  readonly #taken = new Set<string>()

  constructor(sessionId: string) {
    this.#sessionId = sessionId
  }

  /** The calls of an answer that has just been recorded. */
  handOut(toolUseIds: Iterable<string>): void {
    this.#came = new Set(toolUseIds)
    this.#out = this.#came
    this.#begun.clear()
  }

  /** The caller left without that answer. */
  takeBack(): void {
    this.#out = new Set()
  }

  /** Whether somebody in this process may be running the call; a call of a dead process is never out. */
  isOut(toolUseId: string): boolean {
    return this.#out.has(toolUseId)
  }

  isNew(toolUseId: string): boolean {
    return this.#came.has(toolUseId) && !this.#begun.has(toolUseId)
  }

  /** The call's effect comes next. */
  begin(toolUseId: string): void {
    this.#begun.add(toolUseId)
  }

  /** Takes all of the calls, or none. Returns how to give them back. Errors: `bad-option` when one is already taken. */
  take(toolUseIds: readonly string[]): () => void {
    const taken = toolUseIds.find((id) => this.#taken.has(id))
    if (taken !== undefined) throw alreadyTaken(this.#sessionId, taken)
    for (const id of toolUseIds) this.#taken.add(id)
    return () => toolUseIds.forEach((id) => this.#taken.delete(id))
  }
}

function alreadyTaken(sessionId: string, toolUseId: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId}: tool call ${toolUseId} is already running`, {
    hint: 'leave the calls of an agent to the agent, or wait for the step that runs it',
    details: { sessionId, toolUseId },
  })
}
