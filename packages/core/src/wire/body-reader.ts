/**
 * Reads the bodies of Messages requests. A conversation is sent whole with every request, and grows at its end: what was
 * read before is known by its text, and only what is new is parsed (P7).
 *
 * 1. What is read is what parsing the whole would give, key order included. Messages that were read before are the same
 *    objects.
 * 2. The last bodies are kept, up to a limit of characters; one that was let go costs a parse of the whole.
 */
import { placesAfter, placesIn, type Places } from './message-places.ts'
import { isMessagesBody, type MessagesBody } from './messages-request.ts'

interface Read {
  text: string
  places: Places
  body: MessagesBody
}

/** Bodies of one name: an agent and its helpers. */
const bodiesOfName = 4
/** A client moves its cache marker, and may leave out an answer that broke off. */
const fewMessages = 4

export class BodyReader {
  readonly #maxCharacters: number
  /** The name that was used last is the last one; of a name, the newest body. */
  readonly #read = new Map<string, Read[]>()
  #characters = 0

  /** `maxCharacters`: of the bodies that are kept. Default: what takes 64 MiB where a character takes two bytes. */
  constructor(maxCharacters = 32 * 1024 * 1024) {
    this.#maxCharacters = maxCharacters
  }

  /** `name`: whose bodies are likely to begin alike. Undefined for what is no body of a Messages request. */
  read(name: string, text: string): MessagesBody | undefined {
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

  #whole(text: string): (Omit<Read, 'places'> & { places: Places | undefined }) | undefined {
    const body = parsed(text)
    return isMessagesBody(body) ? { text, body, places: placesIn(text) } : undefined
  }

  /** Read from where it differs from one before it. */
  #after({ before, known }: Common, text: string): Read | undefined {
    const ends = before.places.ends.slice(0, known)
    const places = placesAfter(text, before.places.start, ends)
    if (!places) return undefined
    const rest = this.#rest(before, text, places)
    const from = places.ends.length > known ? text.indexOf(',', ends.at(-1)) + 1 : places.end
    const added = rest && { ...rest, messages: parsed(`[${text.slice(from, places.end)}]`) }
    if (!isMessagesBody(added)) return undefined
    const messages = [...before.body.messages.slice(0, known), ...added.messages]
    return { text, places, body: { ...added, messages } }
  }

  /** All but the messages, with their key in its place. */
  #rest(before: Read, text: string, places: Places): Record<string, unknown> | undefined {
    const tail = text.slice(places.end)
    if (tail === before.text.slice(before.places.end)) return before.body
    const whole = text.slice(0, places.start) + tail
    // A second list of messages would be another request.
    return placesIn(whole) && (parsed(whole) as Record<string, unknown> | undefined)
  }

  #keep(name: string, kept: readonly Read[], replaced: Read | undefined, read: Read): void {
    const others = kept.slice(-(bodiesOfName - 1))
    const gone = [...kept.slice(0, kept.length - others.length), ...(replaced ? [replaced] : [])]
    this.#characters += read.text.length - gone.reduce(sumOfLengths, 0)
    this.#read.delete(name)
    this.#read.set(name, [...others, read])
    for (const [oldest, bodies] of this.#read) {
      if (this.#characters <= this.#maxCharacters) break
      this.#characters -= bodies.reduce(sumOfLengths, 0)
      this.#read.delete(oldest)
    }
  }
}

/** So many of its first messages are the same. */
interface Common {
  before: Read
  known: number
}

function mostInCommon(kept: readonly Read[], text: string): Common | undefined {
  let best: Common | undefined
  for (const before of kept) {
    const known = knownOf(before, text)
    if (known > (best?.known ?? 0)) best = { before, known }
  }
  return best
}

/** How many messages two bodies begin with alike: most often all, or all but the last few. */
function knownOf({ text: before, places: { ends } }: Read, text: string): number {
  // Equality of texts is a comparison of memory; `startsWith` goes letter by letter.
  const isKnown = (count: number) => text.slice(0, ends[count - 1]) === before.slice(0, ends[count - 1])
  let [most, step] = [ends.length, 1]
  for (; most > 0 && !isKnown(most); step *= 2) most = Math.max(0, most - step)
  // Between the last step and the one before it.
  let tooMany = Math.min(ends.length + 1, most + step)
  while (most > 0 && tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2)
    if (isKnown(middle)) most = middle
    else tooMany = middle
  }
  return most
}

const sumOfLengths = (sum: number, { text }: Read): number => sum + text.length

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
