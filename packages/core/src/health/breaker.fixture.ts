/** A breaker for tests, with its own clock and its own random numbers. */
import { expect } from 'vitest'
import type { FaultKind } from '../faults/fault-kinds.ts'
import { testEpoch as start } from '../testing/entries.ts'
import { admit, report } from './breaker.ts'
import type { Outcome } from './notes.ts'
import { type HealthRecord, healthRecordSchema } from './record.ts'

export const key = { endpoint: 'https://api.anthropic.com', model: 'claude-opus-5-5' }
export const ok: Outcome = { kind: 'ok' }
export const fault = (kind: FaultKind = 'overloaded', retryAfterMs?: number): Outcome => ({
  kind: 'fault',
  fault: kind,
  retryAfterMs,
})
export const second = 1000
export const minute = 60 * second

export const five = ['a', 'b', 'c', 'd', 'e']

/** A record and the current instant. `draw` is the random number of all sessions. */
export function breaker(draw = 0.5) {
  const b = {
    now: start,
    record: undefined as HealthRecord | undefined,
    see(session: string, outcome: Outcome, afterMs = 0) {
      b.now += afterMs
      b.record = report(b.record, { key, session, outcome, now: b.now, random: draw })
      expect(healthRecordSchema().parse(b.record)).toEqual(b.record)
      return b.record.breaker
    },
    ask(session: string, { waited = false, random = draw } = {}) {
      const { admission, record } = admit(b.record, { session, now: b.now, random, waited })
      b.record = record
      return admission
    },
    /** A row of failures, one for each session. */
    wall(...sessions: string[]) {
      for (const session of sessions) b.see(session, fault())
      return b.record?.breaker
    },
  }
  return b
}
