/** The small edition of `pnpm bench fleet --simulate`: what must hold when a fleet comes back, and that it can be broken. */
import { expect, test } from 'vitest'
import { comebackOf } from './fleet/comeback.ts'
import { Agenda } from './fleet/agenda.ts'
import { Provider } from './fleet/provider.ts'
import { brokenRules } from './fleet/rules.ts'
import { simulate, type ClientName, type ScenarioName, type Simulated } from './fleet/simulate.ts'
import { Traffic } from './fleet/traffic.ts'

const small = { sessions: 3000, workers: 30, seed: 2 }
const runs = new Map<string, Simulated>()

function run(scenario: ScenarioName, client: ClientName): Simulated {
  const key = `${scenario} ${client}`
  const simulated = runs.get(key) ?? simulate({ ...small, scenario, client })
  runs.set(key, simulated)
  return simulated
}

test.each(['5 min', '30 min'] as const)(
  'after an outage all sessions come back, at no more than twice the usual rate, with less than a tenth of the waste [%s]',
  { timeout: 60_000 },
  (scenario) => {
    const fleet = run(scenario, 'fleet')
    expect(brokenRules([fleet, run(scenario, 'back-off to 60 s'), run(scenario, 'back-off to 32 s')])).toEqual([])
    // The probe's pause, the way to the first answer, and the staggered start.
    expect(fleet.backMs).toBeLessThan((fleet.noticedMs ?? Infinity) + 60_000)
  },
)

test('of a provider that comes back with a third of its capacity a fleet with a limiter gets what there is, without a herd', () => {
  const scenario = '30 min, then a third of the capacity'
  const [fleet, alone] = [run(scenario, 'fleet'), run(scenario, 'back-off to 60 s')]
  expect(brokenRules([fleet, alone])).toEqual([])
  expect(fleet.backMs).toBeLessThan((alone.backMs ?? Infinity) / 2)
  expect(fleet.wastedAfter * 10).toBeLessThan(alone.wastedAfter)
  expect(run(scenario, 'breaker alone').wastedAfter).toBeGreaterThan(10 * fleet.wastedAfter)
})

test('a partial outage holds nobody: the fleet has as many answers as sessions that know of nobody', () => {
  const scenario = 'a fifth fails for 2 min'
  expect(brokenRules([run(scenario, 'fleet'), run(scenario, 'back-off to 60 s')])).toEqual([])
})

test('each rule can be broken', () => {
  const [fleet, alone] = [run('5 min', 'fleet'), run('5 min', 'back-off to 60 s')]
  const { usual } = fleet
  const broken = [
    { allBackMs: undefined },
    { peak1s: 2 * usual + 4 * Math.sqrt(2 * usual) + 0.1 },
    { peak10s: 2.01 * usual },
    { wasted: alone.wasted / 9 },
  ]
  for (const one of broken) expect(brokenRules([{ ...fleet, ...one }, alone])).toHaveLength(1)
  const scenario = 'a fifth fails for 2 min'
  expect(
    brokenRules([
      { ...fleet, scenario, answered: 1 },
      { ...alone, scenario },
    ]),
  ).toHaveLength(1)
})

test('sessions act in the order of their instants', () => {
  const agenda = new Agenda(6)
  for (const [session, at] of [5, 1, 4, 0, 3, 2].entries()) agenda.add(session, at)
  const order = []
  while (agenda.length > 0) {
    order.push(agenda.next)
    agenda.take()
  }
  expect(order).toEqual([0, 1, 2, 3, 4, 5])
  expect(agenda.next).toBe(Infinity)
})

test('rates and peaks are those of the requests', () => {
  const traffic = new Traffic(60_000)
  for (const at of [0, 500, 900, 1000, 5000]) traffic.add(at)
  expect([traffic.total, traffic.mean(0, 1000), traffic.peak(0, 1000), traffic.peak(400, 10_000)]).toEqual([
    5, 3, 3, 0.4,
  ])
})

test('the provider refuses all while it is down, then what is beyond its capacity', () => {
  const outage = { from: 1000, to: 2000, failing: 1, recovering: { share: 0.5, ms: 1000 } }
  const provider = new Provider(100, outage, () => 0.5)
  const taken = (from: number) =>
    Array.from({ length: 1000 }, (_, i) => provider.takes(from + i)).filter((one) => one).length
  const [before, during, recovering, after] = [taken(0), taken(1000), taken(2000), taken(3000)]
  expect(during).toBe(0)
  for (const full of [before, after]) expect(Math.abs((full ?? 0) - 100)).toBeLessThan(2)
  // Half of it, and what half a second of that was saved.
  expect(Math.abs((recovering ?? 0) - 75)).toBeLessThan(2)
})

test('a comeback is counted from the end of the outage, by the first answer that each session has after it', () => {
  const options = { sessions: 2, workers: 1, warmMs: 10_000, outageMs: 5_000, afterMs: 10_000 }
  const answered = (session: string, at: number) => ({ session, at, answeredAt: at + 100 })
  const refused = (session: string, at: number) => ({ session, at, answeredAt: undefined })
  const steady = Array.from({ length: 100 }, (_, turn) => answered(turn % 2 ? 'a' : 'b', turn * 100))
  const asked = [...steady, refused('a', 12_000), refused('b', 15_500), answered('a', 16_000), answered('a', 17_000)]
  const comeback = comebackOf('fleet', asked, options)
  expect(comeback).toMatchObject({ usual: 10, first: 1_100, half: 1_100, all: undefined, refused: 2, refusedAfter: 1 })
  expect(comeback.peak1s).toBeCloseTo(0.2)
  expect(comebackOf('fleet', [...asked, answered('b', 18_000)], options).all).toBe(3_100)
})
