import type { Entry, EntryBody } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { answered, ended, overloaded, sent, started } from '../../test/context.ts'
import { SessionOutages } from './session-outages.ts'

/** An entry a second. */
function outagesOf(...bodies: EntryBody[]): SessionOutages {
  const outages = new SessionOutages()
  bodies.forEach((body, i) => {
    outages.take({ ...body, v: 3, seq: i + 1, at: (i + 1) * 1000, fence: 1, lane: 'main' } as Entry)
  })
  return outages
}

const owner = { id: 'another', host: 'there', realm: 'there', pid: 2 }
const resumed: EntryBody = { type: 'session-resumed', owner }
const failed = overloaded(1000, 0)
const model = 'claude-opus-5-5'
const parked: EntryBody = {
  type: 'fault-observed',
  fault: { kind: 'overloaded', status: 529 },
  decision: { kind: 'suspend', reason: 'The budget is used up' },
}
const refused: EntryBody = {
  type: 'fault-observed',
  fault: { kind: 'auth-blocked', status: 401 },
  decision: { kind: 'suspend', reason: 'The key is not valid' },
}

describe('an outage', () => {
  test('that was waited out ends with the answer of the same model', () => {
    const { all } = outagesOf(started(1), sent(), failed, sent(2), failed, sent(3), answered('Yes.'), ended(1))
    expect(all).toEqual([
      {
        since: 3000,
        until: 7000,
        cause: '529 overloaded_error',
        model,
        attempts: 3,
        end: 'same-model',
        answeredAt: 7000,
      },
    ])
  })

  test('lasts until then', () => {
    const { all, lastSurvived } = outagesOf(started(1), sent(), failed, sent(2))
    expect(all).toMatchObject([{ since: 3000, until: null, attempts: 2, end: null }])
    expect(lastSurvived).toBeUndefined()
  })

  test('that another model answered is a fallback', () => {
    const rung: EntryBody = { type: 'rung-changed', rung: 1, model: 'claude-sonnet-5-5', reason: 'overloaded' }
    expect(outagesOf(started(1), sent(), failed, rung, sent(2), answered('Yes.')).all).toMatchObject([
      { model, end: 'fallback', attempts: 2 },
    ])
  })

  test('that parked the session is suspended until it is resumed and answered', () => {
    const before = [started(1), sent(), parked]
    expect(outagesOf(...before).all).toMatchObject([{ since: 3000, until: 3000, end: 'suspended' }])
    expect(outagesOf(...before, resumed, sent(), answered('Yes.')).all).toMatchObject([
      { since: 3000, until: 6000, attempts: 2, end: 'resumed' },
    ])
    expect(outagesOf(...before, started(2)).all).toMatchObject([{ until: 3000, end: 'suspended' }])
  })

  test('that nobody waited out knows the first answer that came after it', () => {
    const later = [started(2), sent(), answered('Yes.'), ended(2), started(3), sent(), answered('No.'), ended(3)]
    expect(outagesOf(started(1), sent(), parked, ...later).all).toMatchObject([{ end: 'suspended', answeredAt: 6000 }])
    expect(outagesOf(started(1), sent(), failed, ...later).all).toMatchObject([{ end: 'given-up', answeredAt: 6000 }])
    expect(outagesOf(started(1), sent(), failed, started(2), sent()).all).toMatchObject([{ answeredAt: null }])
  })

  test('in which the process died is resumed, and an earlier restart is not told of it', () => {
    expect(outagesOf(started(1), sent(), failed, resumed, sent(2), answered('Yes.')).all).toMatchObject([
      { end: 'resumed' },
    ])
    expect(outagesOf(started(1), resumed, sent(), failed, sent(2), answered('Yes.')).all).toMatchObject([
      { end: 'same-model' },
    ])
  })

  test('is one also where nothing was sent, because the breaker held it', () => {
    const reason = 'circuit breaker open for claude-opus-5-5 (overloaded)'
    const held: EntryBody = { type: 'request-held', until: 9000, reason }
    expect(outagesOf(started(1), held, sent(), answered('Yes.')).all).toMatchObject([
      { since: 2000, until: 4000, cause: reason, attempts: 1, end: 'same-model' },
    ])
  })

  test('is not a rate limit, whether it was met or held back', () => {
    const limit: EntryBody = {
      type: 'fault-observed',
      fault: { kind: 'rate-limited', status: 429 },
      decision: { kind: 'retry', at: 9000 },
    }
    const held: EntryBody = { type: 'request-held', until: 9000, reason: 'claude-opus-5-5 was asked to wait' }
    expect(outagesOf(started(1), sent(), limit, held, sent(2), answered('Yes.')).all).toEqual([])
  })

  test('is not what is the session’s own', () => {
    expect(outagesOf(started(1), sent(), refused, resumed, sent(), answered('Yes.')).all).toEqual([])
    expect(outagesOf(started(1), sent(), failed, sent(2), refused).all).toMatchObject([{ end: 'given-up' }])
  })

  test('is one of the last hundred: a session that lives for weeks does not grow', () => {
    const round = [sent(), failed, sent(2), answered('Yes.')]
    expect(outagesOf(started(1), ...Array.from({ length: 150 }, () => round).flat()).all).toHaveLength(100)
  })
})
