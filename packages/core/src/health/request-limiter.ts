/**
 * A limiter that is asked before a request leaves, besides the circuit breaker: it keeps a rate common to many
 * processes, as `redisLimiter` of `@lastgood/fleet` does.
 *
 * 1. It is asked when the breaker lets a session go, never for a probe.
 * 2. It is advice and fails no request: one that rejects, or does not answer within seconds, lets all sessions go.
 */
import type { HealthKey } from './record.ts'
import type { Recovery } from './recovery.ts'

export interface RequestLimiter {
  /** Whether `session` may send to this model of this endpoint now. A session that was told to wait asks again. */
  admit(key: HealthKey, asking: LimiterAsking): Promise<LimiterAnswer>
  /** A request to it failed as if too many were being sent. What it returns, throws or rejects with is ignored. */
  refused(key: HealthKey): unknown
}

export interface LimiterAsking {
  readonly session: string
  /** Set for some minutes after an outage, once the model answers again. */
  readonly recovery: Recovery | undefined
}

export type LimiterAnswer =
  | { readonly kind: 'go' }
  /** Ask again in `ms`; `reason` is for people. */
  | { readonly kind: 'wait'; readonly ms: number; readonly reason: string }
