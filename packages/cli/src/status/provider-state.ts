/** One model at one endpoint, as requests from here found it: a health record, in numbers for people. Pure. */
import type { FaultKind, HealthRecord } from '@lastgood/core'
import type { Count } from '@lastgood/dashboard'

export interface ProviderState {
  readonly endpoint: string
  readonly model: string
  readonly breaker: HealthRecord['breaker']['state']
  /** It does not answer, by recent tries. An open breaker that nobody tried for an hour describes the past. */
  readonly isDown: boolean
  /** The fault that opened the breaker, or that of its last probe. */
  readonly cause: FaultKind | undefined
  /** Since when the breaker is not closed, and its next probe, if none is under way; epoch ms. */
  readonly downSince: number | undefined
  readonly nextProbeAt: number | undefined
  /** The server asked everybody to wait until then: a rate limit, not an outage. */
  readonly heldUntil: number | undefined
  readonly last10Min: Count
  readonly lastHour: Count
  readonly lastFault: { readonly kind: FaultKind; readonly at: number } | undefined
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export function providerState(record: HealthRecord, now: number): ProviderState {
  const { endpoint, model, breaker, held, lastFault } = record
  const isOpen = breaker.state !== 'closed'
  const nextProbeAt = breaker.state === 'open' ? breaker.probeAt : undefined
  const wasTried = now - (lastFault?.at ?? 0) < hourMs || (nextProbeAt ?? 0) > now
  return {
    endpoint,
    model,
    breaker: breaker.state,
    isDown: isOpen && wasTried,
    cause: isOpen ? breaker.cause : undefined,
    downSince: isOpen ? breaker.since : undefined,
    nextProbeAt,
    heldUntil: held && held.until > now ? held.until : undefined,
    last10Min: countSince(record, now - 10 * minuteMs),
    lastHour: countSince(record, now - hourMs),
    lastFault,
  }
}

export function countSince({ minutes }: HealthRecord, instant: number): Count {
  const recent = minutes.filter(({ at }) => at > instant)
  return {
    answered: recent.reduce((sum, { ok }) => sum + ok, 0),
    failed: recent.reduce((sum, { failed }) => sum + failed, 0),
  }
}
