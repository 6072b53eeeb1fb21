import { once } from 'node:events'
import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import type { RunWork, Watcher } from './watcher.ts'

const agent = { name: 'coder', run: async () => 'done' }

function telling(name: string, told: string[]): Watcher {
  return {
    opened: (session) => {
      session.subscribe((event) => void (event.type === 'entry' && told.push(`${name} ${event.entry.type}`)))
      return async (work, run) => {
        told.push(`${name} begins ${work.kind}`)
        const result = await run()
        told.push(`${name} ends ${work.kind}`)
        return result
      }
    },
  }
}

test('several watchers hear of a session from its restart on, and are around its work', async () => {
  const store = memoryStore()
  const first = await openSession('ses', { store })
  await first.startTurn([{ role: 'user', content: 'Hello' }])
  await first.close()
  const told: string[] = []
  const telemetry = [telling('one', told), telling('two', told)]
  const session = await openSession('ses', { store, telemetry })
  expect(await session.run(agent)).toBe('done')
  expect(told).toEqual([
    'one session-resumed',
    'two session-resumed',
    'two begins run',
    'one begins run',
    'one ends run',
    'two ends run',
  ])
  await session.close()
})

test('one that fails is a warning, and the session is as without it', async () => {
  const told: string[] = []
  const broken: Watcher = { opened: () => Promise.reject(new Error('no collector')) }
  const warned = once(process, 'warning')
  const session = await openSession('ses', { store: memoryStore(), telemetry: [broken, telling('other', told)] })
  expect(await warned).toMatchObject([{ message: 'a watcher of session ses failed: no collector' }])
  expect(await session.run(agent)).toBe('done')
  expect(told).toEqual(['other begins run', 'other ends run'])
  await session.close()
})

test.each<[string, RunWork]>([
  ['before it', () => Promise.reject(new Error('no span'))],
  [
    'after it',
    async (_work, run) => {
      await run()
      throw new Error('no span')
    },
  ],
  [
    'and twice',
    async (_work, run) => {
      await run()
      await run()
      throw new Error('no span')
    },
  ],
])('one that throws around work, %s, is a warning, and the work is done once', async (_when, around) => {
  let runs = 0
  const counted = { name: 'coder', run: async () => (runs += 1) }
  const warned = once(process, 'warning')
  const session = await openSession('ses', { store: memoryStore(), telemetry: { opened: () => around } })
  expect(await session.run(counted)).toBe(1)
  expect(runs).toBe(1)
  expect(await warned).toMatchObject([{ message: 'a watcher of session ses failed: no span' }])
  await session.close()
})

test('what the work itself throws is no warning, and is thrown as it is', async () => {
  const error = new Error('the agent failed')
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  const session = await openSession('ses', { store: memoryStore(), telemetry: telling('one', []) })
  await expect(session.run({ name: 'coder', run: () => Promise.reject(error) })).rejects.toBe(error)
  await session.close()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', hear)
  expect(warnings).toEqual([])
})
