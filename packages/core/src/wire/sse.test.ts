import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { eventsOf } from './sse.fixture.ts'
import { eventsIn, writeEvent } from './sse.ts'

function pieces(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return ReadableStream.from(at.slice(1).map((end, i) => bytes.slice(at[i], end)))
}

const read = (text: string, cuts: readonly number[] = []) => readBytes(new TextEncoder().encode(text), cuts)

async function readBytes(bytes: Uint8Array, cuts: readonly number[]) {
  const events = []
  for await (const some of eventsOf(pieces(bytes, cuts))) events.push(...some)
  return events
}

/** Line by line, as the standard tells it; an event without data counts where it has a name. */
function asTheFormatSays(text: string) {
  const events = []
  let [event, data]: [string, string[]] = ['message', []]
  for (const line of text.split(/\r\n|\n|\r/).slice(0, -1)) {
    if (line === '') {
      if (data.length > 0 || event !== 'message') events.push({ event, data: data.join('\n') })
      ;[event, data] = ['message', []]
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? []
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
  }
  return events
}

describe('an event reader', () => {
  test('reads the same events whatever bytes the network cuts between', async () => {
    const event = fc.record({
      name: fc.constantFrom('ping', 'message_start', 'x'),
      text: fc.string({ unit: 'grapheme' }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(event),
        fc.array(fc.nat(10_000)),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (list, cuts, eol) => {
          const text = list
            .map(({ name, text }) => writeEvent(name, { text }))
            .join('')
            .replaceAll('\n', eol)
          const events = await read(text, cuts)
          expect(events.map(({ event, data }) => ({ name: event, text: JSON.parse(data).text }))).toEqual(list)
          expect(events.map(({ raw }) => raw).join('')).toBe(text)
        },
      ),
    )
  })

  test('reads what the format says, whatever the lines, their ends and their bytes, a byte at a time, too', async () => {
    const named = ['event: a', 'event:b', 'event', 'event: ', 'event: event: c']
    const said = ['data: x', 'data:', 'data', 'data:  y: z', 'data: \u00e9\ud83d\ude00', 'data: {"data: 1":2}']
    const others = [': comment', 'id: 1', ' data: x', 'data : x', ':', '\ufeffdata: x']
    const line = fc.constantFrom(...named, ...said, ...others)
    const end = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r')
    const part = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(line, end).map(([text, end]) => Buffer.from(text + end)) },
      { weight: 4, arbitrary: end.map((end) => Buffer.from(end)) },
      fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 16 }), fc.array(fc.nat(200)), async (parts, cuts) => {
        const bytes = Buffer.concat(parts)
        const text = new TextDecoder().decode(bytes)
        for (const places of [[], cuts, Array.from(bytes.keys())]) {
          const events = await readBytes(bytes, places)
          expect(events.map(({ event, data }) => ({ event, data }))).toEqual(asTheFormatSays(text))
          let at = 0
          for (const { raw, ...event } of events) {
            expect(eventsIn(raw)).toEqual([{ ...event, raw }])
            at = text.indexOf(raw, at) + raw.length
            expect(text.slice(0, at).endsWith(raw)).toBe(true)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('drops an event whose blank line never came', async () => {
    expect(await read('event: a\ndata: {}\n\nevent: b\ndata: {"cut": tr')).toHaveLength(1)
  })

  test('passes comments over, joins data lines, takes off one space', async () => {
    expect(await read(': hello\n\nevent: a\ndata:  x\ndata:y\n\n')).toMatchObject([{ event: 'a', data: ' x\ny' }])
  })

  test('searches a long event once, not again from its start with every piece', async () => {
    const { exec } = RegExp.prototype
    let searched = 0
    const counting = vi.spyOn(RegExp.prototype, 'exec').mockImplementation(function (this: RegExp, text) {
      // A sticky one splits lines: it looks at one place.
      searched += this.sticky ? 1 : text.length - (this.global ? this.lastIndex : 0)
      return exec.call(this, text)
    })
    onTestFinished(() => counting.mockRestore())
    const [text, piece] = [writeEvent('long', { text: 'x'.repeat(80_000) }), 160]
    const cuts = Array.from({ length: text.length / piece }, (_, i) => (i + 1) * piece)
    expect(await read(text, cuts)).toMatchObject([{ event: 'long', raw: text }])
    expect(counting.mock.calls.length).toBeGreaterThan(cuts.length)
    expect(searched).toBeLessThan(3 * text.length)
  })

  test('copies a long event once, not again with every piece', async () => {
    const { join } = Array.prototype
    let copied = 0
    const counting = vi.spyOn(Array.prototype, 'join').mockImplementation(function (this: unknown[], separator) {
      const text = join.call(this, separator)
      copied += text.length
      return text
    })
    onTestFinished(() => counting.mockRestore())
    const text = writeEvent('long', { text: 'x'.repeat(80_000) })
    const events = await read(
      text,
      Array.from({ length: 500 }, (_, i) => (i + 1) * 160),
    )
    counting.mockRestore()
    expect(events).toMatchObject([{ event: 'long', raw: text }])
    expect(copied).toBeLessThan(3 * text.length)
  })
})
