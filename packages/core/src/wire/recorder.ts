/**
 * What the attempts of one request mean for a session.
 *
 * `sending` comes before each attempt and returns when it may leave; `faulted` turns a failure into a decision;
 * `answered` is durable before the answer's end reaches the caller. A side request has attempts and waits, but no
 * journal.
 */
import { LastgoodError } from '../errors.ts'
import type { Decision, Fault } from '../fault.ts'
import type { AssistantMessage, EntryBody, InDoubt, Message } from '../journal.ts'
import { decide } from '../policy.ts'
import type { Session } from '../session.ts'
import { inDoubtResult } from '../transcript.ts'
import { callsOf, endsTurn } from '../answer.ts'
import type { ConversationRequest } from './messages-request.ts'

export interface Recorder {
  sending(signal: AbortSignal): Promise<void>
  faulted(fault: Fault): Promise<Decision>
  answered(received: Received): Promise<void>
  delta(kind: 'text' | 'thinking', text: string): void
  /** The deltas of this attempt will be taken back. */
  dropped(): void
  /** The error for a decision that ends the request. */
  givenUp(fault: Fault, decision: Exclude<Decision, { kind: 'retry' }>): LastgoodError
}

export interface Received {
  message: AssistantMessage
  requestId: string | undefined
  /** Only complete blocks of a cut answer. */
  salvaged: boolean
}

/** The rule under which a call is handed out; undefined when its tool needs no intent. */
export type IntentOf = (toolName: string) => InDoubt | undefined

export function sessionRecorder(
  session: Session,
  request: ConversationRequest,
  intentOf: IntentOf,
  onAnswered: (message: AssistantMessage) => void,
): Recorder {
  let first = true
  return {
    async sending(signal) {
      // Staged, so that they share an append with the request; after them the session may owe something else.
      for (const entry of first ? openingEntries(session, request) : []) await session.stage(entry)
      first = false
      if (session.owed.kind === 'wait') {
        await session.record([])
        await session.clock.sleepUntil(session.owed.until, { signal })
      }
      const attempt = session.context.attempt + 1
      await session.record([{ type: 'request-sent', model: request.model, attempt }])
    },
    async faulted(fault) {
      const { faults, firstFaultAt, faultKind, faultsOfKind } = session.context
      const now = session.clock.now()
      const history = {
        attempts: faults + 1,
        attemptsOfKind: faultKind === fault.kind ? faultsOfKind + 1 : 1,
        firstFaultAt: firstFaultAt ?? now,
        now,
        random: session.clock.random(),
      }
      const decision = decide(fault, history, session.policy)
      await session.record([{ type: 'fault-observed', fault, decision }])
      return decision
    },
    async answered({ message, requestId, salvaged }) {
      const intents = callsOf(message).flatMap((call): EntryBody[] => {
        const name = String(call['name'])
        const inDoubt = intentOf(name)
        return inDoubt ? [{ type: 'tool-started', toolUseId: String(call['id']), name, inDoubt }] : []
      })
      await session.record([
        {
          type: 'response-received',
          message,
          ...(requestId !== undefined && { requestId }),
          ...(salvaged && { salvaged }),
        },
        ...intents,
        ...(endsTurn(message) ? [{ type: 'turn-ended' as const, turn: session.turn }] : []),
      ])
      onAnswered(message)
    },
    delta: (kind, text) => session.emit({ type: 'delta', kind, text }),
    dropped: () => session.emit({ type: 'dropped' }),
    givenUp: (fault, decision) => givenUp(session, fault, decision),
  }
}

/** What the caller's request says happened before it: a resume, a rewind, new messages, a changed envelope. */
function openingEntries(session: Session, { envelope, rewindTo, added }: ConversationRequest): EntryBody[] {
  const entries: EntryBody[] = []
  if (session.isParked) entries.push({ type: 'session-resumed', owner: session.owner })
  let { turn, lastGoodTurn } = session
  if (rewindTo !== undefined) {
    // A history that was replaced as a whole undoes no turn; one that is edited at a point goes back there.
    if (rewindTo > 0) ({ turn, lastGoodTurn } = session.transcript.turnsWithin(rewindTo))
    // The caller put its own version of the answer: the turn had one.
    if (isFinalAnswer(added[0])) lastGoodTurn = turn
    // What nobody will answer any more is said, not forgotten.
    for (const { toolUseId } of session.transcript.unanswered) {
      entries.push({ type: 'tool-finished', toolUseId, result: inDoubtResult(toolUseId), outcome: 'in-doubt' })
    }
    const reason = rewindTo === 0 ? 'the caller replaced the history' : 'the caller went on from an earlier message'
    entries.push({ type: 'rewound', messages: rewindTo, turn, lastGoodTurn, reason })
  }
  if (turn === lastGoodTurn) entries.push({ type: 'turn-started', turn: turn + 1, messages: added })
  else if (added.length > 0) entries.push({ type: 'turn-continued', messages: added })
  if (JSON.stringify(envelope) !== JSON.stringify(session.envelope))
    entries.push({ type: 'envelope-changed', envelope })
  return entries
}

function isFinalAnswer(message: Message | undefined): boolean {
  if (message?.role !== 'assistant') return false
  return typeof message.content === 'string' || !message.content.some((block) => block.type === 'tool_use')
}

/** For requests outside the conversation: waited out like the others, in memory only. */
export function sideRecorder(session: Session): Recorder {
  const { clock, policy } = session
  let attempts = 0
  let firstFaultAt: number | undefined
  let until = 0
  return {
    sending: (signal) => clock.sleepUntil(until, { signal }),
    faulted(fault) {
      attempts += 1
      const now = clock.now()
      firstFaultAt ??= now
      const decision = decide(fault, { attempts, firstFaultAt, now, random: clock.random() }, policy)
      if (decision.kind === 'retry') until = decision.at
      return Promise.resolve(decision)
    },
    answered: () => Promise.resolve(),
    delta: () => {},
    dropped: () => {},
    givenUp: (fault, decision) =>
      new LastgoodError('request-failed', `a request beside the conversation failed: ${decision.reason}`, {
        hint: 'the conversation itself goes on',
        details: { fault: fault.kind, status: fault.status },
      }),
  }
}

function givenUp(session: Session, fault: Fault, decision: Exclude<Decision, { kind: 'retry' }>): LastgoodError {
  const details = { sessionId: session.id, lastGoodTurn: session.lastGoodTurn, fault: fault.kind, status: fault.status }
  if (decision.kind === 'fail') {
    return new LastgoodError('request-failed', `session ${session.id}: ${decision.reason}`, {
      hint: `saved at turn ${session.lastGoodTurn}; once mended: lastgood resume ${session.id}`,
      details,
    })
  }
  const when =
    decision.retryAt === undefined ? '' : `, a next try makes sense from ${new Date(decision.retryAt).toISOString()}`
  return new LastgoodError(
    'session-suspended',
    `session ${session.id} is suspended: ${decision.reason.replace(/\.$/, '')}${when}`,
    {
      hint: `saved at turn ${session.lastGoodTurn}; go on with: lastgood resume ${session.id}`,
      details: { ...details, ...(decision.retryAt !== undefined && { retryAt: decision.retryAt }) },
    },
  )
}
