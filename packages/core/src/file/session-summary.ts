/** The summary of a session, from the end of its journal: the cost does not grow with the session. */
import { parseHead } from '../store/head.ts'
import type { SessionSummary } from '../store/store.ts'
import type { EntriesLine, Line } from './chain.ts'
import { statOfFile } from './folder.ts'
import { type Ending, endingOf, tail } from './journal-file.ts'
import { liveHolder, recordedLease } from './lease-file.ts'
import type { JournalHandle } from './open-file.ts'
import type { SessionPlace } from './session-place.ts'

/** Undefined if the journal has no entry. */
export async function summaryIn(
  handle: JournalHandle,
  place: SessionPlace,
  now: number,
): Promise<SessionSummary | undefined> {
  const { size } = await statOfFile(handle, place.journal)
  const { newest, last } = (await endingOf(handle, size)) ?? (await doubtfulEnding(handle, place, size))
  if (!last) return undefined
  const lease = await recordedLease(handle, place, { size, tip: last })
  if (!newest) return undefined
  const head = parseHead(newest.head, `${place.journal}, entry ${newest.seq}`, place.sessionId)
  return { head, holder: liveHolder(lease, now) }
}

async function doubtfulEnding(
  handle: JournalHandle,
  { journal }: SessionPlace,
  size: number,
): Promise<Partial<Ending>> {
  const isEntries = (line: Line): line is EntriesLine => 'entries' in line
  const { lines } = await tail(handle, journal, size, (some) => some.some(isEntries))
  const [newest, last] = [lines.findLast(isEntries), lines.at(-1)]
  return { ...(newest && { newest }), ...(last && { last }) }
}
