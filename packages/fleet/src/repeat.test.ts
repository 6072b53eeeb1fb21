import { ManualClock } from '@lastgood/core/testing'
import { expect, it } from 'vitest'
import type { FleetEvent } from './events.ts'
import { repeat } from './repeat.ts'

it('P6: what fails is told once, asked again more and more seldom, but every five seconds, and told when it works', async () => {
  const clock = new ManualClock()
  const [asked, told, closed]: [number[], FleetEvent[], AbortController] = [[], [], new AbortController()]
  let isAway = true
  const tell = (event: FleetEvent) => void told.push(event)
  const ended = repeat({ clock, tell, where: 'due-index', signal: closed.signal }, () => {
    asked.push(clock.now())
    return isAway ? Promise.reject(new Error('no answer')) : Promise.resolve(1_000)
  })
  await clock.advance(600_000)
  const pauses = asked.slice(1).map((at, i) => at - (asked[i] ?? 0))
  expect(pauses[0]).toBeLessThanOrEqual(1_000)
  expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000)
  expect(pauses.length).toBeLessThanOrEqual(600 / 2.5 + 4)
  expect(told).toEqual([{ kind: 'trouble', where: 'due-index', code: 'unknown', message: 'Error' }])
  isAway = false
  await clock.advance(5_000)
  closed.abort()
  await ended
  expect(told.slice(1)).toEqual([{ kind: 'trouble-over', where: 'due-index' }])
})

it('what the end of the fleet cuts off is no trouble', async () => {
  const clock = new ManualClock()
  const [told, closed]: [FleetEvent[], AbortController] = [[], new AbortController()]
  const { signal } = closed
  const ended = repeat({ clock, tell: (event) => void told.push(event), where: 'sweep', signal }, () => {
    closed.abort()
    return Promise.reject(new Error('closed'))
  })
  await ended
  expect(told).toEqual([])
})
