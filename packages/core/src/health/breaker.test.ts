import { describe, expect, test } from 'vitest'
import type { FaultKind } from '../faults/fault-kinds.ts'
import { testEpoch as start } from '../testing/entries.ts'
import { seededRandom } from '../testing/random.ts'
import { breaker, fault, five, key, minute, ok, second } from './breaker.fixture.ts'
import { isCalm, report, reportLate } from './breaker.ts'

describe('opens', () => {
  test('after five failures in a row, of whatever sessions', () => {
    const b = breaker()
    expect(b.wall('a', 'b', 'a', 'c')).toEqual({ state: 'closed', failures: 4 })
    expect(b.ask('f')).toEqual({ kind: 'go' })
    expect(b.see('d', fault())).toEqual({
      state: 'open',
      since: start,
      cause: 'overloaded',
      probes: 0,
      failedBy: 'd',
      probeAt: start + 1500,
    })
  })

  test('not when one answer was between', () => {
    const b = breaker()
    b.wall('a', 'b', 'c', 'd')
    b.see('e', ok)
    expect(b.wall('a', 'b', 'c', 'd')).toMatchObject({ state: 'closed', failures: 4 })
  })

  test.each<FaultKind>([
    'server-transient',
    'overloaded',
    'transport',
    'stream-cut',
    'stream-truncated',
    'stream-stalled',
    'bad-gateway',
    'auth-outage',
  ])('by %s', (kind) => {
    const b = breaker()
    for (const session of five) b.see(session, fault(kind))
    expect(b.record?.breaker).toMatchObject({ state: 'open', cause: kind })
  })

  test.each<FaultKind>([
    'transcript-invalid',
    'rate-limited',
    'auth-blocked',
    'spend-blocked',
    'config',
    'poisoned',
    'request-rejected',
  ])('never by %s, which does not end a row either', (kind) => {
    const b = breaker()
    b.wall('a', 'b', 'c', 'd')
    for (let i = 0; i < 20; i++) b.see('a', fault(kind))
    expect(b.record?.breaker).toEqual({ state: 'closed', failures: 4 })
  })

  test.each<FaultKind>(['output-filtered', 'broken-call', 'output-cut', 'empty-answer'])(
    'never by %s: the model answered',
    (kind) => {
      const b = breaker()
      b.wall('a', 'b', 'c', 'd')
      expect(b.see('a', fault(kind))).toEqual({ state: 'closed', failures: 0 })
    },
  )

  test('in less than one of ten thousand requests when one of ten fails', () => {
    const b = breaker()
    const random = seededRandom(7)
    let opened = 0
    for (let i = 0; i < 20_000; i++) {
      const outcome = random() < 0.1 ? fault() : ok
      b.now += 20
      b.record = report(b.record, { key, session: `s${i % 50}`, outcome, now: b.now, random: random() })
      if (b.record.breaker.state === 'open') opened++
    }
    expect(opened).toBeLessThan(2)
  })

  test('at once for a model that is gone, with a long way to the first probe; not when others are answered', () => {
    const b = breaker()
    b.see('a', ok)
    expect(b.see('a', fault('model-gone'))).toMatchObject({ state: 'open', probes: 0, probeAt: start + 15 * minute })
    expect(breaker().see('a', fault('model-gone'))).toMatchObject({ state: 'open' })
    const shared = breaker()
    for (const session of ['b', 'a']) shared.see(session, ok)
    expect(shared.see('a', fault('model-gone'), minute)).toMatchObject({ state: 'closed' })
    expect(shared.see('a', fault('model-gone'), 15 * minute)).toMatchObject({ state: 'open' })
  })
})

