/** The summary of a session from the end of its journal: its cost does not grow with the session. */
import type { FileHandle } from 'node:fs/promises'
import { LastgoodError } from '../errors.ts'
import { type SessionSummary, headSchema } from '../store.ts'
import type { EntriesLine, Line } from './chain.ts'
import { tail } from './journal-file.ts'
import { liveHolder, newestLease, recordedLease } from './lease-file.ts'
import type { SessionPlace } from './session-place.ts'

/** Undefined when the journal has no entry. */
export async function summaryIn(
  handle: FileHandle,
  place: SessionPlace,
  now: number,
): Promise<SessionSummary | undefined> {
  const { size } = await handle.stat()
  const { lines } = await tail(handle, place.journal, size, (some) => newestEntries(some) !== undefined)
  const [newest, last] = [newestEntries(lines), lines.at(-1)]
  if (!newest || !last) return undefined
  const lease = await recordedLease(handle, place, size, last.fence, newestLease(lines))
  const { success, data } = headSchema.safeParse(newest.head)
  if (!success) throw unreadableHead(place, newest)
  return { head: data, holder: liveHolder(lease, now) }
}

function newestEntries(lines: readonly Line[]): EntriesLine | undefined {
  return lines.findLast((line): line is EntriesLine => 'entries' in line)
}

/** Its hash is right, so this is what was written: by a newer release, or by none of ours. */
function unreadableHead({ journal, sessionId }: SessionPlace, { head, seq }: EntriesLine): LastgoodError {
  const { v } = head
  const newer = typeof v === 'number' && v > 1
  return new LastgoodError(
    newer ? 'journal-version' : 'journal-corrupt',
    `${journal}: the head of entry ${seq} ${newer ? `has version ${v} of a newer lastgood; this one reads version 1` : 'cannot be read'}`,
    {
      hint: newer
        ? 'npm install lastgood@latest, then resume again'
        : `lastgood show ${sessionId} shows the entries themselves`,
      details: { path: journal, seq },
    },
  )
}
