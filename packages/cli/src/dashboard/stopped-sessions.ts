/**
 * The sessions that an outage stopped, and that can go on here: those that `resume all` means. The newest first.
 *
 * One that a person has parked, with a reason of their own, is not among them, whatever it waited for before.
 */
import type { Head, Store } from '@lastgood/core'
import { isStoppedByOutage } from '../outages/outage-kinds.ts'
import type { SessionRow } from '../sessions.ts'
import { ownCommand } from './session-card.ts'

/** Errors: those of reading a journal. */
export async function stoppedSessions(
  store: Store,
  rows: readonly SessionRow[],
  agents: ReadonlySet<string>,
): Promise<Head[]> {
  const stopped: Head[] = []
  for (const { head, isRecoverable } of rows) {
    if (!isRecoverable || head.agent === undefined || !isStoppedByOutage(head)) continue
    if (ownCommand(head, agents) === undefined && !(await isParkedByPerson(store, head))) stopped.push(head)
  }
  return stopped.sort((a, b) => b.updatedAt - a.updatedAt)
}

/** Not by the end of a process, which was in the middle of it: `resume` says so when it is asked to stop. */
async function isParkedByPerson(store: Store, { sessionId, seq, status }: Head): Promise<boolean> {
  if (status !== 'suspended') return false
  for await (const entry of store.read(sessionId, seq - 1)) {
    return (
      entry.type === 'session-suspended' && entry.reason === 'interrupted' && !entry.detail.startsWith('stopped by ')
    )
  }
  return false
}
