import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ManualClock, seededRandom } from '@lastgood/core/testing'
import * as fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'
import { startCluster } from '../../redis/test/cluster.ts'
import { type Bucket, take } from './limit.ts'
import { redisLimiter } from './redis-limiter.ts'

const url = inject('redisUrl')
const key = { endpoint: 'https://api.anthropic.com', model: 'claude-opus-5-5' }
const source = readFileSync(new URL('commands/take.lua', import.meta.url), 'utf8')
const asking = (session: string, recovery?: { at: number; usualPerSecond: number }) => ({ session, recovery })

function client(options: { stringNumbers?: boolean } = {}): Redis {
  const redis = new Redis(url, options)
  onTestFinished(() => redis.disconnect())
  return redis
}

const prefixed = () => ({ prefix: `test:${randomUUID()}` })

test('the script on the server and the arithmetic that is simulated say the same, whatever happens', async () => {
  const redis = client()
  // The same script, at instants of the test.
  const timed = source.replace("redis.call('TIME')", '{ ARGV[6], ARGV[7] }')
  const history = fc.record({
    seed: fc.nat(),
    sessions: fc.integer({ min: 1, max: 30 }),
    limit: fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 50, noNaN: true })),
    usual: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 3000, noNaN: true })),
    refusals: fc.double({ min: 0, max: 1, noNaN: true }),
    pauseMs: fc.constantFrom(2, 40, 700, 9000),
  })
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, sessions, limit, usual, refusals, pauseMs }) => {
      const random = seededRandom(seed)
      const keys = [`{${randomUUID()}}:bucket`, `{${randomUUID()}}:tickets`]
      const tickets = new Map<string, number>()
      let bucket: Bucket | undefined
      let [micros, recoveredAt] = [1_700_000_000_000_000, 0]
      const asked = redis.pipeline()
      const expected: unknown[] = []
      for (let turn = 0; turn < 150; turn++) {
        micros += Math.floor(random() * 2000 * pauseMs)
        // A fail-over to a server whose clock is behind.
        if (random() < 0.02) micros -= 60_000_000
        if (random() < 0.03) recoveredAt = Math.floor(micros / 1000)
        const session = `s${Math.floor(random() * sessions)}`
        const refused = random() < refusals ? Math.floor(random() * 40) : 0
        const [seconds, rest] = [Math.floor(micros / 1e6), micros % 1e6]
        const now = seconds * 1000 + rest / 1000
        const recovery = { at: recoveredAt, usual }
        const result = take(bucket, { now, ticket: tickets.get(session), limit, recovery, refused })
        const { taken, lapsed } = result
        bucket = result.bucket
        for (const [one, ticket] of tickets) if (ticket < lapsed) tickets.delete(one)
        if (taken.kind === 'go') tickets.delete(session)
        else tickets.set(session, taken.ticket)
        const args = [session, limit, recoveredAt, usual, refused, seconds, rest].map(String)
        asked.eval(timed, 2, ...keys, ...args)
        expected.push(taken.kind === 'go' ? ['go', Number(taken.isOver)] : ['wait', taken.ms, Number(taken.isRamp)])
      }
      const replies = (await asked.exec()) ?? []
      expect(replies.map(([error, reply]) => error ?? reply)).toEqual(expected)
      await redis.del(...keys)
    }),
    { numRuns: 100 },
  )
})

test('a client that returns numbers as strings is understood', async () => {
  const limiter = redisLimiter(client({ stringNumbers: true }), { perMinute: { [key.model]: 1 }, ...prefixed() })
  for (const session of ['a', 'b', 'c']) {
    const admission = await limiter.admit(key, asking(session))
    if (admission.kind === 'wait') expect(admission.ms).toBeTypeOf('number')
    else expect(session).toBe('a')
  }
})

test('processes keep one rate together: what one has used the other has to wait for', async () => {
  const options = { perMinute: { [key.model]: 60 }, ...prefixed() }
  const [one, other] = [redisLimiter(client(), options), redisLimiter(client(), options)]
  const answers = []
  for (let turn = 0; turn < 4; turn++) {
    answers.push(await one.admit(key, asking(`a${turn}`)), await other.admit(key, asking(`b${turn}`)))
  }
  // Five seconds of a request a second may be used at once.
  expect(answers.map(({ kind }) => kind)).toEqual(['go', 'go', 'go', 'go', 'go', 'wait', 'wait', 'wait'])
  const waits = answers.flatMap((answer) => (answer.kind === 'wait' ? [answer.ms] : []))
  for (const [at, ms] of waits.entries()) {
    expect(ms).toBeGreaterThan(at * 1000)
    expect(ms).toBeLessThanOrEqual((at + 1) * 1000 + 1)
  }
  expect(await one.admit({ ...key, model: 'another' }, asking('a'))).toEqual({ kind: 'go' })
})

