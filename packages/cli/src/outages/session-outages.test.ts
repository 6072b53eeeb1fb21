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
const sonnet = 'claude-sonnet-5-5'
const asks: EntryBody = { type: 'envelope-changed', envelope: { body: { model }, betas: [] } }
const moved = (reason: string): EntryBody => ({ type: 'rung-changed', rung: 1, model: sonnet, reason })
const toSonnet: EntryBody = { type: 'request-sent', model: sonnet, attempt: 2 }
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
    const turn = [started(1), sent(), failed, moved('529 overloaded'), toSonnet, answered('Yes.')]
    expect(outagesOf(...turn).all).toMatchObject([{ model, end: 'fallback', attempts: 2 }])
    // In the same turn that one fails too, and answers.
    expect(outagesOf(...turn, toSonnet, failed, toSonnet, answered('No.')).all).toMatchObject([
      { model, end: 'fallback' },
      { model: sonnet, end: 'same-model', attempts: 2 },
    ])
  })

  test('is one also where the breaker gave the request to another model, but not where the model is gone', () => {
    const turn = (why: string) => outagesOf(started(1), asks, moved(why), toSonnet, answered('Yes.')).all
    const reason = `circuit breaker open for ${model} (overloaded)`
    expect(turn(reason)).toMatchObject([{ since: 3000, until: 5000, cause: reason, model, end: 'fallback' }])
    expect(turn(`circuit breaker open for ${model} (model-gone)`)).toEqual([])
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
    // The model that it asks for is known from its envelope, whatever answered the turn before.
    expect(outagesOf(started(1), asks, held).all).toMatchObject([{ model }])
    const before = [started(1), asks, sent(), failed, moved('529 overloaded'), toSonnet, answered('Yes.'), ended(1)]
    expect(outagesOf(...before, started(2), held).all.at(-1)).toMatchObject({ model, cause: reason })
  })

  test('is known where envelope, message and answer are kept apart', () => {
    const apart = (of: string): EntryBody => ({ type: 'kept-apart', of, blob: { name: 'a'.repeat(64), bytes: 9 } })
    const failing = [apart('turn-started'), apart('envelope-changed'), sent(), failed]
    expect(outagesOf(...failing, sent(2), apart('response-received')).all).toMatchObject([{ model, end: 'same-model' }])
    expect(outagesOf(...failing, apart('turn-started')).all).toMatchObject([{ model, end: 'given-up' }])
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
    const both = [started(1), sent(), failed, sent(2), refused]
    expect(outagesOf(...both).all).toMatchObject([{ until: 5000, end: 'given-up' }])
    expect(outagesOf(...both, resumed, sent(), answered('Yes.')).all).toMatchObject([{ until: 8000, end: 'resumed' }])
  })

  test('is one of the last hundred: a session that lives for weeks does not grow', () => {
    const round = [sent(), failed, sent(2), answered('Yes.')]
    expect(outagesOf(started(1), ...Array.from({ length: 150 }, () => round).flat()).all).toHaveLength(100)
  })
})
