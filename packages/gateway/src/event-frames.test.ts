import { EventStreamCodec } from '@smithy/eventstream-codec'
import { eventsIn, streamOf, writeEvent } from '@lastgood/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventsOfFrames, framesOfEvents } from './event-frames.ts'

const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
)
const framed = 'application/vnd.amazon.eventstream'

/** A response that comes in pieces of the given lengths, and then the rest. */
function inPieces(bytes: Uint8Array, lengths: readonly number[], type: string): Response {
  let at = 0
  const ends = lengths.map((length) => (at += length)).filter((end) => end < bytes.length)
  const pieces = [...ends, bytes.length].map((end, n) => bytes.subarray(n === 0 ? 0 : ends[n - 1], end))
  return new Response(streamOf({ next: async () => pieces.shift(), cancel: async () => {} }), {
    headers: { 'content-type': type },
  })
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())
const framesOf = async (text: string) =>
  bytesOf(framesOfEvents(inPieces(new TextEncoder().encode(text), [], 'text/event-stream')))

function exception(type: string, message: string): Uint8Array {
  const value = (text: string) => ({ type: 'string' as const, value: text })
  const headers = { ':message-type': value('exception'), ':exception-type': value(type) }
  return codec.encode({ headers, body: new TextEncoder().encode(JSON.stringify({ message })) })
}

const event = fc
  .record({ type: fc.constantFrom('ping', 'content_block_delta', 'message_stop'), said: fc.jsonValue() })
  .map((data) => writeEvent(data.type, data))
const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })

test('events come back from frames as they were, wherever the bytes of either are split', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 8 }), cuts, cuts, async (written, some, others) => {
      const text = written.join('')
      const frames = framesOfEvents(inPieces(new TextEncoder().encode(text), some, 'text/event-stream'))
      expect(frames.headers.get('content-type')).toBe(framed)
      const back = eventsOfFrames(inPieces(await bytesOf(frames), others, framed))
      expect(back.headers.get('content-type')).toMatch(/^text\/event-stream/)
      expect(await back.text()).toBe(text)
    }),
  )
})

test("a number keeps its digits, and an event's lines become one", async () => {
  const frames = await framesOf('event: message_delta\ndata: {"type":"message_delta",\ndata: "n":1.0}\n\n')
  const text = await eventsOfFrames(inPieces(frames, [], framed)).text()
  expect(eventsIn(text)).toMatchObject([{ event: 'message_delta' }])
  const exact = await framesOf('event: ping\ndata: {"type":"ping","n":12345678901234567890.0}\n\n')
  expect(await eventsOfFrames(inPieces(exact, [], framed)).text()).toContain('"n":12345678901234567890.0}')
})

describe('an error', () => {
  test('of Amazon is an error event with its name', async () => {
    const response = inPieces(exception('throttlingException', 'Too many tokens'), [], framed)
    expect(eventsIn(await eventsOfFrames(response).text())).toMatchObject([
      {
        event: 'error',
        data: JSON.stringify({ type: 'error', error: { type: 'throttlingException', message: 'Too many tokens' } }),
      },
    ])
  })

  test.each([
    ['overloaded_error', 'serviceUnavailableException'],
    ['invalid_request_error', 'validationException'],
    ['api_error', 'internalServerException'],
  ])('for the client is an exception of Amazon: %s', async (type, name) => {
    const frame = await framesOf(writeEvent('error', { type: 'error', error: { type, message: 'why' } }))
    const { headers, body } = codec.decode(frame)
    expect(headers[':exception-type']?.value).toBe(name)
    expect(JSON.parse(new TextDecoder().decode(body))).toEqual({ message: 'why' })
  })
})

describe('a stream of frames breaks', () => {
  const read = (bytes: Uint8Array) => eventsOfFrames(inPieces(bytes, [], framed)).text()
  const one = () => framesOf(writeEvent('ping', { type: 'ping' }))

  test('where a frame was cut', async () => {
    const frame = await one()
    for (const end of [1, 5, frame.length - 1]) await expect(read(frame.subarray(0, end))).rejects.toThrow(/cut/)
  })

  test('where a byte of it was changed', async () => {
    const frame = await one()
    for (const at of [0, 6, 20, frame.length - 1]) {
      await expect(read(frame.with(at, frame[at]! ^ 1)), `byte ${at}`).rejects.toThrow()
    }
  })
})

test('what is no JSON object is in no frame: clients of Amazon would read nothing in it', async () => {
  for (const data of ['null', '7', '[DONE]', '']) {
    for (const name of ['error', 'ping']) expect(await framesOf(`event: ${name}\ndata: ${data}\n\n`)).toHaveLength(0)
  }
})

test('what is no stream passes as it is', async () => {
  const response = Response.json({ message: 'no' }, { status: 400 })
  expect(eventsOfFrames(response)).toBe(response)
  expect(framesOfEvents(response)).toBe(response)
})
