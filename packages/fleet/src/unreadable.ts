/**
 * Sessions that this process cannot read: they are left to others, and looked at again later.
 *
 * A journal of a newer release is for a newer worker, which may ask for it soon; a damaged one is for a person.
 */
import { isLastgoodError } from '@lastgood/core'
import type { Tell } from './events.ts'

const [forOthersMs, forPeopleMs] = [10_000, 600_000]

export class Unreadable {
  readonly #tell: Tell
  readonly #told = new Set<string>()

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** In how many ms the session is worth another look; undefined: the store itself cannot answer. */
  againInMs(sessionId: string, error: unknown): number | undefined {
    if (isLastgoodError(error, 'store-unavailable')) return undefined
    const code = isLastgoodError(error) ? error.code : 'unknown'
    if (!this.#told.has(sessionId)) this.#tell({ kind: 'unreadable', sessionId, code })
    this.#told.add(sessionId)
    return code === 'journal-version' ? forOthersMs : forPeopleMs
  }
}
