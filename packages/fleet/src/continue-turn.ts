/** Gives an open turn back to the workers: after a person took it over, or has looked at why it was suspended. */
import { LastgoodError, ownWayOn, sessionNotFound, visitSession, type Head, type Session } from '@lastgood/core'
import { announce, assertPriority, queue, type SubmitOptions, type SubmitParts, type Submitted } from './submit.ts'

/** Errors: `bad-option`, `session-not-found`, `session-busy`, `store-unavailable`. */
export async function continueTurn(
  parts: SubmitParts,
  sessionId: string,
  { priority = 'interactive' }: Pick<SubmitOptions, 'priority'> = {},
): Promise<Submitted> {
  assertPriority(priority)
  const { store, session: options } = parts.options
  const summary = await store.summary(sessionId)
  if (!summary) throw sessionNotFound(sessionId, store)
  const { head, holder } = summary
  const { turn } = head
  const agent = agentOfOpenTurn(head)
  await announce(parts, sessionId, agent)
  const isParked = head.status === 'suspended' || head.status === 'needs-input'
  if (isParked || !holder) {
    const seq = isParked ? await visitSession(sessionId, options, resumed) : head.seq
    await queue(parts, { sessionId, agent, priority, is: 'open', turn, seq })
  }
  return { sessionId, agent, turn, isNew: false }
}

async function resumed(session: Session): Promise<number> {
  await session.resume()
  return session.seq
}

/** Errors: `bad-option` if no turn is open that a worker could continue. */
function agentOfOpenTurn({ sessionId, agent, turn, lastGoodTurn, machine }: Head): string {
  if (turn === lastGoodTurn || machine.value === 'refused') {
    const why = turn === lastGoodTurn ? 'no turn is open' : `the API refuses what turn ${turn} begins with`
    throw new LastgoodError('bad-option', `session ${sessionId}: ${why}`, {
      hint: `give words: lastgood submit ${sessionId} --agent ${agent ?? '<name>'} "…"`,
      details: { sessionId, turn },
    })
  }
  if (agent !== undefined) return agent
  throw new LastgoodError('bad-option', `session ${sessionId}: no agent that a worker could have ran it`, {
    hint: ownWayOn(sessionId),
    details: { sessionId },
  })
}
