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
