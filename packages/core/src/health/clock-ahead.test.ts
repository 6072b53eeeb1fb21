/** Hosts have clocks of their own. One that is an hour ahead holds nobody for an hour. */
import { expect, test } from 'vitest'
import { breaker, fault, five, minute, ok, second } from './breaker.fixture.ts'

const hour = 60 * minute

/** What `told` says is written by a host whose clock is an hour ahead. */
function ahead(told: (b: ReturnType<typeof breaker>) => void) {
  const b = breaker()
  b.now += hour
  told(b)
  b.now -= hour
  return b
}

test('a breaker that it opened is probed after the pause that it was to have', () => {
  const b = ahead((one) => one.wall(...five))
  const admission = b.ask('f')
  expect(admission).toEqual({ kind: 'wait', until: b.now + 1500, reason: expect.any(String), cause: 'overloaded' })
  // What was said once holds: time goes on from there.
  b.now += 500
  expect(b.ask('f')).toMatchObject({ kind: 'wait', until: b.now + 1000 })
  b.now += 1000
  expect(b.ask('f', { waited: true })).toMatchObject({ kind: 'probe' })
  expect(b.see('f', ok)).toMatchObject({ state: 'closed' })
})

test('nor does a probe that it began, or failed, take longer than that of others', () => {
  const begun = ahead((one) => {
    one.wall(...five)
    one.now += 2 * second
    expect(one.ask('f', { waited: true })).toMatchObject({ kind: 'probe' })
  })
  const underWay = { kind: 'wait', reason: expect.stringContaining('a probe is under way') }
  expect(begun.ask('g')).toMatchObject(underWay)
  begun.now += 10 * minute - 1
  expect(begun.ask('g', { waited: true })).toMatchObject(underWay)
  begun.now += 1
  expect(begun.ask('g', { waited: true })).toMatchObject({ kind: 'probe' })

  const failed = breaker()
  failed.wall(...five)
  failed.now += hour
  expect(failed.ask('f', { waited: true })).toMatchObject({ kind: 'probe' })
  failed.see('f', fault())
  failed.now -= hour
  expect(failed.ask('g')).toMatchObject({ kind: 'wait', until: expect.any(Number) })
  failed.now += minute
  expect(failed.ask('g', { waited: true })).toMatchObject({ kind: 'probe' })
})

test('a pause that the server asked it for is as long as the server said, and what it saw end is over', () => {
  const held = ahead((one) => one.see('a', fault('rate-limited', 17 * second)))
  expect(held.ask('b')).toMatchObject({ kind: 'wait' })
  held.now += 40 * second
  expect(held.ask('b')).toEqual({ kind: 'go' })

  const recovered = ahead((one) => {
    one.wall(...five)
    one.see('g', ok, 10 * second)
  })
  expect(recovered.record?.breaker.state).toBe('closed')
  // Its ramp is as long as the outage was, and begins where others hear of it.
  expect(recovered.ask('b', { waited: true })).toMatchObject({ kind: 'wait', until: recovered.now + 5 * second })
  recovered.now += 5 * second
  expect(recovered.ask('b', { waited: true })).toEqual({ kind: 'go' })
})

test('what others wrote by their own clocks stays as it is beside what it wrote', () => {
  const held = breaker()
  held.see('a', fault('rate-limited', 17 * second))
  const until = held.now + 17 * second * 1.5
  held.now += hour
  held.wall(...five)
  held.now -= hour - 5 * second
  expect(held.ask('b')).toMatchObject({ kind: 'wait', until })
})

test('who has waited since an earlier outage comes back over as long as that was ago, not longer', () => {
  const twice = (b: ReturnType<typeof breaker>, aheadMs: number) => {
    b.wall(...five)
    b.see('g', ok, 10 * second)
    b.now += 2 * second + aheadMs
    b.wall(...five)
  }
  const untilOf = (b: ReturnType<typeof breaker>, since: number) => {
    b.ask('f')
    const probeAt = b.now + 1500
    expect(b.ask('g')).toMatchObject({ kind: 'wait', until: probeAt + 1500 + (probeAt - since) / 2 })
  }
  // Only the second outage is told by a clock that is ahead, by less than the sessions of the first one still come.
  const later = breaker()
  const since = later.now
  twice(later, 5 * second)
  later.now -= 5 * second
  untilOf(later, since)

  const both = ahead((b) => twice(b, 0))
  untilOf(both, both.now)
})
