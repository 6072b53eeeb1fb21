/** Time is measured by benchmarks. What can be counted is counted here, since it grows unnoticed otherwise. */
import { createHook } from 'node:async_hooks'
import { expect, test, vi } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'

test('a checkpoint takes one timer, no signal, and fifteen promises, those of its store included', async () => {
  const session = await openSession('ses', { store: memoryStore() })
  await session.startTurn([{ role: 'user', content: 'x' }])
  const signals = vi.spyOn(globalThis, 'AbortController')
  const made = { PROMISE: 0, Timeout: 0 }
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE' || type === 'Timeout') made[type] += 1
    },
  })
  const counts: (typeof made)[] = []
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    Object.assign(made, { PROMISE: 0, Timeout: 0 })
    hook.enable()
    await session.record([{ type: 'request-sent', model: 'm', attempt }])
    hook.disable()
    counts.push({ ...made })
  }
  // Whoever else runs in this thread may add to one of them.
  expect(Math.min(...counts.map((one) => one.PROMISE))).toBeLessThanOrEqual(15)
  expect(Math.min(...counts.map((one) => one.Timeout))).toBe(1)
  expect(signals).not.toHaveBeenCalled()
  await session.close()
})
