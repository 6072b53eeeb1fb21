/** How a session that no command can resume goes on, and whose helper it is. Names are those that the gateway gives. */
import type { Head } from '../store/head.ts'

/** The session whose helper this one is. Nobody resumes a helper: its client asks again for what it needs. */
export function helpedBy({ sessionId, agent }: Pick<Head, 'sessionId' | 'agent'>): string | undefined {
  return agent === undefined ? helperName.exec(sessionId)?.[1] : undefined
}

/** Only after an agent's id, because other ids may have a point, too. A helper may have helpers. */
const helperName = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|ses_\w+)(?:\.[0-9a-f]{12}(?:-\d+)?){1,2}$/

/** How to go on with a session that no configured agent ran. */
export function ownWayOn(sessionId: string): string {
  const helped = helpedBy({ sessionId })
  if (helped !== undefined) return `resume ${helped}: this session is its helper and continues with it`
  // A session that its client did not name.
  return sessionId.startsWith('gw-')
    ? `send the next request through lastgood gateway again; the header x-lastgood-session: ${sessionId} names the session`
    : `start its own program again; with the session id ${sessionId} it continues from the last good turn`
}
