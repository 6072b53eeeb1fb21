/** What contenders reported, as a history; and the journal in the form that its checker needs. */
import type { Entry, Store } from '@lastgood/core'
import type { Telling } from '../fixtures/contender.mjs'
import type { Operation, Placed } from './journal-history.ts'

/** A report of a contender, and its instant on the clock that all contenders share. */
export type Told = Telling & { at: number }

export function historyFrom(told: readonly Told[]): Operation[] {
  const questions = new Map<string, Operation>()
  for (const { at, id, ...rest } of told) {
    const question = questions.get(id)
    if (!question) {
      const asked = { outcome: 'unknown', ...rest, invokedAt: at, returnedAt: Number.POSITIVE_INFINITY }
      questions.set(id, asked as unknown as Operation)
    } else if (rest.outcome !== 'unknown') Object.assign(question, rest, { returnedAt: at })
  }
  return [...questions.values()]
}

export async function journalOf(store: Store, sessionId: string): Promise<Placed[]> {
  const placed: Placed[] = []
  for await (const entry of store.read(sessionId)) placed.push({ id: idOf(entry), seq: entry.seq, fence: entry.fence })
  return placed
}

function idOf(entry: Entry): string {
  const content = entry.type === 'turn-started' ? entry.messages[0]?.content : undefined
  return Array.isArray(content) ? String(content[0]?.['text']) : entry.type
}
