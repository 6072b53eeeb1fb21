/**
 * The text of a request that was changed on its way. Each part that is still what the caller sent goes out in the
 * caller's own words: read and written again, `1.0` becomes `1`, a large number another one, and keys that look like
 * numbers come first. That would no longer be the prompt that is cached, and that thinking is signed against (P4).
 */
import type { Message } from '../journal/journal.ts'
import { asString, part, placeOf, type BodyText } from './body-text.ts'
import { placesIn } from './message-places.ts'

/** The parsed body of a request. */
interface Body {
  readonly [field: string]: unknown
  readonly messages: readonly Message[]
}

/** What a caller sent, and what was read from it. */
export interface SentBody {
  readonly text: BodyText
  readonly body: Body
}

const comma = 0x2c

export function writtenBody(changed: Body, sent?: SentBody): string {
  const own = sent && textsOf(sent)
  const written = (message: Message) => own?.messages.get(message)?.() ?? JSON.stringify(message)
  const fields = Object.entries(changed).flatMap(([name, value]) => {
    const text =
      name === 'messages'
        ? `[${changed.messages.map(written).join(',')}]`
        : ((value === sent?.body[name] ? own?.fields.get(name) : undefined) ?? JSON.stringify(value))
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`]
  })
  return `{${fields.join(',')}}`
}

/** The texts of the fields and of the messages. */
function textsOf({ text, body }: SentBody) {
  const fields = new Map<string, string>()
  const places = placesIn(text, (name, from, to) => fields.set(name, asString(part(text, from, to))))
  const messages = new Map<Message, () => string>()
  places?.ends.forEach((end, at) => {
    const message = body.messages[at]
    const from = at === 0 ? places.start : placeOf(text, comma, places.ends[at - 1] ?? 0) + 1
    if (message) messages.set(message, () => asString(part(text, from, end)))
  })
  return places ? { fields, messages } : undefined
}
