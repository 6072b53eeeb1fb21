/** The small edition of `pnpm bench outage`: what must hold in every outage, and that the rules can be broken. */
import { ManualClock } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import { watchBreaker } from './outage/breaker-watch.ts'
import { play, type Client, type Played } from './outage/play.ts'
import { brokenRules } from './outage/rules.ts'
import { meanRate, peakRate, backAfterMs, failedInAMinute } from './outage/traffic.ts'
import { quantile } from './spread.ts'

const small = { sessions: 12, steps: 10, seed: 3, judgeEvery: 7 }
const plays = new Map<string, Promise<Played>>()

function playOne(profile: 'wall' | 'auth' | 'model-withdrawn', client: Client): Promise<Played> {
  const key = `${profile} ${client}`
  const played = plays.get(key) ?? play({ ...small, profile, client })
  plays.set(key, played)
  return played
}

test.each(['wall', 'auth', 'model-withdrawn'] as const)(
  'every session comes through an outage of its own accord, and nothing leaves past the breaker [%s]',
  { timeout: 60_000 },
  async (profile) => {
    const played = await playOne(profile, 'lastgood')
    expect(brokenRules(played)).toEqual([])
    expect(played.completed).toBe(small.sessions)
    expect(played.failed).toBeGreaterThan(0)
  },
)

test('the same outage ends the sessions of a client that tries three times', async () => {
  const played = await playOne('wall', 'sdk')
  expect(played.completed).toBeLessThan(small.sessions / 2)
  expect(played.completed + played.stuck + Object.values(played.gaveUp).reduce((sum, one) => sum + one, 0)).toBe(
    small.sessions,
  )
})

test('each rule can be broken', async () => {
  const played = await playOne('wall', 'lastgood')
  const { rateBefore } = played
  const broken = [
    { stuck: 1 },
    { gaveUp: { overloaded: 1 } },
    { parked: { 'stream-stalled': 2 } },
    { failedInAMinute: 21 },
    { pastBreaker: 1 },
    { invalid: ['messages.1: tool_use without tool_result'] },
    { peak1s: 2 * rateBefore + 4 * Math.sqrt(2 * rateBefore) + 0.1 },
    { peak10s: 2.01 * rateBefore },
    { peakMinute: 2.01 * rateBefore },
  ]
  for (const one of broken) expect(brokenRules({ ...played, ...one })).toHaveLength(1)
  expect(brokenRules({ ...played, parked: { 'spend-blocked': 3 }, gaveUp: { 'auth-blocked': 1 } })).toEqual([])
})

test('rates, peaks and waits are those of the requests', () => {
  const sent = [0, 500, 900, 1000, 5000].map((at) => ({ at, session: at % 2, failed: at >= 900 }))
  expect(meanRate(sent, 0, 1000)).toBe(3)
  expect(peakRate(sent, 0, 1000)).toBe(3)
  expect(peakRate(sent, 400, 10_000)).toBe(0.4)
  expect(peakRate(sent, 6000, 1000)).toBe(0)
  expect(failedInAMinute(sent)).toBe(3)
  expect(failedInAMinute([])).toBe(0)
  const answered = sent.map((one) => ({ ...one, answeredAt: one.at + 100 }))
  expect([...backAfterMs(answered, 900)]).toEqual([[0, 100]])
  expect([quantile([3, 1, 2], 0.5), quantile([3, 1], 0.99, 4)]).toEqual([2, undefined])
})

test('a request past an open breaker is seen; one of the prober, or of the instant at which it opened, is not one', async () => {
  const clock = new ManualClock()
  const { store, breaks, counts } = watchBreaker(clock)
  const trouble = { since: clock.now(), cause: 'overloaded', probes: 0, failedBy: 's1' }
  const write = (version: number, breaker: object) => store.shared.write('health:x|m', version, { model: 'm', breaker })
  await write(0, { state: 'open', ...trouble, probeAt: 0 })
  expect(breaks('s2', 'm')).toBe(false)
  await clock.advance(1)
  expect([breaks('s2', 'm'), breaks('s2', 'other')]).toEqual([true, false])
  await write(1, { state: 'half-open', ...trouble, prober: 's2', startedAt: clock.now(), until: Infinity })
  expect([breaks('s2', 'm'), breaks('s1', 'm')]).toEqual([false, true])
  await write(2, { state: 'closed', failures: 0 })
  expect(breaks('s1', 'm')).toBe(false)
  expect(counts).toEqual({ opened: 1, probes: 1 })
})
