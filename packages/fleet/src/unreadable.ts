/**
 * Sessions that this process cannot open: they are left to others, and looked at again later.
 *
 * 1. A journal of a newer release is for a newer worker, which may ask for it soon.
 * 2. A damaged one is for a person, and told when it is still damaged at a second look: who reads while another writer
 *    takes the session, as a process that was frozen in the middle, sees what is no damage.
 * 3. Anything else says nothing of the session, and its row is as it was.
 */
import { isLastgoodError, type ErrorCode } from '@lastgood/core'
import type { Tell } from './events.ts'

const [soonMs, forPeopleMs] = [10_000, 600_000]

const damage: ReadonlySet<string> = new Set(['journal-corrupt', 'journal-sealed', 'bad-option'] satisfies ErrorCode[])

export class Unreadable {
  readonly #tell: Tell
  /** Looks that failed in a row. */
  readonly #failed = new Map<string, number>()

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** In how many ms the session is worth another look; undefined: the error is not about it. */
  againInMs(sessionId: string, error: unknown): number | undefined {
    const code = isLastgoodError(error) ? error.code : 'unknown'
    const isNewer = code === 'journal-version'
    if (!isNewer && !damage.has(code)) return undefined
    const failed = (this.#failed.get(sessionId) ?? 0) + 1
    this.#failed.set(sessionId, failed)
    if (failed === (isNewer ? 1 : 2)) this.#tell({ kind: 'unreadable', sessionId, code })
    return isNewer || failed === 1 ? soonMs : forPeopleMs
  }

  /** It could be opened. */
  opened(sessionId: string): void {
    this.#failed.delete(sessionId)
  }
}
