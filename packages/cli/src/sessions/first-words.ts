/**
 * A session's first user message, as one line: people know their sessions by it. Only the beginning of the journal is
 * read, and a journal that cannot be read has none.
 */
import { readHistory, withBlobs, type Entry, type Head, type Message, type Store } from '@lastgood/core'
import { safeLine } from '../text.ts'

/** Characters kept, for a row and for a search in it. */
const kept = 300

export async function firstWordsOf(
  store: Store,
  { sessionId, origin }: Pick<Head, 'sessionId' | 'origin'>,
): Promise<string | undefined> {
  try {
    const entries = origin ? inherited(store, sessionId) : withBlobs(store, sessionId, store.read(sessionId))
    for await (const entry of entries) if (entry.type === 'turn-started') return firstWordsIn(entry.messages)
  } catch {
    // Damaged, sealed with a key that is not here, or removed meanwhile: `resume` reports it if it is chosen.
  }
  return undefined
}

async function* inherited(store: Store, sessionId: string): AsyncGenerator<Entry> {
  for await (const { entry } of readHistory(store, sessionId)) yield entry
}

/** Added by Claude Code: its reminders, the output of its own commands, and notes of an interruption. */
const putAround = /<(system-reminder|local-command-\w+)>[^]*?(<\/\1>|$)|\[Request interrupted by user[^\]]*\]/g

/** Undefined if the user said nothing. What clients put around a person's words is left out. */
export function firstWordsIn(messages: readonly Message[]): string | undefined {
  for (const { role, content } of messages) {
    if (role !== 'user') continue
    const texts =
      typeof content === 'string' ? [content] : content.map(({ type, text }) => (type === 'text' ? String(text) : ''))
    for (const text of texts) {
      const words = safeLine(text.slice(0, 20_000).replace(putAround, ' '))
      if (words !== '') return words.slice(0, kept).toWellFormed()
    }
  }
  return undefined
}
