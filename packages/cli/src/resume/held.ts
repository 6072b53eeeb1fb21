/** A session that a live process writes: who that is, for how long, and the two ways past it. */
import { LastgoodError, type Holder } from '@lastgood/core'
import { iso, spent } from '../durations.ts'
import { resumeCommandFor } from '../sessions.ts'

export function held(
  { owner, since, expiresAt, fence }: Holder,
  sessionId: string,
  now: number,
  flags: readonly string[],
): LastgoodError {
  const { host, pid } = owner
  const age = `since ${iso(since)} (${spent(now - since)})`
  return new LastgoodError('session-busy', `session ${sessionId} is written by pid ${pid} on ${host} ${age}`, {
    hint: `go on beside it, from its last good turn: ${['lastgood fork', sessionId, ...flags].join(' ')}; or take it over: ${resumeCommandFor(sessionId, flags)} --takeover`,
    details: { sessionId, host, pid, since, expiresAt, fence },
  })
}
