/** The small edition of `pnpm bench startup`: each command is waited for, and what it prints is all that there is. */
import { expect, test } from 'vitest'
import { benchStartup, startupReport } from './startup/bench.ts'
import { goalsOf, kinds } from './startup/goals.ts'
import { surroundings } from '../support/report.ts'

test('each command is waited for, and the lists are of all sessions', async () => {
  const results = await benchStartup({ runs: 1, sessions: 20 }, () => {})
  expect(results.waited.map(({ what }) => what)).toEqual(Object.values(kinds))
  for (const { p50 } of results.waited) expect(p50).toBeGreaterThan(0)
  const lines = Object.fromEntries(results.waited.map((one) => [one.what, one.lines]))
  expect(lines).toMatchObject({ [kinds.version]: 1, [kinds.empty]: 0, [kinds.file]: 21, [kinds.redis]: 21 })
  expect(startupReport(results, false, surroundings())).toMatch(/20 sessions\n[^]*waited, ms[^]*goal, ms/)
})

test('the goals are of what a person waits for, the start of Node taken off', () => {
  const waited = (what: string, p50: number) => ({ what, p50, least: p50, lines: 0 })
  const all = [waited(kinds.node, 40), waited(kinds.version, 139), waited(kinds.file, 999), waited(kinds.redis, 1_001)]
  expect(goalsOf(all).map(({ measured, met }) => [measured, met])).toEqual([
    [99, true],
    [999, true],
    [1_001, false],
  ])
})