test('a session has one place, wherever it asks: it loses nothing when another worker goes on with it', async () => {
  const options = { perMinute: { [key.model]: 60 }, ...prefixed() }
  const [one, other] = [redisLimiter(client(), options), redisLimiter(client(), options)]
  for (let turn = 0; turn < 5; turn++) await one.admit(key, asking(`a${turn}`))
  const first = await one.admit(key, asking('mine'))
  for (let turn = 0; turn < 10; turn++) await one.admit(key, asking(`b${turn}`))
  const second = await other.admit(key, asking('mine'))
  expect([first.kind, second.kind]).toEqual(['wait', 'wait'])
  if (first.kind === 'wait' && second.kind === 'wait') expect(second.ms).toBeLessThanOrEqual(first.ms)
})

test('a return from an outage is paced, over all processes, until its ramp is over', async () => {
  const options = prefixed()
  const [one, other] = [redisLimiter(client(), options), redisLimiter(client(), options)]
  const recovery = { at: Date.parse('2026-01-01'), usualPerSecond: 500 }
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, turn) => (turn % 2 ? one : other).admit(key, asking(`s${turn}`, recovery))),
  )
  // Five a second at first.
  expect(answers.filter(({ kind }) => kind === 'go').length).toBeLessThanOrEqual(10)
  expect(answers.find(({ kind }) => kind === 'wait')).toMatchObject({ reason: expect.stringContaining('growing rate') })
})

test('nobody is asked where nothing is limited, and no more once the server says that the ramp is over', async () => {
  const redis = client()
  const sent: string[] = []
  const counting = {
    evalsha: (sha1: string, count: number, ...rest: string[]) => {
      sent.push(rest[2] ?? '')
      return redis.evalsha(sha1, count, ...rest)
    },
    eval: (text: string, count: number, ...rest: string[]) => redis.eval(text, count, ...rest),
  }
  const limiter = redisLimiter(counting, prefixed())
  await limiter.admit(key, asking('a'))
  expect(sent).toEqual([])
  // So few that no ramp is needed.
  const recovery = { at: 1, usualPerSecond: 0.5 }
  for (const session of ['a', 'b', 'c']) {
    expect(await limiter.admit(key, asking(session, recovery))).toEqual({ kind: 'go' })
  }
  expect(sent).toEqual(['a'])
})

test('refusals are told with the next question, and those of an outage before it are forgotten', async () => {
  const clock = new ManualClock()
  const told: (string | undefined)[] = []
  const evalsha = (_sha1: string, _count: number, ...rest: string[]) => {
    told.push(rest[6])
    return Promise.resolve(['go', 0])
  }
  const limiter = redisLimiter({ evalsha, eval: evalsha }, { perMinute: { [key.model]: 6000 }, clock })
  const ask = () => limiter.admit(key, asking('a'))
  limiter.refused(key)
  limiter.refused(key)
  await ask()
  await ask()
  limiter.refused(key)
  await clock.advance(2000)
  await ask()
  expect(told).toEqual(['2', '0', '0'])
})

test('what was refused before the model answered again does not slow down the return', async () => {
  const told: (string | undefined)[] = []
  const evalsha = (_sha1: string, _count: number, ...rest: string[]) => {
    told.push(rest[6])
    return Promise.resolve(['go', 0])
  }
  const limiter = redisLimiter({ evalsha, eval: evalsha }, { clock: new ManualClock() })
  const recovery = { at: 1000, usualPerSecond: 500 }
  limiter.refused(key)
  await limiter.admit(key, asking('a', recovery))
  limiter.refused(key)
  await limiter.admit(key, asking('a', recovery))
  limiter.refused(key)
  await limiter.admit(key, asking('a', { ...recovery, at: 2000 }))
  expect(told).toEqual(['0', '1', '0'])
})

test('what is kept has the names of sessions and goes by itself; a server that lost the script gets it again', async () => {
  const redis = client()
  const { prefix } = prefixed()
  const limiter = redisLimiter(redis, { prefix, perMinute: { [key.model]: 1 } })
  await redis.script('FLUSH')
  await limiter.admit(key, asking('a'))
  await limiter.admit(key, asking('b'))
  const keys = await redis.keys(`${prefix}:*`)
  expect(keys.map((one) => one.replace(/@[0-9a-f]{16}/, '@…')).sort()).toEqual([
    `${prefix}:{limit:claude-opus-5-5@…}:bucket`,
    ...(keys.length > 1 ? [`${prefix}:{limit:claude-opus-5-5@…}:tickets`] : []),
  ])
  for (const one of keys) expect(await redis.pttl(one)).toBeGreaterThan(0)
})

test('it works in a Cluster: what belongs to one model is in one slot', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const redis = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  const limiter = redisLimiter(redis, { perMinute: Object.fromEntries(['a', 'b', 'c', 'd'].map((one) => [one, 30])) })
  for (const model of ['a', 'b', 'c', 'd']) {
    const answers = []
    for (let turn = 0; turn < 4; turn++) answers.push(await limiter.admit({ ...key, model }, asking(`s${turn}`)))
    expect(answers.map(({ kind }) => kind)).toEqual(['go', 'go', 'wait', 'wait'])
  }
})

test.each([0, -1, Number.NaN, Infinity])('a rate that is none is told at once [%s]', (rate) => {
  expect(() => redisLimiter(client(), { perMinute: { m: rate } })).toThrow(/perMinute of m/)
})
