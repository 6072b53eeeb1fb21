/**
 * Reads the bodies of Messages requests. A conversation is sent whole with every request, and grows at its end: what
 * was read before is recognised by its text, compared at the speed of memory, and only what is new is decoded and
 * parsed (P7).
 *
 * 1. The result is what parsing the whole would give, key order included. Messages that were read before are the same
 *    objects.
 * 2. The latest bodies are kept, up to a limit on their length; after one was dropped, the next is parsed whole.
 */
import { asString, commonLength, isSameText, part, placeOf, type BodyText } from './body-text.ts'
import { placesAfter, placesIn, type Places } from './message-places.ts'
import { isMessagesBody, type MessagesBody } from './messages-request.ts'
import { parsedRecordable } from '../session/recordable.ts'

interface Read {
  text: BodyText
  places: Places
  body: MessagesBody
}

/** How many bodies are kept per name: those of an agent and its helpers. */
const bodiesOfName = 4
/** Messages at the end that may differ: a client moves its cache marker, and may leave out an answer that broke off. */
const fewMessages = 4

export class BodyReader {
  readonly #maxLength: number
  /** The most recently used name comes last, and so does the newest body of a name. */
  readonly #read = new Map<string, Read[]>()
  #length = 0

  /** `maxLength`: the total length of the kept bodies, in bytes or characters, as they come. Default: 64 Mi. */
  constructor(maxLength = 64 * 1024 * 1024) {
    this.#maxLength = maxLength
  }

  /**
   * `name`: bodies of the same name are likely to begin alike. `text` is kept: bytes must not change. Undefined for
   * what is not the body of a Messages request. Errors: `bad-option` for one that is nested too deeply.
   */
  read(name: string, text: BodyText): MessagesBody | undefined {
    const kept = this.#read.get(name) ?? []
    const best = mostInCommon(kept, text)
    const read = (best && this.#after(best, text)) ?? this.#whole(text)
    // A body that this one goes on from is not needed any more, even if a client took back its last messages.
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
    const body = parsed(asString(text))
    return isMessagesBody(body) ? { text, body, places: placesIn(text) } : undefined
  }

  /** Reads the body from where it differs from an earlier one. */
  #after({ before, known }: Common, text: BodyText): Read | undefined {
    const ends = before.places.ends.slice(0, known)
    const places = placesAfter(text, before.places.start, ends)
    if (!places) return undefined
    const rest = this.#rest(before, text, places)
    const from = places.ends.length > known ? placeOf(text, comma, ends.at(-1) ?? 0) + 1 : places.end
    const added = { ...rest, messages: parsed(`[${asString(part(text, from, places.end))}]`) }
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

/** Refused here, because what only compares a body walks it, too. */
const parsed = (text: string): unknown => parsedRecordable(text, 'the request')

/** An earlier body, and how many of its first messages are the same. */
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
    while ((ends[known - 1] ?? 0) > common) known -= 1
    if (known > (best?.known ?? 0)) best = { before, known }
  }
  return best
}

const comma = 0x2c

const sumOfLengths = (sum: number, { text }: Read): number => sum + text.length
