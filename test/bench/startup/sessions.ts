/** Many sessions, as agents leave them: three turns of some 4 KB each; every other session is inside its last turn. */
import { openSession, type EntryBody, type Store } from '@lastgood/core'

const words = 'It reads the file, changes it, and runs the tests again. '.repeat(35)

/** How many are written at once. */
const atOnce = 32

export async function writeSessions(store: Store, count: number): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let number = next++; number < count; number = next++) await writeSession(store, number)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function writeSession(store: Store, number: number): Promise<void> {
  const session = await openSession(`session-${number}`, { store, cwd: `/projects/${number % 7}` })
  for (const turn of [1, 2]) await session.record(turnOf(turn))
  await session.record(number % 2 === 0 ? turnOf(3) : turnOf(3).slice(0, 2))
  await session.close()
}

function turnOf(turn: number): EntryBody[] {
  const message = {
    id: `msg_${turn}`,
    role: 'assistant' as const,
    model: 'claude-opus-5-5',
    content: [{ type: 'text', text: words }],
    stop_reason: 'end_turn',
  }
  return [
    { type: 'turn-started', turn, agent: 'coder', messages: [{ role: 'user', content: words }] },
    { type: 'request-sent', model: 'claude-opus-5-5', attempt: 1 },
    { type: 'response-received', message },
    { type: 'turn-ended', turn },
  ]
}
