/**
 * Which faults are an outage of the API, as people mean it. Pure.
 *
 * A session's own faults (credentials, a spend limit, a refused request), a rate limit, a model that is gone and a
 * repaired request are not; see `status/verdict.ts`.
 */
import { heldBy, signOf, type Fault, type FaultKind, type Head, type HeldBecause } from '@lastgood/core'
import { safeLine } from '../text.ts'

type Sign = ReturnType<typeof signOf>
const outageSigns: Readonly<Record<Sign, boolean>> = { failure: true, gone: false, answer: false, unclear: false }

export const isOutageKind = (fault: FaultKind): boolean => outageSigns[signOf({ kind: 'fault', fault })]

/** Nothing is sent to the model: others have found it down. A limit holds requests too, but is no outage. */
const outageHolds: Readonly<Record<HeldBecause, boolean>> = {
  breaker: true,
  server: false,
  comeback: false,
  crowd: false,
  fault: false,
  limiter: false,
}

/** Whether an entry with this `reason` says that an outage keeps the request from its model. */
export function isHeldByOutage(reason: string): boolean {
  const { because, fault } = heldBy(reason)
  return outageHolds[because] && (fault === undefined || isOutageKind(fault))
}

/** Whether an outage stopped a session that does not go on, according to its head. */
export function isStoppedByOutage({ status, reason, machine }: Head): boolean {
  if (status === 'idle' || status === 'needs-input') return false
  const { faultKind } = machine.context as { faultKind?: unknown }
  return typeof faultKind === 'string' ? isOutageKind(faultKind as FaultKind) : isHeldByOutage(reason ?? '')
}

/** `529 overloaded_error`, `ECONNREFUSED (transport)`, `stream-cut`. */
export function faultLabel({ kind, status, errorType, causes }: Fault): string {
  if (status !== undefined && status >= 400) return safeLine(`${status} ${errorType ?? kind}`)
  const cause = causes?.at(-1) ?? errorType
  return safeLine(cause === undefined ? kind : `${cause} (${kind})`)
}
