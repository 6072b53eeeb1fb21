/**
 * Who is asked before a request leaves, beside the circuit breaker: a rate that many processes keep together, such as
 * `redisLimiter` of `@lastgood/fleet`.
 *
 * 1. It is asked when the breaker lets a session go, never for a probe.
 * 2. It is advice and fails nobody: one that rejects, or does not answer within seconds, lets everybody go.
 */
import type { HealthKey } from './record.ts'
import type { Recovery } from './recovery.ts'

export interface RequestLimiter {
  /** Whether `session` may send to this model of this endpoint now. A session that was told to wait asks again. */
  admit(key: HealthKey, asking: LimiterAsking): Promise<LimiterAnswer>
  /** A request to it failed as it does where too many are sent. Must not throw. */
  refused(key: HealthKey): void
}

export interface LimiterAsking {
  readonly session: string
  /** The model answers again since some minutes, after an outage. */
  readonly recovery: Recovery | undefined
}

export type LimiterAnswer =
  | { readonly kind: 'go' }
  /** Ask again in so many ms; `reason` is for people. */
  | { readonly kind: 'wait'; readonly ms: number; readonly reason: string }
