import { expect, test } from 'vitest'
import { ManualClock } from '@lastgood/core/testing'
import { Answer } from './answer.ts'

test('who comes back and leaves again can come back for the whole time anew', async () => {
  const clock = new ManualClock()
  const answer = new Answer({ clock, reattachMs: 1000, begin: async () => new Response('said') })
  const first = answer.attach()
  await answer.ended
  first.leave()
  await clock.advance(800)
  answer.attach().leave()
  await clock.advance(800)
  expect(answer.isToBeHad).toBe(true)
  const back = answer.attach()
  expect(new TextDecoder().decode(await back.next())).toBe('said')
  back.leave()
  await clock.advance(1000)
  expect(answer.isToBeHad).toBe(false)
})
