import { expect, test } from 'vitest'
import { inTime, type Late } from './in-time.ts'
import { ManualClock } from './testing/manual-clock.ts'

const never = new Promise<never>(() => {})

test('what comes in time is the result, and an error is the error; then no limit is left', async () => {
  const clock = new ManualClock()
  let seen: Late | undefined
  const work = async (late: Late) => {
    seen = late
    return 'done'
  }
  expect(await inTime(clock, 1_000, work)).toBe('done')
  await expect(inTime(clock, 1_000, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await clock.advance(5_000)
  expect(seen?.isOver).toBe(false)
  expect(clock.sleepers).toEqual([])
})

test('work that throws at once rejects, and leaves no limit behind', async () => {
  const clock = new ManualClock()
  const thrown = inTime(clock, 1_000, () => {
    throw new Error('at once')
  })
  await expect(thrown).rejects.toThrow('at once')
  expect(clock.sleepers).toEqual([])
})

test('after the time it rejects, and the work is told, in words or by a signal, however late it asks', async () => {
  const clock = new ManualClock()
  let seen: Late | undefined
  const late = inTime(
    clock,
    1_000,
    (given) => {
      seen = given
      return never
    },
    () => new Error('too late'),
  ).catch((error: unknown) => error)
  const asked = seen?.signal
  await clock.advance(999)
  expect([seen?.isOver, asked?.aborted]).toEqual([false, false])
  seen?.throwIfOver()
  await clock.advance(1)
  expect(await late).toMatchObject({ message: 'too late' })
  expect(asked?.reason).toMatchObject({ message: 'too late' })
  expect(() => seen?.throwIfOver()).toThrow('too late')
})

test('a signal that is asked for after the time is aborted already', async () => {
  const clock = new ManualClock()
  let seen: Late | undefined
  const late = inTime(clock, 1_000, (given) => {
    seen = given
    return never
  }).catch((error: unknown) => error)
  await clock.advance(1_000)
  expect(await late).toMatchObject({ message: 'no result within 1000 ms' })
  expect(seen?.signal.reason).toMatchObject({ message: 'no result within 1000 ms' })
})

test('a result that comes after the time is ignored, and so is an error', async () => {
  const clock = new ManualClock()
  const settle: { resolve: (said: string) => void; reject: (error: Error) => void }[] = []
  const answered = () => new Promise<string>((resolve, reject) => settle.push({ resolve, reject }))
  const both = Promise.allSettled([inTime(clock, 1_000, answered), inTime(clock, 1_000, answered)])
  await clock.advance(1_000)
  settle[0]?.resolve('late')
  settle[1]?.reject(new Error('late'))
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
