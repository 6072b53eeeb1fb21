/**
 * Which faults are an outage of the API, as people mean it. Pure.
 *
 * A session's own faults (credentials, a spend limit, a refused request), a rate limit, a model that is gone and a
 * repaired request are not; see `status/verdict.ts`.
 */
import { signOf, type FaultKind, type Head } from '@lastgood/core'

export const isOutageKind = (fault: FaultKind): boolean => signOf({ kind: 'fault', fault }) === 'failure'

/** Nothing is sent to the model: others have found it down. A rate limit holds requests too, but is no outage. */
export const isHeldByOutage = (reason: string): boolean => reason.includes('circuit breaker open')

/** Whether an outage stopped a session that does not go on, according to its head. */
export function isStoppedByOutage({ status, reason, machine }: Head): boolean {
  if (status === 'idle' || status === 'needs-input') return false
  const { faultKind } = machine.context as { faultKind?: unknown }
  return typeof faultKind === 'string' ? isOutageKind(faultKind as FaultKind) : isHeldByOutage(reason ?? '')
}
