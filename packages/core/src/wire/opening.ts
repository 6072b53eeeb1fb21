/**
 * The entries that a caller's request implies, before it is sent: a resume, a rewind, new messages, a changed envelope.
 */
import { isSameJson } from '../json.ts'
import type { Block, EntryBody, Envelope, Message } from '../journal/journal.ts'
import { blocksOf, isCall } from '../journal/message.ts'
import type { Session } from '../session/session.ts'
import { inDoubtResult, type ToolCall } from '../journal/transcript.ts'
import type { ConversationRequest } from './messages-request.ts'

/** `agent`: who makes the requests, where that is known. */
export function openingEntries(
  session: Session,
  { envelope, rewindTo, added }: ConversationRequest,
  agent?: string,
): EntryBody[] {
  const entries: EntryBody[] = []
  if (session.isParked) entries.push({ type: 'session-resumed', owner: session.owner })
  let { turn, lastGoodTurn } = session
  if (rewindTo !== undefined) {
    // A history that was replaced as a whole undoes no turn; one that is edited at a point goes back there.
    if (rewindTo > 0) ({ turn, lastGoodTurn } = session.transcript.turnsWithin(rewindTo))
    // The caller brings its own version of the final answer, so the turn has ended.
    if (isFinalAnswer(added[0])) lastGoodTurn = turn
    // Calls that nobody will answer any more are recorded as in doubt, not forgotten.
    for (const { toolUseId } of session.transcript.unanswered) {
      entries.push({ type: 'tool-finished', toolUseId, result: inDoubtResult(toolUseId), outcome: 'in-doubt' })
    }
    const reason = rewindTo === 0 ? 'the caller replaced the history' : 'the caller went on from an earlier message'
    entries.push({ type: 'rewound', messages: rewindTo, turn, lastGoodTurn, reason })
  }
  if (turn === lastGoodTurn) {
    entries.push({ type: 'turn-started', turn: turn + 1, ...(agent !== undefined && { agent }), messages: added })
  } else if (added.length > 0 || (rewindTo === undefined && isForAnotherModel(session, envelope))) {
    entries.push({ type: 'turn-continued', messages: added })
  }
  const isPinned = session.envelope && isSameJson(settled(envelope), settled(session.envelope))
  if (!isPinned) entries.push({ type: 'envelope-changed', envelope })
  return entries
}

/** What one model refused, and how often it failed, says nothing of another: the request begins anew. */
function isForAnotherModel({ context, envelope: before }: Session, { body }: Envelope): boolean {
  return context.attempt > 0 && before !== undefined && before.body.model !== body.model
}

/** Without what a client tells a safeguard about this one request (its Git status, its last words). */
const settled = ({ body: { safeguards, ...body }, ...rest }: Envelope): Envelope => ({
  ...rest,
  body: { ...body, ...(safeguards != null && { safeguards: true }) },
})

/** Calls that the caller answers as `session.messages()` does: the model is told that their outcome is unknown. */
export function reportedCalls({ transcript }: Session, { rewindTo, added }: ConversationRequest): readonly ToolCall[] {
  if (rewindTo !== undefined) return []
  const blocks = added.flatMap(blocksOf)
  const isReported = (result: Block) =>
    blocks.some((one) => one['tool_use_id'] === result['tool_use_id'] && one['content'] === result['content'])
  return transcript.unanswered.filter(({ toolUseId }) => isReported(inDoubtResult(toolUseId)))
}

function isFinalAnswer(message: Message | undefined): boolean {
  return message?.role === 'assistant' && !blocksOf(message).some(isCall)
}
