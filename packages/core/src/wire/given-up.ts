/**
 * The errors for a request that is not sent any more: what happened, what is safe, and the one next command.
 */
import { LastgoodError } from '../errors.ts'
import type { Fault } from '../faults/fault.ts'
import { isToRephrase, traitsOf } from '../faults/fault-kinds.ts'
import type { Unrepairable } from '../repair/outgoing.ts'
import { ownWayOn } from '../session/own-way-on.ts'
import type { Session } from '../session/session.ts'
import type { Ending } from './recorder.ts'

interface GivenUp {
  fault: Fault
  decision: Ending
  unrepairable: Unrepairable | undefined
  /** Of the API's last response, if there was one. */
  headers: Headers | undefined
}

export function givenUp(session: Session, { fault, decision, unrepairable, headers }: GivenUp): LastgoodError {
  const details = {
    ...factsOf(session, fault.kind),
    status: fault.status,
    ...limitsIn(headers),
    ...(unrepairable && { unrepairable: `${unrepairable.rule}: ${unrepairable.what}` }),
  }
  if (decision.kind === 'suspend') return suspendedError(session, decision, details, nextFor(session, fault.kind))
  return new LastgoodError('request-failed', `session ${session.id}: ${decision.reason}`, {
    hint: hintFor(session, fault.kind),
    details,
  })
}

/** What the API said about its limits: clients of a plan tell by these headers which window is used up, until when. */
export function limitsIn(headers: Headers | undefined): { limits?: Readonly<Record<string, string>> } {
  const limits = [...(headers ?? [])].filter(([name]) => name.startsWith('anthropic-ratelimit-'))
  return limits.length > 0 ? { limits: Object.fromEntries(limits) } : {}
}

/** The error for a stream that nobody had begun to read: `why` it was given up. */
export const givenUpUnread = (why: string): LastgoodError =>
  new LastgoodError('request-failed', `the answer was given up unread: ${why}`, {
    hint: 'send the same request again and read its answer',
  })

/** The error for a session whose request the API or the model refused for good; `cause` is the SDK's error. */
export function requestFailed(session: Session, cause?: unknown): LastgoodError {
  const { reason, faultKind } = session.context
  const status = typeof cause === 'object' && cause !== null && 'status' in cause ? cause.status : undefined
  return new LastgoodError('request-failed', `session ${session.id}: ${reason ?? 'refused'}`, {
    hint: hintFor(session, faultKind),
    details: { ...factsOf(session, faultKind), ...(typeof status === 'number' && { status }) },
    cause,
  })
}

export function suspendedError(
  session: Session,
  { reason, retryAt }: { reason: string; retryAt?: number | undefined },
  details: Readonly<Record<string, unknown>> = factsOf(session, null),
  next = goOn(session),
): LastgoodError {
  const { id } = session
  const when = retryAt === undefined ? '' : `; worth retrying from ${new Date(retryAt).toISOString()}`
  return new LastgoodError('session-suspended', `session ${id} is suspended: ${reason.replace(/\.$/, '')}${when}`, {
    hint: `${savedAt(session)}; ${next}`,
    details: { ...details, ...(retryAt !== undefined && { retryAt }) },
  })
}

function factsOf({ id, lastGoodTurn, transcript }: Session, kind: string | null): Record<string, unknown> {
  return {
    sessionId: id,
    lastGoodTurn,
    ...(kind !== null && { fault: kind }),
    // What the API refuses is among the messages after these.
    ...(kind !== null && traitsOf(kind).isOfTranscript && { acceptedMessages: transcript.accepted }),
  }
}

const savedAt = ({ turn, lastGoodTurn }: Session): string =>
  lastGoodTurn === 0 ? `saved inside turn ${turn}` : `saved at turn ${lastGoodTurn}`

function hintFor(session: Session, kind: string | null): string {
  return `${savedAt(session)}; ${nextFor(session, kind, 'once fixed')}`
}

function nextFor(session: Session, kind: string | null, when?: string): string {
  if (!isToRephrase(kind)) return goOn(session, when)
  const { id, agent } = session
  const next = agent === undefined ? ownWayOn(id) : `lastgood resume ${id} "…"`
  return `rephrase the message, which replaces the open turn: ${next}`
}

function goOn({ id, agent }: Session, when?: string): string {
  return agent === undefined
    ? `${when ?? 'to continue'}, ${ownWayOn(id)}`
    : `${when ?? 'continue with'}: lastgood resume ${id}`
}
