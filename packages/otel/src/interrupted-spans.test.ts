import { memoryStore, systemClock, type SharedState } from '@lastgood/core'
import { expect, test } from 'vitest'
import { InterruptedSpan } from './interrupted-spans.ts'

const spanOf = (n: number) => ({
  traceId: n.toString(16).padStart(32, '0'),
  spanId: n.toString(16).padStart(16, '0'),
  traceFlags: 1,
})
test('the span of an open turn is found by another process, for that turn only, until it ends', async () => {
  const { shared } = memoryStore()
  const [mine, others] = [1, 2].map(() => new InterruptedSpan(shared, systemClock, 'ses')) as [
    InterruptedSpan,
    InterruptedSpan,
  ]
  mine.keep(3, spanOf(7))
  await expect.poll(() => others.find(3)).toEqual({ ...spanOf(7), isRemote: true })
  expect(await others.find(4)).toBeUndefined()
  mine.forget()
  await expect.poll(() => others.find(3)).toBeUndefined()
})

test('what is kept is bounded: the oldest go, and one that goes on is not among them', async () => {
  const { shared } = memoryStore()
  const kept = new InterruptedSpan(shared, systemClock, 'ses')
  kept.keep(1, spanOf(1))
  await expect.poll(() => kept.find(1)).toBeDefined()
  const [{ key, version } = { key: '', version: 0 }] = await shared.list('spans:')
  const traceparent = `00-${spanOf(1).traceId}-${spanOf(1).spanId}-01`
  const many = Array.from({ length: 250 }, (_, n) => [`other-${n}`, { turn: 1, at: n, traceparent }])
  await shared.write(key, version, Object.fromEntries(many))
  kept.keep(2, spanOf(2))
  await expect.poll(() => kept.find(2)).toMatchObject(spanOf(2))
  const ids = Object.keys((await shared.read(key))?.value as object)
  expect(ids).toHaveLength(200)
  expect(ids).toContain('other-249')
  expect(ids).not.toContain('other-0')
})

test('the longest names fit into a record', async () => {
  const { shared } = memoryStore()
  const id = 'x'.repeat(128)
  const kept = new InterruptedSpan(shared, systemClock, id)
  kept.keep(1, spanOf(1))
  await expect.poll(() => kept.find(1)).toBeDefined()
  const [{ value } = { value: {} }] = await shared.list('spans:')
  expect(JSON.stringify(value).length * 200).toBeLessThan(64 * 1024)
})

test('a record of another form, a store that cannot answer, and a span without a trace are nothing', async () => {
  const { shared } = memoryStore()
  const kept = new InterruptedSpan(shared, systemClock, 'ses')
  kept.keep(1, { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 })
  kept.forget()
  expect(await kept.find(1)).toBeUndefined()
  expect(await shared.list('')).toEqual([])

  kept.keep(1, spanOf(1))
  await expect.poll(async () => (await shared.list('')).length).toBe(1)
  const [{ key, version } = { key: '', version: 0 }] = await shared.list('')
  await shared.write(key, version, { ses: { turn: 1, at: 1, traceparent: 'nonsense' }, other: null })
  expect(await kept.find(1)).toBeUndefined()

  const down: SharedState = {
    read: () => Promise.reject(new Error('down')),
    write: () => Promise.reject(new Error('down')),
    list: () => Promise.reject(new Error('down')),
  }
  const lost = new InterruptedSpan(down, systemClock, 'ses')
  lost.keep(1, spanOf(1))
  expect(await lost.find(1)).toBeUndefined()
})
