/**
 * Sessions that this process cannot open: they are left to other workers, and looked at again later.
 *
 * 1. A journal of a newer release is for a newer worker, which may come for it soon.
 * 2. A damaged one is for a person, and is reported only if it is still damaged at a second look: a process that was
 *    frozen while reading, and meanwhile lost the session to another writer, sees damage where there is none.
 * 3. Any other error says nothing about the session, and its row stays as it was.
 */
import { isJournalError, isLastgoodError, type ErrorCode, type SessionSummary, type Store } from '@lastgood/core'
import type { Tell } from './events.ts'

const [soonMs, forPeopleMs] = [10_000, 600_000]

/** The summary of a session that can be read: the feeder reports the others. */
export function readable(store: Store, sessionId: string): Promise<SessionSummary | undefined> {
  return store.summary(sessionId).catch((error: unknown) => {
    if (isJournalError(error)) return undefined
    throw error
  })
}

const damage: ReadonlySet<string> = new Set(['journal-corrupt', 'journal-sealed', 'bad-option'] satisfies ErrorCode[])

export class Unreadable {
  readonly #tell: Tell
  /** By session: looks that failed in a row. */
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

  /** To be called when the session could be opened. */
  opened(sessionId: string): void {
    this.#failed.delete(sessionId)
  }
}