describe('while it is open', () => {
  test('one waiter is booked for the probe sharp, the others come later and apart', () => {
    const b = breaker()
    b.wall(...five)
    expect(b.ask('x')).toEqual({
      kind: 'wait',
      cause: 'overloaded',
      until: start + 1500,
      reason: 'circuit breaker open for claude-opus-5-5 (overloaded)',
    })
    expect(b.ask('y', { random: 0 })).toMatchObject({ kind: 'wait', until: start + 3000 })
    expect(b.ask('z', { random: 0.9 })).toMatchObject({ kind: 'wait', until: start + 4350 })
    const asked = b.record
    expect(b.ask('x')).toMatchObject({ kind: 'wait', until: start + 1500 })
    expect(b.record).toBe(asked)
  })

  test('the others come 10 to 40 seconds after the probe, however long it has been open', () => {
    const b = breaker()
    b.wall(...five)
    b.now += 10 * minute
    b.ask('x')
    b.see('x', fault())
    const probeAt = b.record?.breaker.state === 'open' ? b.record.breaker.probeAt : NaN
    b.ask('booked')
    expect(b.ask('y', { random: 0 })).toMatchObject({ until: probeAt + 10 * second })
    expect(b.ask('z', { random: 0.5 })).toMatchObject({ until: probeAt + 25 * second })
  })

  test('whoever asks when the probe is due has it, also if another was booked; who failed has it if nobody was', () => {
    const booked = breaker()
    booked.wall(...five)
    booked.ask('x')
    booked.now += 1500
    expect(booked.ask('y')).toMatchObject({ kind: 'probe' })
    const alone = breaker()
    alone.wall('ill', 'ill', 'ill', 'ill', 'ill')
    alone.now += 1500
    expect(alone.ask('ill')).toMatchObject({ kind: 'probe' })
  })

  test('exactly one session probes, and may ask again', () => {
    const b = breaker()
    b.wall(...five)
    b.now += 1500
    expect(b.ask('x')).toEqual({ kind: 'probe', until: b.now + 10 * minute })
    for (const session of [...five, 'y', 'z']) expect(b.ask(session)).toMatchObject({ kind: 'wait' })
    expect(b.ask('x')).toMatchObject({ kind: 'probe' })
  })

  test('a probe whose session died goes to another after ten minutes', () => {
    const b = breaker()
    b.wall(...five)
    b.now += 1500
    b.ask('x')
    b.now += 10 * minute - 1
    expect(b.ask('y')).toMatchObject({ kind: 'wait' })
    b.now += 1
    expect(b.ask('y')).toMatchObject({ kind: 'probe' })
    expect(b.see('x', fault())).toMatchObject({ state: 'half-open', prober: 'y' })
  })

  test('each failed probe doubles the back-off up to a minute, and up to five once it is open for 15 minutes', () => {
    const b = breaker(0)
    b.wall(...five)
    const waits: number[] = []
    for (let i = 0; i < 100; i++) {
      const admission = b.ask('x')
      if (admission.kind === 'wait') {
        waits.push((admission.until - b.now) / second)
        b.now = admission.until
      } else b.see('x', fault())
    }
    expect(waits.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 30, 30])
    expect(waits.at(-1)).toBe(150)
    expect(waits.findIndex((one) => one === 150)).toBeGreaterThan(7)
  })

  test('failures and 4xx of others change nothing, an answer of anybody closes it', () => {
    const b = breaker()
    b.wall(...five)
    expect(b.see('y', fault())).toMatchObject({ state: 'open', probes: 0 })
    expect(b.see('y', fault('transcript-invalid'))).toMatchObject({ state: 'open' })
    expect(b.see('y', ok, 700)).toEqual({ state: 'closed', failures: 0, recovered: { since: start, at: start + 700 } })
  })

  test('an answer to what was sent before it opened does not close it', () => {
    const b = breaker()
    b.wall(...five)
    expect(b.see('y', { kind: 'ok', sentAt: start - 1 }, 700)).toMatchObject({ state: 'open' })
    expect(b.see('y', { kind: 'fault', fault: 'output-cut', sentAt: start - 1 })).toMatchObject({ state: 'open' })
    expect(b.see('y', { kind: 'ok', sentAt: start }, 700)).toMatchObject({ state: 'closed' })
  })

  test('a prober that learned nothing hands the probe on at once', () => {
    const b = breaker()
    b.wall(...five)
    b.now += 1500
    b.ask('x')
    const handedOn = { state: 'open', since: start, cause: 'overloaded', probes: 0, probeAt: start + 2500 }
    expect(b.see('x', fault('transcript-invalid'), second)).toEqual({ ...handedOn, failedBy: 'x' })
    expect(b.ask('y')).toMatchObject({ kind: 'probe' })
  })

  test('a probe whose caller breaks it off is free at once; what others break off changes nothing', () => {
    const b = breaker()
    b.wall('a', 'b', 'c', 'd')
    expect(b.see('e', { kind: 'abandoned' })).toEqual({ state: 'closed', failures: 4 })
    const open = b.wall('e')
    expect(b.see('x', { kind: 'abandoned' }, 1500)).toEqual(open)
    b.ask('x')
    expect(b.see('y', { kind: 'abandoned' })).toMatchObject({ state: 'half-open', prober: 'x' })
    expect(b.see('x', { kind: 'abandoned' }, second)).toEqual({ ...open, probeAt: b.now })
    expect(b.ask('x')).toMatchObject({ kind: 'probe' })
  })

  test('a session whose request is ill itself does not keep the probe from others', () => {
    const b = breaker()
    b.wall('ill', 'ill', 'ill', 'ill', 'ill')
    expect(b.ask('ill')).toMatchObject({ kind: 'wait', until: start + 1500 })
    expect(b.ask('well')).toMatchObject({ kind: 'wait', until: start + 1500 })
    b.now += 1500
    const again = b.ask('ill')
    expect(again).toMatchObject({ kind: 'wait' })
    expect(b.ask('well')).toMatchObject({ kind: 'probe' })
    expect(b.see('well', ok)).toMatchObject({ state: 'closed' })
  })

  test('and takes it when the other does not come', () => {
    const b = breaker()
    b.wall('ill', 'ill', 'ill', 'ill', 'ill')
    b.ask('ill')
    b.ask('dead')
    b.now += 1500
    const again = b.ask('ill')
    if (again.kind !== 'wait') throw new Error(again.kind)
    b.now = again.until
    expect(b.ask('ill')).toMatchObject({ kind: 'probe' })
  })

  test('waiters of a long probe ask ever more seldom: after as long as it has run', () => {
    const b = breaker()
    b.wall(...five)
    b.now += 1500
    b.ask('x')
    const asked: number[] = []
    for (const begun = b.now; b.now < begun + 9 * minute;) {
      const admission = b.ask('y', { waited: true })
      b.now = admission.kind === 'wait' ? admission.until : NaN
      asked.push(b.now - begun)
    }
    expect(asked).toEqual([2250, 7875, 21_938, 43_876, 87_752, 175_504, 351_008, 702_016])
  })
})

