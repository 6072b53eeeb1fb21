import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ManualClock } from '@lastgood/core/testing'
import { Answer } from './answer.ts'

test('who comes back and leaves again can come back for the whole time anew', async () => {
  const clock = new ManualClock()
  const slow = new TransformStream<Uint8Array, Uint8Array>()
  const answer = new Answer({ clock, reattachMs: 1000, begin: async () => new Response(slow.readable) })
  answer.attach().leave()
  await clock.advance(800)
  answer.attach().leave()
  await clock.advance(800)
  expect(answer.isToBeHad).toBe(true)
  const back = answer.attach()
  const writer = slow.writable.getWriter()
  await writer.write(new TextEncoder().encode('said'))
  expect(new TextDecoder().decode(await back.next())).toBe('said')
  back.leave()
  await clock.advance(1000)
  expect([answer.isToBeHad, answer.standing]).toEqual([false, undefined])
})

test('what has ended is kept only for those who are reading it', async () => {
  const answer = new Answer({ clock: new ManualClock(), reattachMs: 1000, begin: async () => new Response('said') })
  const [one, other] = [answer.attach(), answer.attach()]
  await answer.ended
  one.leave()
  expect(answer.isToBeHad).toBe(true)
  expect(new TextDecoder().decode(await other.next())).toBe('said')
  other.leave()
  expect([answer.isToBeHad, answer.standing]).toEqual([false, 'missed'])
})

test('who is reading when it is abandoned hears of it, however politely it then ends; who has all of it has its end', async () => {
  const slow = new TransformStream<Uint8Array, Uint8Array>()
  const answer = new Answer({
    clock: new ManualClock(),
    reattachMs: 1000,
    begin: async () => new Response(slow.readable),
  })
  const [behind, ahead] = [answer.attach(), answer.attach()]
  const writer = slow.writable.getWriter()
  await writer.write(new TextEncoder().encode('said'))
  await ahead.next()
  answer.abandon('stopped')
  await writer.close()
  await answer.ended
  await expect(behind.next()).rejects.toThrow('stopped')
  expect(await ahead.next()).toBeUndefined()
})

test('who went away and did not come back has forsaken it, until it is given up for another request', async () => {
  const clock = new ManualClock()
  const slow = new TransformStream<Uint8Array, Uint8Array>()
  const answer = new Answer({ clock, reattachMs: 1000, begin: async () => new Response(slow.readable) })
  answer.attach().leave()
  expect(answer.isForsaken).toBe(false)
  await clock.advance(1000)
  expect(answer.isForsaken).toBe(true)
  answer.abandon('another request')
  expect(answer.isForsaken).toBe(false)
})

/** An answer of 20 pieces of 64 KB. `rest` resolves when no more of it is read for now. */
function long() {
  let read = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (read === 20) return controller.close()
        read += 1
        controller.enqueue(new Uint8Array(64 * 1024))
      },
    },
    { highWaterMark: 0 },
  )
  const answer = new Answer({ clock: new ManualClock(), reattachMs: 1000, begin: async () => new Response(body) })
  const rest = async () => {
    for (let turn = 0; turn < 50; turn += 1) await setImmediate()
    return read
  }
  return { answer, rest }
}

test('it is read 256 KB ahead of its quickest client, and to its end when none is left', async () => {
  const { answer, rest } = long()
  const [quick, slow] = [answer.attach(), answer.attach()]
  expect(await rest()).toBe(5)
  for (let n = 0; n < 4; n += 1) await quick.next()
  expect(await rest()).toBe(9)
  for (let n = 0; n < 3; n += 1) await slow.next()
  expect(await rest()).toBe(9)
  quick.leave()
  expect(await rest()).toBe(9)
  slow.leave()
  await answer.ended
  expect(await rest()).toBe(20)
})

test('one that waits for a client ends when it is abandoned', async () => {
  const { answer, rest } = long()
  answer.attach()
  expect(await rest()).toBe(5)
  answer.abandon('stopped')
  await answer.ended
})
