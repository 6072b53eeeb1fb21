/**
 * Which faults are an outage of the API, as people mean it. Pure.
 *
 * What is a session's own (credentials, a spend limit, a refused request), a rate limit, a model that is gone and a
 * repaired request are faults, and none of these; see `status/verdict.ts`.
 */
import type { FaultKind, Head } from '@lastgood/core'

const kinds: ReadonlySet<string> = new Set<FaultKind>([
  'server-transient',
  'overloaded',
  'compaction-unavailable',
  'transport',
  'stream-cut',
  'stream-truncated',
  'stream-stalled',
  'bad-gateway',
  'auth-outage',
])

export const isOutageKind = (kind: string): boolean => kinds.has(kind)

/** Whether a session that does not go on was stopped by an outage, as its head says. */
export function isStoppedByOutage({ status, machine }: Head): boolean {
  if (status === 'idle' || status === 'needs-input') return false
  const { faultKind, firstFaultAt } = machine.context as { faultKind?: unknown; firstFaultAt?: unknown }
  if (typeof faultKind === 'string') return isOutageKind(faultKind)
  // Nothing was sent: the breaker held it.
  return typeof firstFaultAt === 'number'
}
