import { describe, expect, test } from 'vitest'
import { testEpoch as start } from '../testing/entries.ts'
import { seededRandom } from '../testing/random.ts'
import { breaker, fault, five, key, minute, ok, second } from './breaker.fixture.ts'
import { reportLate } from './breaker.ts'

describe('where hundreds of requests are answered each second', () => {
  /** Two hundred a second, told of together. */
  function busy() {
    const b = breaker()
    const answers = Array.from({ length: 12_000 }, (_, i) => ({ session: `s${i % 1000}`, at: start + 5 * i }))
    b.record = reportLate(undefined, key, answers)
    b.now = start + minute
    return b
  }

  test('a partial outage opens nothing, though five failures in a row are soon there by chance', () => {
    const b = busy()
    const random = seededRandom(3)
    for (let turn = 0; turn < 20_000; turn++) {
      b.see(`s${turn % 1000}`, random() < 0.5 ? fault() : ok, 5)
      expect(b.record?.breaker.state).toBe('closed')
    }
  })

  test('a wall opens it a second after the last answer', () => {
    const b = busy()
    b.see('a', ok)
    b.wall(...five)
    expect(b.see('f', fault(), 999)).toMatchObject({ state: 'closed', failures: 6 })
    expect(b.see('g', fault(), 1)).toMatchObject({ state: 'open' })
  })

  test('it is probed at least once a minute while it is known how busy it was; elsewhere every five minutes in the end', () => {
    const pauses = (b: ReturnType<typeof breaker>) => {
      b.now += second
      b.wall(...five)
      for (let probe = 0; probe < 10; probe++) {
        b.now += 5 * minute
        expect(b.ask(`p${probe}`).kind).toBe('probe')
        b.see(`p${probe}`, fault())
      }
      const now = b.record?.breaker
      return now?.state === 'open' ? now.probeAt - b.now : undefined
    }
    expect(pauses(busy())).toBe(0.75 * minute)
    expect(pauses(breaker())).toBe(3.75 * minute)
  })
})
