import { expect, it } from 'vitest'
import type { StepOf } from '../../src/turn-report.ts'
import { stepWords } from './step-words.ts'

const fault: StepOf<'fault'> = {
  kind: 'fault',
  seq: 4,
  at: '2026-01-01T00:00:00.000Z',
  fault: '529 overloaded_error',
  message: '',
  attempt: 2,
  durationMs: 10,
  decision: 'retry',
  reason: '',
  waitMs: 60_000,
}

it.each([
  [{}, '→ next try after 1m00s'],
  [{ decision: 'suspend' }, '→ suspended; worth a try after 1m00s'],
  [{ decision: 'suspend', waitMs: null }, '→ suspended'],
  [{ decision: 'fail', waitMs: null, reason: 'A teapot' }, '→ reported at once · A teapot'],
] as const)('a failure with %j says when what comes next is due, which may lie ahead', (more, detail) => {
  expect(stepWords({ ...fault, ...more })).toMatchObject({ what: '529 overloaded_error at attempt 2', detail })
})
