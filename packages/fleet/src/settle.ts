/**
 * Settles the row of a session that was begun here, and its count of starts.
 *
 * 1. The row is written once: if that fails, the old row is looked at again.
 * 2. The count is retried until Redis takes it. Otherwise starts whose end was seen here would count as deaths of a
 *    worker, and a server that is away time and again would have sessions set aside.
 */
import type { CountAction, RowAction } from './due-index.ts'
import { repeat } from './repeat.ts'
import type { Workplace } from './workplace.ts'

export interface Settlement {
  /** The row's score when it was read; undefined: any. */
  readonly score?: number | undefined
  readonly row: RowAction
  readonly count: CountAction
}

/** Errors: `store-unavailable`; the count is then retried in the background. */
export async function settle(place: Workplace, sessionId: string, { score, row, count }: Settlement): Promise<void> {
  try {
    await place.index.settle(sessionId, score, row, count)
  } catch (error) {
    if (count !== 'keep') void countAgain(place, sessionId, count)
    throw error
  }
}

/** Retries until the process stops. The caller of `settle` reports the trouble. */
async function countAgain({ index, options, stopping }: Workplace, sessionId: string, count: CountAction) {
  const told = new AbortController()
  const signal = AbortSignal.any([stopping, told.signal])
  await repeat({ clock: options.clock, tell: () => {}, where: 'due-index', signal }, async () => {
    await index.settle(sessionId, undefined, 'keep', count)
    told.abort()
    return 0
  })
}
