/**
 * Server-sent events, read from bytes that may be split anywhere and written back as they came.
 *
 * 1. An event counts only after its blank line; what is left at the end of the bytes is dropped, never guessed.
 * 2. `raw` is the event's own text, so that what is passed on unchanged is unchanged.
 * Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export interface ServerSentEvent {
  event: string
  data: string
  raw: string
}

/** Reads one stream: takes its bytes as they come, and gives the events that are complete. */
export class EventReader {
  readonly #decoder = new TextDecoder()
  /** The searched part of the event that is arriving: a long one is not searched or copied again with every piece. */
  #begun: string[] = []
  #rest = ''

  take(bytes: Uint8Array): readonly ServerSentEvent[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    return this.#complete(blankLine)
  }

  /** No more bytes will come. */
  end(): readonly ServerSentEvent[] {
    return this.#complete(lastBlankLine)
  }

  #complete(boundary: RegExp): readonly ServerSentEvent[] {
    const { events, end } = eventsUntil(boundary, this.#rest, this.#begun)
    if (end > 0) this.#begun = []
    // A blank line is at most four characters long, and three of them may be here already.
    const searched = Math.max(end, this.#rest.length - 3)
    this.#begun.push(this.#rest.slice(end, searched))
    this.#rest = this.#rest.slice(searched)
    return events
  }
}

/** The events in a complete text. */
export const eventsIn = (text: string): ServerSentEvent[] => eventsUntil(lastBlankLine, text, []).events

/** The events that end in `text`, the first of which began with `before`; and where the last one ends, 0 for none. */
function eventsUntil(
  boundary: RegExp,
  text: string,
  before: readonly string[],
): { events: ServerSentEvent[]; end: number } {
  const events: ServerSentEvent[] = []
  let end = 0
  boundary.lastIndex = 0
  while (boundary.test(text)) {
    const event = parseEvent((end === 0 ? before.join('') : '') + text.slice(end, boundary.lastIndex))
    end = boundary.lastIndex
    if (event) events.push(event)
  }
  return { events, end }
}

const lastBlankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/g
/** While more may come, a carriage return at the very end may be half of a line break. */
const blankLine = /(?:\r\n|\n|\r(?!\n|$))(?:\r\n|\n|\r(?!$))/g

/** An event as the API writes it: a line that names it, a line of data, a blank line. */
function usualEvent(raw: string): ServerSentEvent | undefined {
  const [named, end] = [raw.indexOf('\n'), raw.length - 2]
  const isUsual = raw.startsWith('event: ') && raw.startsWith('\ndata: ', named) && raw.endsWith('\n\n')
  if (!isUsual || raw.indexOf('\n', named + 1) !== end || raw.includes('\r')) return undefined
  return { event: raw.slice(7, named), data: raw.slice(named + 7, end), raw }
}

/** The event in one block of lines, or undefined for a block of comments alone. */
function parseEvent(raw: string): ServerSentEvent | undefined {
  const usual = usualEvent(raw)
  if (usual) return usual
  let event = 'message'
  const data: string[] = []
  for (const line of raw.includes('\r') ? raw.split(/\r\n|\n|\r/) : raw.split('\n')) {
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
  }
  return data.length > 0 || event !== 'message' ? { event, data: data.join('\n'), raw } : undefined
}

/** An event as text. */
export function writeEvent(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
