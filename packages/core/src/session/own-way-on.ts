/** What goes on with a session for which there is no command, and whose it is. Names are those that the gateway gives. */
import type { Head } from '../store/store.ts'

/** The session whose helper this one is. A client asks again for what it needs of a helper: nobody goes on with one. */
export function helpedBy({ sessionId, agent }: Pick<Head, 'sessionId' | 'agent'>): string | undefined {
  return agent === undefined ? helperName.exec(sessionId)?.[1] : undefined
}

/** After the ids that agents have: others may have a point, too. A helper may have helpers. */
const helperName = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|ses_\w+)(?:\.[0-9a-f]{12}(?:-\d+)?){1,2}$/

/** Of a session that no agent of a configuration ran. */
export function ownWayOn(sessionId: string): string {
  const helped = helpedBy({ sessionId })
  if (helped !== undefined) return `resume ${helped}, whose helper this is: it goes on with that`
  // What a client gave no name.
  return sessionId.startsWith('gw-')
    ? `send the next request through lastgood gateway again; the header x-lastgood-session: ${sessionId} names its session`
    : `start its own program again; with the session id ${sessionId} it goes on from the last good turn`
}
