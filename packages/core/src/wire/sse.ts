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

export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder()
  /** What was searched of the event that is arriving: a long one is not searched or copied again with every chunk. */
  let begun: string[] = []
  let rest = ''
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true })
    yield* complete(blankLine)
  }
  yield* complete(lastBlankLine)

  function* complete(boundary: RegExp): Generator<ServerSentEvent> {
    for (let match = boundary.exec(rest); match; match = boundary.exec(rest)) {
      const end = match.index + match[0].length
      const event = parseEvent(begun.join('') + rest.slice(0, end))
      begun = []
      rest = rest.slice(end)
      if (event) yield event
    }
    // A blank line is at most four characters long, and three of them may be here already.
    const searched = Math.max(0, rest.length - 3)
    begun.push(rest.slice(0, searched))
    rest = rest.slice(searched)
  }
}

const lastBlankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/
/** While more may come, a carriage return at the very end may be half of a line break. */
const blankLine = /(?:\r\n|\n|\r(?!\n|$))(?:\r\n|\n|\r(?!$))/

/** The event in one block of lines, or undefined for a block of comments alone. */
function parseEvent(raw: string): ServerSentEvent | undefined {
  let event = 'message'
  const data: string[] = []
  for (const line of raw.split(/\r\n|\n|\r/)) {
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
