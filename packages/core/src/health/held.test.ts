import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultKinds } from '../faults/fault-kinds.ts'
import { freshContext, updates } from '../machine/machine.ts'
import type { Entry } from '../journal/journal.ts'
import { horizonPassed } from '../policy/decide.ts'
import { defaultPolicy } from '../policy/options.ts'
import { heldBy, heldReasons } from './held.ts'

const anyFault = fc.constantFrom(...faultKinds)

test('what holds a request is recognised in what is written of it, whatever the model is called', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constant('circuit breaker open for m (overloaded)')),
      anyFault,
      (model, fault) => {
        expect(heldBy(heldReasons.breaker(model, fault))).toEqual({ because: 'breaker', fault })
        expect(heldBy(`${heldReasons.breaker(model, fault)}; a probe is under way`)).toEqual({
          because: 'breaker',
          fault,
        })
        expect(heldBy(heldReasons.server(model, '2026-01-01T00:00:00.000Z'))).toEqual({ because: 'server' })
        expect(heldBy(heldReasons.comeback(model, '2026-01-01T00:00:00.000Z'))).toEqual({ because: 'comeback' })
        expect(heldBy(heldReasons.crowd(model))).toEqual({ because: 'crowd' })
      },
    ),
  )
})

test('the breaker is recognised where a suspension quotes it, and as earlier releases wrote it', () => {
  const quoted = `${horizonPassed(1, 0, defaultPolicy)} (${heldReasons.breaker('m', 'transport')})`
  expect(heldBy(quoted)).toEqual({ because: 'breaker', fault: 'transport' })
  expect(heldBy('circuit breaker open')).toEqual({ because: 'breaker' })
  const older =
    'circuit breaker open for claude-opus-5-5 since 2026-01-01T00:00:08.180Z (overloaded); next probe 2026-01-01T00:00:52.688Z'
  expect(heldBy(older)).toEqual({ because: 'breaker', fault: 'overloaded' })
})

test('a wait after a fault that was cut short is known by the words that the session has for the fault', () => {
  for (const kind of faultKinds) {
    const observed = { type: 'fault-observed', fault: { kind, status: 529 }, decision: { kind: 'retry', at: 1 }, at: 0 }
    const { reason } = updates.recordFault(freshContext, observed as unknown as Entry)
    expect(heldBy(reason ?? '')).toEqual({ because: 'fault', fault: kind })
  }
})

test('anything else is a limiter’s own', () => {
  for (const reason of ['', "the fleet's rate limit for m (perMinute)", 'no circuit breaker open here']) {
    expect(heldBy(reason)).toEqual({ because: 'limiter' })
  }
})
