/**
 * Reads the bodies of Messages requests. A conversation is sent whole with every request, and grows at its end: what was
 * read before is known by its bytes, which are compared at the speed of memory, and only what is new is decoded and
 * parsed (P7).
 *
 * 1. What is read is what parsing the whole would give, key order included. Messages that were read before are the same
 *    objects.
 * 2. The last bodies are kept, up to a limit of bytes; one that was let go costs a parse of the whole.
 */
import { placesAfter, placesIn, type Places } from './message-places.ts'
import { isMessagesBody, type MessagesBody } from './messages-request.ts'

interface Read {
  bytes: Uint8Array
  places: Places
  body: MessagesBody
}

/** Bodies of one name: an agent and its helpers. */
const bodiesOfName = 4
/** A client moves its cache marker, and may leave out an answer that broke off. */
const fewMessages = 4

export class BodyReader {
  readonly #maxBytes: number
  /** The name that was used last is the last one; of a name, the newest body. */
  readonly #read = new Map<string, Read[]>()
  #bytes = 0

  /** `maxBytes`: of the bodies that are kept. Default: 64 MiB. */
  constructor(maxBytes = 64 * 1024 * 1024) {
    this.#maxBytes = maxBytes
  }

  /**
   * `name`: whose bodies are likely to begin alike. `bytes` are kept, and must not change. Undefined for what is no body
   * of a Messages request.
   */
  read(name: string, bytes: Uint8Array): MessagesBody | undefined {
    const kept = this.#read.get(name) ?? []
    const best = mostInCommon(kept, bytes)
    const read = (best && this.#after(best, bytes)) ?? this.#whole(bytes)
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

  #whole(bytes: Uint8Array): (Omit<Read, 'places'> & { places: Places | undefined }) | undefined {
    const body = parsed(text(bytes))
    return isMessagesBody(body) ? { bytes, body, places: placesIn(bytes) } : undefined
  }

  /** Read from where it differs from one before it. */
  #after({ before, known }: Common, bytes: Uint8Array): Read | undefined {
    const ends = before.places.ends.slice(0, known)
    const places = placesAfter(bytes, before.places.start, ends)
    if (!places) return undefined
    const rest = this.#rest(before, bytes, places)
    const from = places.ends.length > known ? bytes.indexOf(comma, ends.at(-1)) + 1 : places.end
    const added = rest && { ...rest, messages: parsed(`[${text(bytes.subarray(from, places.end))}]`) }
    if (!isMessagesBody(added)) return undefined
    const messages = [...before.body.messages.slice(0, known), ...added.messages]
    return { bytes, places, body: { ...added, messages } }
  }

  /** All but the messages, with their key in its place. */
  #rest(before: Read, bytes: Uint8Array, places: Places): Record<string, unknown> | undefined {
    const tail = bytes.subarray(places.end)
    if (Buffer.compare(tail, before.bytes.subarray(before.places.end)) === 0) return before.body
    const whole = Buffer.concat([bytes.subarray(0, places.start), tail])
    // A second list of messages would be another request.
    return placesIn(whole) && (parsed(text(whole)) as Record<string, unknown> | undefined)
  }

  #keep(name: string, kept: readonly Read[], replaced: Read | undefined, read: Read): void {
    const others = kept.slice(-(bodiesOfName - 1))
    const gone = [...kept.slice(0, kept.length - others.length), ...(replaced ? [replaced] : [])]
    this.#bytes += read.bytes.length - gone.reduce(sumOfLengths, 0)
    this.#read.delete(name)
    this.#read.set(name, [...others, read])
    for (const [oldest, bodies] of this.#read) {
      if (this.#bytes <= this.#maxBytes) break
      this.#bytes -= bodies.reduce(sumOfLengths, 0)
      this.#read.delete(oldest)
    }
  }
}

/** So many of its first messages are the same. */
interface Common {
  before: Read
  known: number
}

function mostInCommon(kept: readonly Read[], bytes: Uint8Array): Common | undefined {
  let best: Common | undefined
  for (const before of kept) {
    const { ends } = before.places
    const common = commonLength(before.bytes, bytes)
    // Most often all of them, or all but the last few.
    let known = ends.length
    while (known > 0 && (ends[known - 1] ?? 0) > common) known -= 1
    if (known > (best?.known ?? 0)) best = { before, known }
  }
  return best
}

/** How many bytes two bodies begin with alike. */
function commonLength(one: Uint8Array, other: Uint8Array): number {
  const most = Math.min(one.length, other.length)
  const step = 32 * 1024
  let at = 0
  while (at < most) {
    const to = Math.min(at + step, most)
    if (Buffer.compare(one.subarray(at, to), other.subarray(at, to)) !== 0) break
    at = to
  }
  while (at < most && one[at] === other[at]) at += 1
  return at
}

const comma = 0x2c

const sumOfLengths = (sum: number, { bytes }: Read): number => sum + bytes.length

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
