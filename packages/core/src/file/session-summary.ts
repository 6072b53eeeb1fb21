/** The summary of a session from the end of its journal: its cost does not grow with the session. */
import { type SessionSummary, parseHead } from '../store.ts'
import type { EntriesLine, Line } from './chain.ts'
import { statOfFile } from './folder.ts'
import { tail } from './journal-file.ts'
import { liveHolder, newestLease, recordedLease } from './lease-file.ts'
import type { JournalHandle } from './open-file.ts'
import type { SessionPlace } from './session-place.ts'

/** Undefined when the journal has no entry. */
export async function summaryIn(
  handle: JournalHandle,
  place: SessionPlace,
  now: number,
): Promise<SessionSummary | undefined> {
  const { size } = await statOfFile(handle, place.journal)
  const { lines } = await tail(handle, place.journal, size, (some) => newestEntries(some) !== undefined)
  const [newest, last] = [newestEntries(lines), lines.at(-1)]
  if (!last) return undefined
  const lease = await recordedLease(handle, place, size, last, newestLease(lines))
  if (!newest) return undefined
  const head = parseHead(newest.head, `${place.journal}, entry ${newest.seq}`, place.sessionId)
  return { head, holder: liveHolder(lease, now) }
}

function newestEntries(lines: readonly Line[]): EntriesLine | undefined {
  return lines.findLast((line): line is EntriesLine => 'entries' in line)
}
