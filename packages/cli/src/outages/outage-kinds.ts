/**
 * Which faults are an outage of the API, as people mean it. Pure.
 *
 * What is a session's own (credentials, a spend limit, a refused request), a rate limit, a model that is gone and a
 * repaired request are faults, and none of these; see `status/verdict.ts`.
 */
import { signOf, type FaultKind, type Head } from '@lastgood/core'

export const isOutageKind = (fault: FaultKind): boolean => signOf({ kind: 'fault', fault }) === 'failure'

/** Nothing is sent to the model, because others have found it down. A rate limit holds requests too, and is no outage. */
export const isHeldByOutage = (reason: string): boolean => reason.includes('circuit breaker open')

/** Whether a session that does not go on was stopped by an outage, as its head says. */
export function isStoppedByOutage({ status, reason, machine }: Head): boolean {
  if (status === 'idle' || status === 'needs-input') return false
  const { faultKind } = machine.context as { faultKind?: unknown }
  return typeof faultKind === 'string' ? isOutageKind(faultKind as FaultKind) : isHeldByOutage(reason ?? '')
}