describe('after it closed', () => {
  test('who waited goes on between then and the ramp, each at its own instant; who did not wait goes at once', () => {
    const b = breaker()
    b.wall(...five)
    b.see('x', ok, 10 * minute)
    const closedAt = b.now
    expect(b.ask('fresh')).toEqual({ kind: 'go' })
    expect(b.ask('first', { waited: true, random: 0 })).toEqual({ kind: 'go' })
    const later = { waited: true, random: 0.5 }
    expect(b.ask('later', later)).toMatchObject({ kind: 'wait', until: closedAt + 15 * second })
    b.now += 15 * second
    expect(b.ask('later', later)).toEqual({ kind: 'go' })
  })

  test('the ramp is no longer than the outage was', () => {
    const b = breaker()
    b.wall(...five)
    b.see('x', ok, 4 * second)
    expect(b.ask('later', { waited: true, random: 0.5 })).toMatchObject({ kind: 'wait', until: b.now + 2 * second })
  })
})

describe('a rate limit', () => {
  test('with an instant holds everybody until then, and apart after it', () => {
    const b = breaker()
    b.see('a', fault('rate-limited', 20 * second))
    expect(b.ask('b', { random: 0.5 })).toEqual({
      kind: 'wait',
      cause: undefined,
      until: start + 30 * second,
      reason: 'rate limit of claude-opus-5-5 until 2026-01-01T00:00:20.000Z, as the server asked',
    })
    b.see('c', fault('rate-limited', 5 * second), second)
    expect(b.record?.held).toEqual({ since: start, until: start + 20 * second })
    b.now = start + 20 * second
    expect(b.ask('b', { waited: true })).toEqual({ kind: 'go' })
    b.see('c', fault('rate-limited', 5 * second), second)
    expect(b.record?.held).toEqual({ since: b.now, until: b.now + 5 * second })
  })

  test('holds for ten minutes at most, and apart for half a minute', () => {
    const b = breaker()
    b.see('a', fault('rate-limited', 10 * minute))
    expect(b.ask('b', { random: 0.5 })).toMatchObject({ until: start + 10 * minute + 15 * second })
  })

  test('is the only fault whose retry-after is for everybody', () => {
    const b = breaker()
    b.see('a', fault('overloaded', 20 * second))
    expect(b.ask('b')).toEqual({ kind: 'go' })
  })

  test.each([undefined, 0, -1, NaN, 10 * minute + 1])('that asks for %s ms holds nobody', (ms) => {
    const b = breaker()
    b.see('a', fault('rate-limited', ms))
    expect(b.ask('b')).toEqual({ kind: 'go' })
  })
})

