/** The small edition of `pnpm bench overhead`: each path is measured, on sessions that have recorded what was sent. */
import { memoryStore, openSession } from '@lastgood/core'
import { expect, test } from 'vitest'
import { spreadOf } from './spread.ts'
import { benchOverhead, overheadReport } from './overhead/bench.ts'
import { goalsOf, paths, type Path, type Requests } from './overhead/goals.ts'
import { levels, measureStep } from './overhead/requests.ts'
import { surroundings } from '../support/report.ts'

test('each path is measured at each length, on each store', async () => {
  const results = await benchOverhead({ runs: 2, lengths: [8, 10] }, () => {})
  expect(results.requests.map(({ messages }) => messages)).toEqual([8, 10])
  for (const { of } of results.requests) {
    expect(Object.keys(of)).toEqual(paths)
    for (const path of paths) for (const { p50 } of Object.values(of[path])) expect(p50).toBeGreaterThanOrEqual(0)
    for (const path of paths) expect(of[path].firstWord.p50).toBeGreaterThan(0)
  }
  expect(overheadReport(results, false, surroundings())).toMatch(/first word, ms[^]*level 2, Redis[^]*goal, ms/)
})

test.each(levels)('what is measured ends a conversation of as many messages, and is recorded: %s', async (level) => {
  const session = await openSession('measured', { store: memoryStore() })
  await measureStep(session, level, 12)
  expect(session.messages()).toHaveLength(12 + 1)
  expect(session.hasOpenTurn).toBe(false)
  await session.close()
})

test('the goal is of what level 1 adds to the processor time of the SDK, at each length', () => {
  const none = spreadOf([0])
  const taking = (cpu: number) => ({ firstWord: none, cpu: spreadOf([cpu]), event: none, eventCpu: none, end: none })
  const rowOf = (messages: number, added: number): Requests => ({
    messages,
    bytes: 0,
    of: Object.fromEntries(paths.map((path) => [path, taking(path === 'level 1, memory' ? 2 + added : 2)])) as Record<
      Path,
      ReturnType<typeof taking>
    >,
  })
  expect(goalsOf([rowOf(10, 0.25), rowOf(1000, 0.5)]).map(({ measured, met }) => [measured, met])).toEqual([
    [0.25, true],
    [0.5, false],
  ])
})
