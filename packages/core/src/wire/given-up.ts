/**
 * The error for a request that is not sent any more: what happened, what is safe, and the one next command.
 */
import { LastgoodError } from '../errors.ts'
import type { Fault } from '../fault.ts'
import type { Unrepairable } from '../repair/outgoing.ts'
import type { Session } from '../session.ts'
import type { Ending } from './recorder.ts'

export function givenUp(
  session: Session,
  fault: Fault,
  decision: Ending,
  unrepairable: Unrepairable | undefined,
): LastgoodError {
  const { id, lastGoodTurn, transcript } = session
  const details = {
    sessionId: id,
    lastGoodTurn,
    fault: fault.kind,
    status: fault.status,
    // What the API refuses is among the messages after these.
    ...(isOfTranscript(fault) && { acceptedMessages: transcript.accepted }),
    ...(unrepairable && { unrepairable: `${unrepairable.rule}: ${unrepairable.what}` }),
  }
  const saved = `saved at turn ${lastGoodTurn}`
  if (decision.kind === 'fail') {
    const next = isOfTranscript(fault)
      ? `go back and say it otherwise: lastgood resume ${id} "…" takes the open turn's place`
      : `once mended: lastgood resume ${id}`
    return new LastgoodError('request-failed', `session ${id}: ${decision.reason}`, {
      hint: `${saved}; ${next}`,
      details,
    })
  }
  return suspendedError(session, decision, details)
}

export function suspendedError(
  { id, lastGoodTurn }: Session,
  { reason, retryAt }: { reason: string; retryAt?: number | undefined },
  details: Readonly<Record<string, unknown>> = { sessionId: id, lastGoodTurn },
): LastgoodError {
  const when = retryAt === undefined ? '' : `, a next try makes sense from ${new Date(retryAt).toISOString()}`
  return new LastgoodError('session-suspended', `session ${id} is suspended: ${reason.replace(/\.$/, '')}${when}`, {
    hint: `saved at turn ${lastGoodTurn}; go on with: lastgood resume ${id}`,
    details: { ...details, ...(retryAt !== undefined && { retryAt }) },
  })
}

const ofTranscript: ReadonlySet<string> = new Set([
  'transcript-invalid',
  'image-rejected',
  'too-large',
  'context-overflow',
  'poisoned',
])

const isOfTranscript = ({ kind }: Fault): boolean => ofTranscript.has(kind)
