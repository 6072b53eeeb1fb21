import { once } from 'node:events'
import { expect, test } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import { ManualClock } from '../testing/manual-clock.ts'
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

const never = () => new Promise<never>(() => {})

test('one that never gets ready is waited for a few seconds, and is a warning; the session is as without it', async () => {
  const [clock, told] = [new ManualClock(), [] as string[]]
  const warned = once(process, 'warning')
  const telemetry = [{ opened: never }, telling('other', told)]
  const opening = openSession('ses', { store: memoryStore(), clock, telemetry })
  await expect.poll(() => clock.sleepers.map(({ at }) => at)).toContain(clock.now() + 3_000)
  await clock.advance(3_000)
  const session = await opening
  expect(await warned).toMatchObject([{ message: 'a watcher of session ses failed: no result within 3 s' }])
  expect(await session.run(agent)).toBe('done')
  expect(told).toEqual(['other begins run', 'other ends run'])
  await session.close()
})

test('one that never begins the work is waited for a few seconds, then the work is done without it', async () => {
  const clock = new ManualClock()
  const session = await openSession('ses', { store: memoryStore(), clock, telemetry: { opened: () => never } })
  const warned = once(process, 'warning')
  const running = session.run(agent)
  await expect.poll(() => clock.sleepers.map(({ at }) => at)).toContain(clock.now() + 3_000)
  await clock.advance(3_000)
  expect(await running).toBe('done')
  expect(await warned).toMatchObject([{ message: 'a watcher of session ses failed: no result within 3 s' }])
  await session.close()
})

test('one that never ends after the work holds nobody up: what the work came to is there', async () => {
  const around: RunWork = async (_work, run) => {
    await run().catch(() => {})
    return never()
  }
  const error = new Error('the agent failed')
  const clock = new ManualClock()
  const session = await openSession('ses', { store: memoryStore(), clock, telemetry: { opened: () => around } })
  expect(await session.run(agent)).toBe('done')
  await expect(session.run({ name: 'coder', run: () => Promise.reject(error) })).rejects.toBe(error)
  expect(clock.sleepers.filter(({ at }) => at === clock.now() + 3_000)).toEqual([])
  await session.close()
})

test('what its error quotes is masked in the warning', async () => {
  const warned = once(process, 'warning')
  const broken: Watcher = { opened: () => Promise.reject(new Error('connect https://app:hunter2@collector failed')) }
  const session = await openSession('ses', { store: memoryStore(), telemetry: broken })
  expect(await warned).toMatchObject([{ message: expect.not.stringContaining('hunter2') as string }])
  await session.close()
})
