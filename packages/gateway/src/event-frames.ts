/**
 * Streams in Amazon's frames, and the same as server-sent events. A frame holds one event of the Messages API, in base64
 * in a JSON object, or an exception. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
 *
 * 1. What has come is passed on at once. A frame that is cut or damaged breaks the answer.
 * 2. What is no JSON object is left out on the way to a client: comments, and events of gateways.
 */
import { EventReader, isRecord, parsedJson, readPieces, streamOf, writeEvent } from '@lastgood/core'
import { EventStreamCodec, type Message, type MessageHeaders } from '@smithy/eventstream-codec'
import { replaceBody } from './bodies.ts'

const [framed, events] = ['application/vnd.amazon.eventstream', 'text/event-stream'] as const
/** The API's largest event is a block with an image or a result; a frame that says it is longer is damaged. */
const longestFrame = 64 * 1024 * 1024

/** An answer in frames, as events; any other as it is. */
export function eventsOfFrames(response: Response): Response {
  let rest = Buffer.alloc(0)
  return translated(response, framed, `${events}; charset=utf-8`, (piece) => {
    if (!piece && rest.length > 0) throw new Error('a frame of the answer was cut')
    rest = Buffer.concat([rest, piece ?? Buffer.alloc(0)])
    let texts = ''
    for (let length = lengthOf(rest); rest.length >= length; length = lengthOf(rest)) {
      texts += eventOf(codec.decode(rest.subarray(0, length)))
      rest = rest.subarray(length)
    }
    return Buffer.from(texts)
  })
}

/** An answer in events, as frames; any other as it is. */
export function framesOfEvents(response: Response): Response {
  const reader = new EventReader()
  return translated(response, events, framed, (piece) => {
    const come = piece ? reader.take(piece) : reader.end()
    return Buffer.concat(come.map(({ event, data }) => frameOf(event, data)))
  })
}

/** `turn` gives what is to be passed on after a piece, or at the end. */
function translated(
  response: Response,
  from: string,
  to: string,
  turn: (piece: Uint8Array | undefined) => Uint8Array,
): Response {
  if (!response.body || !response.headers.get('content-type')?.includes(from)) return response
  const pieces = readPieces(response.body)
  let hasEnded = false
  const body = streamOf({
    async next() {
      while (!hasEnded) {
        const piece = await pieces.next()
        hasEnded = piece === undefined
        const turned = turn(piece)
        if (turned.length > 0) return turned
      }
      return undefined
    },
    cancel: (reason) => pieces.cancel(reason),
  })
  const given = replaceBody(response, body)
  given.headers.set('content-type', to)
  return given
}

const text = new TextDecoder()
const codec = new EventStreamCodec(
  (bytes) => text.decode(bytes as Uint8Array),
  (said) => Buffer.from(said),
)

/** What the first four bytes say; Infinity as long as they have not come. */
function lengthOf(bytes: Buffer): number {
  if (bytes.length < 4) return Infinity
  const length = bytes.readUInt32BE()
  if (length > longestFrame) throw new Error('a frame of the answer is damaged')
  return length
}

const nameIn = (headers: MessageHeaders, name: string): string => String(headers[name]?.value ?? '')

function recordIn(json: string): Readonly<Record<string, unknown>> {
  const said = parsedJson(json)
  return isRecord(said) ? said : {}
}

function textIn(record: Readonly<Record<string, unknown>>, name: string): string {
  const said = record[name]
  return typeof said === 'string' ? said : ''
}

function eventOf({ headers, body }: Message): string {
  const said = recordIn(text.decode(body))
  if (nameIn(headers, ':message-type') !== 'event') {
    const type = nameIn(headers, ':exception-type') || nameIn(headers, ':error-code')
    const message = textIn(said, 'message') || nameIn(headers, ':error-message')
    return writeEvent('error', { type: 'error', error: { type, message } })
  }
  const data = Buffer.from(textIn(said, 'bytes'), 'base64').toString()
  const event = recordIn(data)
  const { type } = event
  if (typeof type !== 'string') return ''
  // As the model's numbers are written there.
  return data.includes('\n') ? writeEvent(type, event) : `event: ${type}\ndata: ${data}\n\n`
}

/** What Amazon calls the errors of the API; any other is one of the server. */
const exceptions: Readonly<Record<string, string>> = {
  invalid_request_error: 'validationException',
  rate_limit_error: 'throttlingException',
  overloaded_error: 'serviceUnavailableException',
}

function frameOf(event: string, data: string): Uint8Array {
  const said = parsedJson(data)
  if (!isRecord(said)) return Buffer.alloc(0)
  if (event !== 'error')
    return frame({ ':message-type': 'event', ':event-type': 'chunk' }, { bytes: Buffer.from(data).toString('base64') })
  const error = isRecord(said['error']) ? said['error'] : {}
  const type = exceptions[textIn(error, 'type')] ?? 'internalServerException'
  return frame({ ':message-type': 'exception', ':exception-type': type }, { message: textIn(error, 'message') })
}

function frame(names: Readonly<Record<string, string>>, body: object): Uint8Array {
  const all = Object.entries({ ...names, ':content-type': 'application/json' })
  const headers = Object.fromEntries(all.map(([name, value]) => [name, { type: 'string' as const, value }]))
  return codec.encode({ headers, body: Buffer.from(JSON.stringify(body)) })
}
