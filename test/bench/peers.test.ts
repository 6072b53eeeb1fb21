/** The small edition of `pnpm bench peers`: floors and lastgood, and no peer, because those come from a registry. */
import { expect, test } from 'vitest'
import { benchPeers, peersBenchOptions, type PeersBenchOptions } from './peers/bench.ts'
import { contenders, type Contender } from './peers/contenders.ts'
import type { Measured } from './peers/rounds.ts'
import { standingsOf } from './peers/standings.ts'
import { peersReport } from './peers/table.ts'
import { stepOf } from './peers/workload.ts'
import { surroundings } from '../support/report.ts'

const small: PeersBenchOptions = {
  ...peersBenchOptions.quick,
  lengths: [5],
  atOnce: { sessions: 3, steps: 2 },
  killAfter: 3,
  warmUp: 1,
}

test('floors and lastgood give back what they were given, also after a kill (P1), and the report has all of them', async () => {
  const only = ['floor', 'lastgood']
  const results = await benchPeers({ ...small, only }, () => {})
  expect(results.missing).toEqual([])
  const names = contenders.filter(({ kind }) => kind !== 'peer').map(({ name }) => name)
  expect(results.measured.map(({ contender }) => contender.name)).toEqual(names)
  for (const { lengths, atOnce, goingOn } of results.measured) {
    const [one] = lengths
    expect(one).toMatchObject({ steps: 5, done: 5, isExact: true })
    expect(Math.min(one!.p50, one!.p99, one!.late, one!.clientCpu, one!.open, one!.openAlone)).toBeGreaterThan(0)
    // Five steps of 7.5 KB, compressed to a fifth at best.
    expect(one!.stored).toBeGreaterThan(7_000)
    expect(Math.min(atOnce.p50, atOnce.perSecond, goingOn.ms ?? 0)).toBeGreaterThan(0)
    expect(goingOn.lost).toBe(0)
  }
  const report = peersReport(results, true, surroundings())
  for (const name of names) expect(report).toContain(`| ${name} `)
  expect(report).toMatch(/5 steps[^]*3 sessions at once[^]*SIGKILL to the next request[^]*times the best peer/)
}, 120_000)

test('who cannot be measured is told with the reason', async () => {
  const [floor] = contenders as [Contender]
  const nobody: Contender = { ...floor, name: 'nobody', program: 'nobody' }
  const { missing, measured } = await benchPeers(small, () => {}, [nobody, floor])
  expect(measured.map(({ contender }) => contender.name)).toEqual([floor.name])
  expect(missing).toEqual([{ name: 'nobody', why: expect.stringMatching(/Cannot find module.*nobody\.mjs/) }])
})

test('a step is as large as the goals say, and is not one line repeated', () => {
  const sizes = Array.from({ length: 100 }, (_, step) => JSON.stringify(stepOf(step).messages).length)
  const mean = sizes.reduce((sum, one) => sum + one, 0) / sizes.length
  expect(mean).toBeGreaterThan(7_200)
  expect(mean).toBeLessThan(7_800)
})

test('lastgood stands beside the best peer of its league, and only beside who kept what it acknowledged', () => {
  const steps = {
    done: 5,
    p50: 2,
    p99: 4,
    late: 2,
    clientCpu: 1,
    serverCpu: 1,
    written: 9,
    stored: 9,
    open: 9,
    openAlone: 1,
  }
  const row = (name: string, change: object, lost = 0): Measured => ({
    contender: contenders.find((one) => one.name === name) as Contender,
    lengths: [{ steps: 5, ...steps, isExact: true, ...change }],
    atOnce: { p50: 1, perSecond: 100 },
    goingOn: { ms: 10, lost },
  })
  const standings = standingsOf([
    row('lastgood, file', {}),
    row('LangGraph, SQLite, sync', { p50: 3 }),
    row('LangGraph, memory (nothing durable)', { p50: 1 }, 3),
    row('DBOS, Postgres', { p50: 0.1 }),
    row('LangGraph, SQLite, sync, delta', { p50: 1, done: 4 }),
  ])
  const of = (name: string) => standings.find((one) => one.row === name)
  expect(of('5 steps: p50')).toMatchObject({ times: 1.5, peer: 'LangGraph, SQLite, sync' })
  expect(of('SIGKILL to the next request')).toMatchObject({ times: 1, peer: 'LangGraph, SQLite, sync' })
})
