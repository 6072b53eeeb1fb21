/**
 * The attempts of a side request: its faults are waited out too, but in memory only, and it is never repaired.
 */
import { classify } from '../faults/classify.ts'
import { LastgoodError } from '../errors.ts'
import type { Health } from '../health/health.ts'
import type { Session } from '../session/session.ts'
import type { Departure } from './attempt.ts'
import { limitsIn } from './given-up.ts'
import type { WireRequest } from './messages-request.ts'
import type { Recorder } from './recorder.ts'
import type { RequestRung } from './rungs.ts'
import { Vitals } from './vitals.ts'

/** `rung` is undefined for what is not a Messages request: its failures say nothing about a model. */
export function sideRecorder<R extends WireRequest>(
  session: Session,
  { request, next }: Departure<R>,
  health: Health,
  rung: RequestRung<R> | undefined,
): Recorder<R> {
  const { clock, policy } = session
  const ticket = clock.random()
  // The breaker knows it by a name of its own: the session's probe is not its helpers'.
  const who = `${session.id}#${Math.floor(ticket * 1e9)}`
  let attempts = 0
  let firstFaultAt: number | undefined
  let until = 0
  const vitals = new Vitals({ health, clock, who, key: () => rung })
  return {
    isBilled: false,
    hasCall: () => false,
    told: {},
    async sending(signal) {
      for (;;) {
        await clock.sleepUntil(until, { signal })
        const admission = rung && (await health.admit(rung, who, { waited: until > 0, random: ticket }))
        if (admission?.kind !== 'wait' || admission.cause === 'model-gone') {
          vitals.sent()
          return { request, next }
        }
        until = admission.until
      }
    },
    async faulted(wire) {
      const { repairs: _unused, complete, ...seen } = classify(wire)
      // Text that is not recorded cannot be continued.
      const fault = complete === 'calls' ? { ...seen, complete } : seen
      await vitals.fail(fault)
      attempts += 1
      const now = clock.now()
      firstFaultAt ??= now
      const decision = session.decide(fault, { attempts, firstFaultAt, now, random: clock.random() }, policy)
      if (decision.kind === 'retry') until = decision.at
      return { fault, decision }
    },
    answered: () => vitals.live(),
    began: () => void vitals.live(),
    ended: () => vitals.end(),
    kept: () => {},
    delta: () => {},
    dropped: () => {},
    givenUp: (fault, decision, headers) =>
      new LastgoodError('request-failed', `a side request failed: ${decision.reason}`, {
        hint: 'the conversation itself continues',
        details: { fault: fault.kind, status: fault.status, ...limitsIn(headers) },
      }),
  }
}
