/**
 * Reads the bodies of Messages requests. A conversation is sent whole with every request, and grows at its end: what was
 * read before is known by its text, which is compared at the speed of memory, and only what is new is decoded and
 * parsed (P7).
 *
 * 1. What is read is what parsing the whole would give, key order included. Messages that were read before are the same
 *    objects.
 * 2. The last bodies are kept, up to a limit of their length; one that was let go costs a parse of the whole.
 */
import { asString, commonLength, isSameText, part, placeOf, type BodyText } from './body-text.ts'
import { placesAfter, placesIn, type Places } from './message-places.ts'
import { isMessagesBody, type MessagesBody } from './messages-request.ts'

interface Read {
  text: BodyText
  places: Places
  body: MessagesBody
}

/** Bodies of one name: an agent and its helpers. */
const bodiesOfName = 4
/** A client moves its cache marker, and may leave out an answer that broke off. */
const fewMessages = 4

export class BodyReader {
  readonly #maxLength: number
  /** The name that was used last is the last one; of a name, the newest body. */
  readonly #read = new Map<string, Read[]>()
  #length = 0

  /** `maxLength`: of the bodies that are kept, in bytes or in characters, as they come. Default: 64 Mi. */
  constructor(maxLength = 64 * 1024 * 1024) {
    this.#maxLength = maxLength
  }

  /**
   * `name`: whose bodies are likely to begin alike. `text` is kept: bytes must not change. Undefined for what is no body
   * of a Messages request.
   */
  read(name: string, text: BodyText): MessagesBody | undefined {
    const kept = this.#read.get(name) ?? []
    const best = mostInCommon(kept, text)
    const read = (best && this.#after(best, text)) ?? this.#whole(text)
    // What it goes on from is not asked about again, but for the last messages, which a client may take back.
    const replaced = best && best.known >= best.before.places.ends.length - fewMessages ? best.before : undefined
    if (read?.places)
      this.#keep(
        name,
        kept.filter((one) => one !== replaced),
        replaced,
        read as Read,
      )
    return read?.body
  }

  /** Nothing under this name is likely to come for a while. */
  forget(name: string): void {
    this.#length -= (this.#read.get(name) ?? []).reduce(sumOfLengths, 0)
    this.#read.delete(name)
  }

  #whole(text: BodyText): (Omit<Read, 'places'> & { places: Places | undefined }) | undefined {
    const body = parsed(text)
    return isMessagesBody(body) ? { text, body, places: placesIn(text) } : undefined
  }

  /** Read from where it differs from one before it. */
  #after({ before, known }: Common, text: BodyText): Read | undefined {
    const ends = before.places.ends.slice(0, known)
    const places = placesAfter(text, before.places.start, ends)
    if (!places) return undefined
    const rest = this.#rest(before, text, places)
    const from = places.ends.length > known ? placeOf(text, comma, ends.at(-1) ?? 0) + 1 : places.end
    const added = rest && { ...rest, messages: parsed(part(text, from, places.end), '[', ']') }
    if (!isMessagesBody(added)) return undefined
    const messages = [...before.body.messages.slice(0, known), ...added.messages]
    return { text, places, body: { ...added, messages } }
  }

  /** All but the messages, with their key in its place. */
  #rest(before: Read, text: BodyText, places: Places): Record<string, unknown> | undefined {
    const tail = part(text, places.end)
    if (isSameText(tail, part(before.text, before.places.end))) return before.body
    const whole = asString(part(text, 0, places.start)) + asString(tail)
    // A second list of messages would be another request.
    return placesIn(whole) && (parsed(whole) as Record<string, unknown> | undefined)
  }

  #keep(name: string, kept: readonly Read[], replaced: Read | undefined, read: Read): void {
    const others = kept.slice(-(bodiesOfName - 1))
    const gone = [...kept.slice(0, kept.length - others.length), ...(replaced ? [replaced] : [])]
    this.#length += read.text.length - gone.reduce(sumOfLengths, 0)
    this.#read.delete(name)
    this.#read.set(name, [...others, read])
    for (const [oldest, bodies] of this.#read) {
      if (this.#length <= this.#maxLength) break
      this.#length -= bodies.reduce(sumOfLengths, 0)
      this.#read.delete(oldest)
    }
  }
}

/** So many of its first messages are the same. */
interface Common {
  before: Read
  known: number
}

function mostInCommon(kept: readonly Read[], text: BodyText): Common | undefined {
  let best: Common | undefined
  for (const before of kept) {
    const { ends } = before.places
    const common = commonLength(before.text, text)
    // Most often all of them, or all but the last few.
    let known = ends.length
    while (known > 0 && (ends[known - 1] ?? 0) > common) known -= 1
    if (known > (best?.known ?? 0)) best = { before, known }
  }
  return best
}

const comma = 0x2c

const sumOfLengths = (sum: number, { text }: Read): number => sum + text.length

function parsed(text: BodyText, before = '', after = ''): unknown {
  try {
    return JSON.parse(before + asString(text) + after)
  } catch {
    return undefined
  }
}