describe('answers that are told late', () => {
  test('end a row of failures before them, and close nothing', () => {
    const b = breaker()
    b.wall('a', 'b', 'c', 'd')
    const late = [{ session: 'x', at: start + 1 }]
    const before = { session: 'w', at: start }
    expect(reportLate(b.record, key, [before, ...late]).breaker).toEqual({ state: 'closed', failures: 0 })
    expect(reportLate(b.record, key, [before]).breaker).toEqual({ state: 'closed', failures: 4 })
    const open = b.wall('e')
    expect(reportLate(b.record, key, late)).toMatchObject({ successes: late })
    expect(reportLate(b.record, key, late).breaker).toEqual(open)
  })
})

test('calm is when nobody is held, nothing failed since the last answer, and the ramp is over', () => {
  const b = breaker()
  expect(isCalm(b.record, b.now)).toBe(true)
  b.see('a', fault())
  expect(isCalm(b.record, b.now)).toBe(false)
  b.see('a', ok)
  expect(isCalm(b.record, b.now)).toBe(true)
  b.wall(...five)
  b.see('a', ok, minute)
  expect(isCalm(b.record, b.now + 30 * second - 1)).toBe(false)
  expect(isCalm(b.record, b.now + 30 * second)).toBe(true)
  b.see('a', fault('rate-limited', minute), minute)
  expect(isCalm(b.record, b.now + minute - 1)).toBe(false)
  expect(isCalm(b.record, b.now + minute)).toBe(true)
})

describe('opens again while those who waited are coming back', () => {
  /** Open for ten minutes, closed for a while, open again. */
  function relapsed(closedMs: number, openMs = 10 * minute) {
    const b = breaker()
    b.wall(...five)
    b.now += openMs
    expect(b.ask('f')).toMatchObject({ kind: 'probe' })
    b.see('f', ok)
    b.now += closedMs
    b.wall(...five)
    return b
  }
  const untilOf = (admission: ReturnType<ReturnType<typeof breaker>['ask']>) =>
    admission.kind === 'wait' ? admission.until : NaN

  test('those who have not come yet stay apart: for them it has been open all the time', () => {
    const b = relapsed(second)
    b.ask('booked', { waited: true })
    const opened = b.record?.breaker
    const waiting = [0, 0.5, 1].map((random) => untilOf(b.ask('g', { waited: true, random })))
    expect(waiting.map((until) => until - (waiting[0] ?? NaN))).toEqual([0, 15 * second, 30 * second])
    b.now = opened?.state === 'open' ? opened.probeAt : NaN
    b.ask('booked', { waited: true })
    b.see('booked', ok)
    const coming = [0.1, 1].map((random) => untilOf(b.ask('g', { waited: true, random })) - b.now)
    expect(coming).toEqual([3 * second, 30 * second])
  })

  test('also when it opens a third time, and when a probe fails between', () => {
    const b = relapsed(second)
    b.now += 2 * second
    b.ask('h')
    b.see('h', fault())
    b.now += 10 * second
    b.ask('i')
    b.see('i', ok)
    b.now += second
    b.wall(...five)
    b.ask('booked', { waited: true })
    const [first = NaN, last = NaN] = [0, 1].map((random) => untilOf(b.ask('g', { waited: true, random })))
    expect(last - first).toBe(30 * second)
  })

  test('who was down since then is told the new instant, and a later relapse is an outage of its own', () => {
    const b = relapsed(minute)
    expect(b.record?.breaker).toMatchObject({ since: b.now })
    expect(b.record?.breaker).not.toHaveProperty('waitersSince')
    expect(relapsed(second).record?.breaker).toMatchObject({ since: start + 10 * minute + second, waitersSince: start })
    // They come back in as long as it was open.
    expect(relapsed(4 * second - 1, 4 * second).record?.breaker).toHaveProperty('waitersSince')
    expect(relapsed(4 * second, 4 * second).record?.breaker).not.toHaveProperty('waitersSince')
  })
})
