import { expect, test } from 'vitest'
import { readPieces, streamOf } from './pieces.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function said(words: readonly string[]) {
  const left = [...words]
  const seen: string[] = []
  const stream = streamOf({
    async next() {
      const word = left.shift()
      seen.push(word ?? 'end')
      return word === undefined ? undefined : bytes(word)
    },
    async cancel() {
      seen.push('cancelled')
    },
  })
  return { stream, seen }
}

test('to everybody else it is a stream like any other, and nothing is asked for before it is read', async () => {
  const { stream, seen } = said(['one', ' two'])
  await Promise.resolve()
  expect(seen).toEqual([])
  expect(await new Response(stream).text()).toBe('one two')
})

test('behind a response its pieces are taken without the stream, which is locked then', async () => {
  const { stream, seen } = said(['one', 'two'])
  const { body } = new Response(stream)
  const pieces = readPieces(body)
  expect(stream.locked).toBe(true)
  expect(() => readPieces(body)).toThrow(TypeError)
  const first = pieces.next()
  // A stream would have asked a turn later.
  expect(seen).toEqual(['one'])
  expect(await first).toEqual(bytes('one'))
  await pieces.cancel()
  expect(seen).toEqual(['one', 'cancelled'])
})

test('a stream that was made elsewhere gives its pieces, too, and no body has none', async () => {
  const pieces = readPieces(new Response('whole').body)
  expect(await pieces.next()).toEqual(bytes('whole'))
  expect(await pieces.next()).toBeUndefined()
  expect(await readPieces(null).next()).toBeUndefined()
})

test('that such a stream broke is known before anybody asks for more; without a body there is nothing to know', async () => {
  const reason = new Error('reset')
  const { broken } = readPieces(new ReadableStream({ start: (controller) => controller.error(reason) }))
  await expect(broken).rejects.toBe(reason)
  expect(readPieces(null)).not.toHaveProperty('broken')
})
