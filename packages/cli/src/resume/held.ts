/** A session that a live process is writing: who holds it, since when, and the ways past it. */
import { helpedBy, LastgoodError, ownWayOn, type Head, type Holder } from '@lastgood/core'
import { iso, spent } from '../durations.ts'
import { resumeCommandOf } from '../sessions/session-row.ts'
import { commandLine } from '../text.ts'

export function held(
  { owner, since, expiresAt, fence }: Holder,
  head: Pick<Head, 'sessionId' | 'agent' | 'lastGoodTurn'>,
  now: number,
  flags: readonly string[],
): LastgoodError {
  const { host, pid } = owner
  const { sessionId } = head
  const command = resumeCommandOf(head, flags)
  const past =
    command === undefined ? `end that process, and ${ownWayOn(sessionId)}` : `take it over: ${command} --takeover`
  const fork = commandLine('lastgood fork', sessionId, ...flags)
  const beside = head.lastGoodTurn > 0 ? `continue beside it, from its last good turn: ${fork}; or ` : ''
  const age = `since ${iso(since)} (${spent(now - since)})`
  return new LastgoodError('session-busy', `session ${sessionId} is written by pid ${pid} on ${host} ${age}`, {
    // Nobody resumes a helper's session, held or not.
    hint: helpedBy(head) === undefined ? `${beside}${past}` : ownWayOn(sessionId),
    details: { sessionId, host, pid, since, expiresAt, fence },
  })
}
