import { assert, constantFrom, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ASK } from './lab.fixture.ts'
import { createLab, outageProfile, outageSchema, outageSpan, profileNames, reply, text, type Outage } from './index.ts'

const MINUTE = 60_000
const models = ['claude-opus-5-5']
const seeds = Array.from({ length: 200 }, (_, at) => at)

function lengths(name: (typeof profileNames)[number]): readonly number[] {
  return seeds
    .map((seed) => outageSpan(outageProfile(name, { seed, startMs: 0, models })))
    .map(({ startsMs, endsMs }) => endsMs - startsMs)
    .toSorted((a, b) => a - b)
}

function rateOf([first]: readonly Outage[]): number {
  return first?.when.rate ?? 1
}

describe('every profile', () => {
  test('is data that the lab takes, begins on time, ends, and is the same for the same seed', () => {
    assert(
      property(
        constantFrom(...profileNames),
        integer({ min: 0 }),
        integer({ min: 0, max: 1e9 }),
        (name, seed, startMs) => {
          const outages = outageProfile(name, { seed, startMs, models })
          expect(outages.map((outage) => outageSchema.parse(JSON.parse(JSON.stringify(outage))))).toEqual(outages)
          expect(outageProfile(name, { seed, startMs, models })).toEqual(outages)
          const { startsMs, endsMs } = outageSpan(outages)
          expect(startsMs).toBe(startMs)
          expect(endsMs).toBeGreaterThan(startMs)
          expect(endsMs).toBeLessThan(Infinity)
        },
      ),
    )
  })

  test('has other luck with another seed and for another model', () => {
    for (const name of profileNames) {
      const spans = new Set(lengths(name))
      expect(spans.size).toBeGreaterThan(150)
      const two = outageProfile(name, { seed: 1, startMs: 0, models: ['a', 'b'] })
      expect(new Set(two.map(({ when }) => when.model))).toEqual(new Set(['a', 'b']))
      expect(new Set(two.map(({ when }) => JSON.stringify({ ...when, model: '' }))).size).toBe(two.length)
    }
  })
})

test.each([
  ['blip', 5_000, MINUTE],
  ['wall', 15_000, 15 * MINUTE],
  ['hang', 60 * MINUTE, 120 * MINUTE],
  ['auth', 30 * MINUTE, 80 * MINUTE],
  ['transport', 5 * MINUTE, 60 * MINUTE],
  ['false-billing', 120 * MINUTE, 300 * MINUTE],
  ['model-withdrawn', 2 * 24 * 60 * MINUTE, 14 * 24 * 60 * MINUTE],
] as const)('%s lasts from %i to %i ms and uses that range', (name, low, high) => {
  const all = lengths(name)
  expect(all[0]).toBeGreaterThanOrEqual(low)
  expect(all.at(-1)).toBeLessThanOrEqual(high)
  expect(all.at(-1)! / all[0]!).toBeGreaterThan((high / low) * 0.8)
})

test('partial is lognormal around 75 minutes and hits a tenth', () => {
  const all = lengths('partial').map((ms) => ms / MINUTE)
  expect(all[100]).toBeGreaterThan(55)
  expect(all[100]).toBeLessThan(100)
  expect(all[20]).toBeLessThan(30)
  expect(all[180]).toBeGreaterThan(180)
  const rates = seeds.map((seed) => rateOf(outageProfile('partial', { seed, startMs: 0 })))
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  expect(mean).toBeGreaterThan(0.08)
  expect(mean).toBeLessThan(0.12)
})

test('relapse is quiet for 5 to 30 minutes in the middle', () => {
  for (const seed of seeds) {
    const [first, second] = outageProfile('relapse', { seed, startMs: 1000 }).map(({ when }) =>
      'window' in when ? when.window : [0, 0],
    )
    const pause = (second?.[0] ?? 0) - (first?.[1] ?? 0)
    expect(pause).toBeGreaterThanOrEqual(5 * MINUTE)
    expect(pause).toBeLessThanOrEqual(30 * MINUTE)
  }
})

test('a wall answers with the mix of statuses that it says', async () => {
  const outages = outageProfile('wall', { seed: 1, startMs: 0 })
  const lab = createLab({ model: () => reply(text('Hi, this is a long answer.')), now: () => 0, outages })
  for (let at = 0; at < 400; at++) {
    const body = JSON.stringify({ ...ASK, stream: true })
    const response = await lab.fetch('/v1/messages', {
      method: 'POST',
      body,
      headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' },
    })
    await response.text().catch(() => '')
  }
  const faults = lab.requests.flatMap(({ outcome }) => (outcome.fault ? [outcome.fault] : []))
  const share = (status: number): number =>
    faults.filter((fault) => fault.kind === 'status' && fault.status === status).length / faults.length
  expect(faults.length / 400).toBeCloseTo(rateOf(outages), 1)
  expect(share(529)).toBeCloseTo(0.7, 1)
  expect(share(500)).toBeCloseTo(0.25, 1)
  expect(faults.some(({ kind }) => kind === 'error-event')).toBe(true)
})

test('a withdrawn model is named', () => {
  expect(() => outageProfile('model-withdrawn', { seed: 1, startMs: 0 })).toThrow(TypeError)
})
