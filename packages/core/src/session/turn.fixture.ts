/** A turn, from the caller's message to the answer. */
import type { Block, EntryBody } from '../journal/journal.ts'
import type { Session } from './session.ts'

const sent: EntryBody = { type: 'request-sent', model: 'm', attempt: 1 }

/** The caller has said something, and its request is in flight. */
export async function ask(session: Session): Promise<void> {
  await session.startTurn([{ role: 'user', content: 'go on' }])
  await session.record([sent])
}

export async function takeTurn(session: Session): Promise<void> {
  await ask(session)
  await answer(session, [{ type: 'text', text: 'done' }])
  await session.record([{ type: 'turn-ended', turn: session.turn }])
}

/** The loop has done what the model asked for, and the request with the result is in flight. */
export async function bringResult(session: Session): Promise<void> {
  const content = [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' }]
  await session.record([{ type: 'turn-continued', messages: [{ role: 'user', content }] }, sent])
}

export const callTool = (session: Session): Promise<void> => callTools(session, ['toolu_1'])

export async function callTools(session: Session, ids: readonly string[]): Promise<void> {
  await answer(
    session,
    ids.map((id) => ({ type: 'tool_use', id, name: 'count', input: {} })),
  )
}

async function answer(session: Session, content: Block[]): Promise<void> {
  const message = { id: 'msg_1', role: 'assistant' as const, model: 'm', content, stop_reason: 'end_turn' }
  await session.record([{ type: 'response-received', message }])
}
