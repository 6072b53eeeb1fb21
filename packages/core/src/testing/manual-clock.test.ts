import { expect, test } from 'vitest'
import { testEpoch } from './entries.ts'
import { ManualClock } from './manual-clock.ts'

test('time moves only by hand, and sleepers wake in order, each at its own instant', async () => {
  const clock = new ManualClock({ startAt: 0 })
  const woken: string[] = []
  const sleep = async (name: string, at: number, background = false) => {
    await clock.sleepUntil(at, { background })
    woken.push(`${name}@${clock.now()}`)
  }
  const all = [sleep('c', 30), sleep('a', 10), sleep('b', 20, true), sleep('past', -1)]
  expect(clock.sleepers).toEqual([
    { at: 10, background: false },
    { at: 20, background: true },
    { at: 30, background: false },
  ])
  await clock.advance(25)
  expect(woken).toEqual(['past@0', 'a@10', 'b@20'])
  expect(clock.now()).toBe(25)
  await clock.advance(5)
  await Promise.all(all)
  expect(woken.at(-1)).toBe('c@30')
})

test('what a sleeper does on waking happens before the time moves on [a renewal every 10 ms]', async () => {
  const clock = new ManualClock({ startAt: 0 })
  const beats: number[] = []
  void (async () => {
    for (;;) {
      await clock.sleepUntil(clock.now() + 10, { background: true })
      beats.push(clock.now())
    }
  })()
  await clock.advance(35)
  expect(beats).toEqual([10, 20, 30])
})

test('autoAdvance jumps to the earliest foreground sleeper and passes background sleepers on the way', async () => {
  const clock = new ManualClock({ autoAdvance: true })
  const woken: string[] = []
  const sleep = async (name: string, ms: number, background = false) => {
    await clock.sleepUntil(testEpoch + ms, { background })
    woken.push(`${name}@${clock.now() - testEpoch}`)
  }
  void sleep('far background', 90_000_000, true)
  await Promise.all([sleep('late', 3_600_000), sleep('background', 60_000, true), sleep('early', 1000)])
  expect(woken).toEqual(['early@1000', 'background@60000', 'late@3600000'])
  expect(clock.sleepers).toHaveLength(1)
})

test('a sleep ends by its signal with its reason, and is forgotten', async () => {
  const clock = new ManualClock()
  const controller = new AbortController()
  const slept = clock.sleepUntil(testEpoch + 1, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(slept).rejects.toThrow('enough')
  await expect(clock.sleepUntil(0, { signal: controller.signal })).rejects.toThrow('enough')
  expect(clock.sleepers).toEqual([])
})

test('random numbers and ids are the same for the same seed', () => {
  const [one, same, other] = [new ManualClock({ seed: 7 }), new ManualClock({ seed: 7 }), new ManualClock({ seed: 8 })]
  const draws = Array.from({ length: 1000 }, () => one.random())
  expect(draws).toEqual(draws.map(() => same.random()))
  expect(draws.every((x) => x >= 0 && x < 1)).toBe(true)
  expect(Math.abs(draws.reduce((a, b) => a + b) / 1000 - 0.5)).toBeLessThan(0.05)
  expect(one.newId()).toBe(same.newId())
  expect(new Set([one.newId(), one.newId(), other.newId()]).size).toBe(3)
})

test('after calls back once at its instant, in the order of all who wait, and not when it was called off', async () => {
  const clock = new ManualClock()
  const called: string[] = []
  clock.after(20, () => called.push(`b@${clock.now() - testEpoch}`))
  clock.after(10, () => called.push(`a@${clock.now() - testEpoch}`))
  const callOff = clock.after(15, () => called.push('never'))
  callOff()
  callOff()
  await clock.advance(30)
  expect(called).toEqual(['a@10', 'b@20'])
  expect(clock.sleepers).toEqual([])
})
