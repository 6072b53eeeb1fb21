/**
 * The difference between two versions of a conversation, as edits of whole messages.
 *
 * 1. Messages that both versions share, by identity, are the anchors; an edit replaces what is between two of them.
 * 2. `applyEdits(recorded, editsBetween(recorded, repaired))` is `repaired`, message for message.
 */
import type { Edit, Message } from '../../journal/journal.ts'

export function editsBetween(recorded: readonly Message[], repaired: readonly Message[]): Edit[] {
  if (recorded === repaired) return []
  const places = new Map<Message, number[]>()
  recorded.forEach((message, at) => places.set(message, [...(places.get(message) ?? []), at]))
  const edits: Edit[] = []
  let from = 0
  let insert: Message[] = []
  const close = (to: number) => {
    if (to > from || insert.length > 0) edits.push({ from, to, insert })
    insert = []
  }
  for (const message of repaired) {
    // The same message may be in `recorded` more than once.
    const at = places.get(message)?.find((place) => place >= from)
    if (at === undefined) insert.push(message)
    else {
      close(at)
      from = at + 1
    }
  }
  close(recorded.length)
  return edits
}

/**
 * The recorded message in whose place each of `sent` stands; undefined for one that was put in, and where more or fewer
 * than there were stand between two that both have.
 */
export function originalsOf(sent: readonly Message[], recorded: readonly Message[]): readonly (Message | undefined)[] {
  const originals: (Message | undefined)[] = [...sent]
  let moved = 0
  for (const { from, to, insert } of editsBetween(recorded, sent)) {
    const isOneByOne = insert.length === to - from
    insert.forEach((_message, n) => (originals[from + moved + n] = isOneByOne ? recorded[from + n] : undefined))
    moved += insert.length - (to - from)
  }
  return originals
}

/** `edits` are in order and do not overlap. */
export function applyEdits(recorded: readonly Message[], edits: readonly Edit[]): readonly Message[] {
  if (edits.length === 0) return recorded
  const messages: Message[] = []
  let from = 0
  for (const edit of edits) {
    messages.push(...recorded.slice(from, edit.from), ...edit.insert)
    from = edit.to
  }
  messages.push(...recorded.slice(from))
  return messages
}
