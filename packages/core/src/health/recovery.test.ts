import { expect, test } from 'vitest'
import { report } from './breaker.ts'
import type { HealthRecord } from './record.ts'
import { isBusy, recoveryOf } from './recovery.ts'

const key = { endpoint: 'https://api.anthropic.com', model: 'claude-opus-5-5' }
const minute = 60_000

/** So many answers in each minute from `from` on, then an outage of ten seconds. */
function afterOutage(perMinute: readonly number[], from: number): HealthRecord {
  let record: HealthRecord | undefined
  const tell = (outcome: Parameters<typeof report>[1]['outcome'], now: number): void => {
    record = report(record, { key, session: `s${now}`, outcome, now, random: 0 })
  }
  const starts = perMinute.map((_, i) => Math.max(from, Math.floor(from / minute) * minute + i * minute))
  for (const [i, count] of perMinute.entries())
    for (let n = 0; n < count; n++) tell({ kind: 'ok' }, starts[i]! + (n % 4000))
  const outageAt = Math.max(...starts) + 10_000
  for (let n = 0; n < 5; n++) tell({ kind: 'fault', fault: 'overloaded' }, outageAt + n)
  tell({ kind: 'ok' }, outageAt + 10_000)
  return record!
}

const usual = (record: HealthRecord) => recoveryOf(record, record.lastFault!.at + 10_000)?.usualPerSecond

test('usual is the busiest minute before the outage', () => {
  expect(usual(afterOutage([60, 600, 120, 60], 0))).toBe(10)
})

test('what was answered in a part of a minute tells nothing of the usual rate: a fleet that had only just begun is not held to it', () => {
  expect(usual(afterOutage([90], minute - 4000))).toBeUndefined()
  expect(usual(afterOutage([90, 90], minute - 4000))).toBeUndefined()
  expect(usual(afterOutage([90, 120, 90], minute - 4000))).toBe(2)
  // It is busy nevertheless, by what one has seen.
  expect(isBusy(afterOutage([6000], minute - 4000), 2 * minute)).toBe(true)
})

test('a part of a minute in which more was answered than in a whole one counts', () => {
  expect(usual(afterOutage([90, 120, 1800], minute - 4000))).toBeGreaterThan(29)
})

test('a recovery begins when the breaker closes, and is over a quarter of an hour later', () => {
  const record = afterOutage([60, 600, 60], 0)
  const at = record.lastFault!.at + 9_996
  expect(recoveryOf(record, at)).toEqual({ at, usualPerSecond: 10 })
  expect(recoveryOf(record, at + 15 * minute - 1)).toBeDefined()
  expect(recoveryOf(record, at + 15 * minute)).toBeUndefined()
  expect(recoveryOf(undefined, at)).toBeUndefined()
  // Those who come back say nothing of what is usual.
  const back = { at: Math.ceil(at / minute) * minute, ok: 6000, failed: 0 }
  expect(recoveryOf({ ...record, minutes: [...record.minutes, back] }, at)).toEqual({ at, usualPerSecond: 10 })
})
