import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultKinds } from '../faults/fault-kinds.ts'
import { testEpoch as start } from '../testing/entries.ts'
import { admit, report, reportLate } from './breaker.ts'
import { evidence } from './evidence.ts'
import type { Outcome } from './notes.ts'
import { type HealthKey, type HealthRecord, cleanKey, healthRecordSchema, sharedKeyOf } from './record.ts'

const minute = 60_000
const endpoint = 'https://api.anthropic.com'
const [opus, haiku] = [
  { endpoint, model: 'claude-opus-5-5' },
  { endpoint, model: 'claude-haiku-4-5' },
]

type Seen = [session: string, outcome: Outcome['kind'] | 'auth-blocked' | 'overloaded', at: number]

function recordOf(key: HealthKey, ...seen: Seen[]): HealthRecord[] {
  let record: HealthRecord | undefined
  for (const [session, what, at] of seen) {
    const outcome: Outcome =
      what === 'auth-blocked' || what === 'overloaded' ? { kind: 'fault', fault: what } : { kind: 'ok' }
    record = report(record, { key, session, outcome, now: start + at, random: 0.5 })
  }
  return record ? [record] : []
}

const ask = (records: HealthRecord[], now: number, since = 0) =>
  evidence(records, { key: opus, session: 'me', now: start + now, since: start + since })

test('nothing is known of nothing', () => {
  expect(ask([], 0)).toEqual({ othersSucceed: false, othersDenied: 0 })
})

test('others succeed when another session was answered by this very model since then', () => {
  expect(ask(recordOf(opus, ['you', 'ok', 10]), 20, 5).othersSucceed).toBe(true)
  expect(ask(recordOf(opus, ['you', 'ok', 10]), 20, 10).othersSucceed).toBe(false)
  expect(ask(recordOf(opus, ['me', 'ok', 10]), 20, 5).othersSucceed).toBe(false)
  expect(ask(recordOf(haiku, ['you', 'ok', 10]), 20, 5).othersSucceed).toBe(false)
  const mine: Seen[] = Array.from({ length: 9 }, (_, i) => ['me', 'ok', 11 + i])
  expect(ask(recordOf(opus, ['you', 'ok', 10], ...mine), 20, 5).othersSucceed).toBe(true)
})

test('others denied are counted once each, over all models of the endpoint, for five minutes', () => {
  const records = [
    ...recordOf(opus, ['a', 'auth-blocked', 0], ['a', 'auth-blocked', 1], ['me', 'auth-blocked', 2]),
    ...recordOf(haiku, ['a', 'auth-blocked', 3], ['b', 'auth-blocked', 4]),
    ...recordOf({ endpoint: 'https://other.test', model: opus.model }, ['c', 'auth-blocked', 5]),
  ]
  expect(ask(records, 10).othersDenied).toBe(2)
  expect(ask(records, 5 * minute + 3).othersDenied).toBe(1)
  expect(ask(records, 5 * minute + 4).othersDenied).toBe(0)
})

const outcomes = fc.oneof(
  fc.constant({ kind: 'ok' } as const),
  fc.record({
    kind: fc.constant('fault' as const),
    fault: fc.constantFrom(...faultKinds),
    retryAfterMs: fc.option(fc.nat(), { nil: undefined }),
  }),
)
const steps = fc.array(
  fc.record({
    session: fc.nat(20),
    outcome: fc.option(outcomes, { nil: undefined }),
    afterMs: fc.nat(20 * minute),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  }),
  { maxLength: 200 },
)

test('whatever happens, a record is valid, small, and never keeps a session waiting without an instant ahead', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let record: HealthRecord | undefined
      let now = start
      for (const { session, outcome, afterMs, random } of all) {
        now += afterMs
        const asking = { session: `session-${session}`, now, random }
        if (outcome) record = report(record, { ...asking, key: opus, outcome })
        else {
          const result = admit(record, { ...asking, waited: random < 0.5 })
          record = result.record
          if (result.admission.kind === 'wait') expect(result.admission.until).toBeGreaterThan(now)
        }
        if (record) expect(healthRecordSchema().parse(record)).toEqual(record)
      }
      expect(JSON.stringify(record ?? null).length).toBeLessThan(10_000)
    }),
  )
})

test('of many sessions the latest are kept, and of many minutes those of the last hour', () => {
  const outcomes: Outcome[] = [
    { kind: 'ok' },
    { kind: 'fault', fault: 'auth-blocked' },
    { kind: 'fault', fault: 'auth-outage' },
    { kind: 'fault', fault: 'model-gone' },
  ]
  let record: HealthRecord | undefined
  for (let n = 0; n < 400; n++) {
    const asking = { key: opus, session: `s${n}`, now: start + n * (minute / 4), random: 0.5 }
    record = report(record, { ...asking, outcome: outcomes[n % 4]! })
  }
  expect(healthRecordSchema().parse(record)).toEqual(record)
  expect(record?.successes.map(({ session }) => session)).toEqual(['s396', 's392', 's388', 's384'])
  expect(record?.denials.map(({ session }) => session)).toEqual(
    [398, 397, 394, 393, 390, 389, 386, 385].map((n) => `s${n}`),
  )
  const minutes = Array.from({ length: 60 }, (_, n) => ({ at: start + (40 + n) * minute, ok: 1, failed: 2 }))
  expect(record?.minutes).toEqual(minutes)
  // An answer that is told late counts in its own minute, and is not the latest.
  const late = reportLate(record, opus, [{ session: 'late', at: start + 50 * minute }])
  expect(late.minutes).toEqual(minutes.with(10, { at: start + 50 * minute, ok: 2, failed: 2 }))
  expect(late.successes).toEqual(record?.successes)
})

test('keys are clean: no credentials, no query, and letters that a shared record may have', () => {
  const key = cleanKey({ endpoint: 'https://user:secret@gateway.test:8443/v1/?token=secret#secret', model: 'm' })
  expect(key).toEqual({ endpoint: 'https://gateway.test:8443/v1', model: 'm' })
  expect(cleanKey({ endpoint: 'sk-ant-secret', model: 'm' }).endpoint).toBe('unknown')
  expect(sharedKeyOf(opus)).toBe('health:api.anthropic.com|claude-opus-5-5')
  fc.assert(
    fc.property(fc.webUrl(), fc.string(), (url, model) => {
      expect(sharedKeyOf(cleanKey({ endpoint: url, model }))).toMatch(/^[A-Za-z0-9.:@|_-]{1,200}$/)
    }),
  )
  const names = ['a/b', 'a_b', 'a b', '', '_', 'x'.repeat(100), 'x'.repeat(101)].map((model) =>
    sharedKeyOf({ endpoint, model }),
  )
  expect(new Set(names).size).toBe(names.length)
})
