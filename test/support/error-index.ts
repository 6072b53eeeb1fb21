// The rows of docs/errors/README.md as observed on the wire.
import type { Wire } from '@lastgood/core'

const now = 0

/** By the message of the SDK or the journal about an answer that had begun: what happened to it on the wire. */
const midway: Readonly<Record<string, Partial<Wire>>> = {
  terminated: { cause: new TypeError('terminated') },
  'other side closed': { cause: new TypeError('terminated', { cause: new Error('other side closed') }) },
  'request ended without sending any chunks': { eventsSeen: 0, endedPolitely: true },
  'stream ended without producing a Message with role=assistant': { endedPolitely: true },
  'no further event arrived in the time allowed': { timer: 'between-events' },
  '200 with an HTML page': { contentType: 'text/html', eventsSeen: 0, endedPolitely: true },
}

const alone = { failures: 1, failingForMs: 0, othersSucceed: false, othersDenied: 0, workedBefore: false }
/** For rows without a message: what happened on the wire. */
const unsaid: readonly (readonly [RegExp, Partial<Wire>])[] = [
  [/^401 or 403 /, { phase: 'status', status: 401, elsewhere: { ...alone, othersDenied: 2 } }],
  [/^an answer without content, `end_turn`/, { answer: 'empty' }],
  [/^an answer without content, `pause_turn`/, { answer: 'empty-pause' }],
  [/^a tool call whose input is not JSON/, { answer: 'broken-call' }],
  [/^`max_tokens` within/, { answer: 'output-cut' }],
  [
    /^5xx for this request only/,
    { phase: 'status', status: 500, elsewhere: { ...alone, failures: 5, failingForMs: 300_000, othersSucceed: true } },
  ],
]

/** The API's words, without what a client puts in front of them. */
export function wordsOf(message: string): string {
  return message.replace(/^(API Error: )?(\d{3} (?=[{A-Z]|due))?/, '')
}

/** The sorting key of the table: letters, digits and spaces. */
export function sortingKey(message: string): string {
  return message
    .replaceAll(/[^a-z0-9 ]/gi, '')
    .trim()
    .toLowerCase()
}

/** A row of any of its tables; in those without a status column, `status` is no status. */
export function seenWith(message: string, status: string): Wire {
  const words = wordsOf(message)
  if (status === '-') {
    const [, text = '', code] = /^(.*?)(?: \(([A-Z_]+)\))?$/.exec(words) ?? []
    return { phase: 'connect', cause: Object.assign(new Error(text), code && { code }), now }
  }
  if (status === '200') return { ...begun, ...(words.startsWith('{') ? inBand(words) : midwayOf(message)) }
  const body = words.startsWith('{') ? words : JSON.stringify({ type: 'error', error: { message: words } })
  return { phase: 'status', status: Number(status), body, now }
}

/** A row without a message. */
export function seenAs(what: string): Wire {
  const [, wire] = unsaid.find(([text]) => text.test(what)) ?? []
  if (!wire) throw new Error(`nothing is known of "${what}"`)
  return { ...begun, ...wire }
}

const begun: Wire = { phase: 'body', status: 200, contentType: 'text/event-stream', eventsSeen: 3, now }

function inBand(words: string): Partial<Wire> {
  return { inBandError: (JSON.parse(words) as { error: { type: string; message: string } }).error }
}

function midwayOf(message: string): Partial<Wire> {
  const seen = midway[message]
  if (!seen) throw new Error(`nothing is known of "${message}" after a 200`)
  return seen
}
