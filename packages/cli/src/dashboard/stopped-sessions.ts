/**
 * The sessions that an outage stopped and that can go on here, which `resume all` means. The newest first.
 *
 * A session that a person has suspended, with a reason of their own, is not among them, whatever it waited for before.
 */
import { isLastgoodError, readFleetAgents, type Head, type Store } from '@lastgood/core'
import { isStoppedByOutage } from '../outages/outage-kinds.ts'
import { rowOf, type SessionRow } from '../sessions/session-row.ts'
import { isClients } from '../sessions/client-command.ts'
import { isStopOfProcess } from '../stop.ts'

/** One whose journal cannot be read is left out: it could not go on. Errors: `store-unavailable`. */
export async function stoppedSessions(
  store: Store,
  rows: readonly SessionRow[],
  agents: ReadonlySet<string>,
): Promise<Head[]> {
  const stopped: Head[] = []
  for (const row of rows) {
    const isOne = await isStopped(store, row, agents).catch((error: unknown) => {
      if (isLastgoodError(error, 'store-unavailable')) throw error
      return false
    })
    if (isOne) stopped.push(row.head)
  }
  return stopped.sort((a, b) => b.updatedAt - a.updatedAt)
}

/** Its head as it is now, if it is still one of them. Errors: those of reading it. */
export async function stoppedSession(
  store: Store,
  sessionId: string,
  agents: ReadonlySet<string>,
  now: number,
): Promise<Head | undefined> {
  const summary = await store.summary(sessionId)
  const row = summary && rowOf(summary, await readFleetAgents(store.shared, now))
  return row && (await isStopped(store, row, agents)) ? row.head : undefined
}

async function isStopped(
  store: Store,
  { head, isRecoverable }: SessionRow,
  agents: ReadonlySet<string>,
): Promise<boolean> {
  if (!isRecoverable || head.agent === undefined || !isStoppedByOutage(head)) return false
  return !isClients(head, agents) && !(await isParkedByPerson(store, head))
}

/** False if the session's process was asked to stop in the middle of it: `resume` then says so. */
async function isParkedByPerson(store: Store, { sessionId, seq, status }: Head): Promise<boolean> {
  if (status !== 'suspended') return false
  for await (const entry of store.read(sessionId, seq - 1)) {
    return entry.type === 'session-suspended' && entry.reason === 'interrupted' && !isStopOfProcess(entry.detail)
  }
  return false
}
