/**
 * Health that also asks a limiter: a session that the breaker lets go may still have to wait for the limiter.
 *
 * 1. A probe is never limited: all sessions wait for its result.
 * 2. A limiter that rejects, or gives no answer within `patienceMs`, is not asked for some seconds; meanwhile all
 *    sessions may go. So may a session that is told to wait until an invalid instant.
 * 3. A session that waits for the limiter has passed the breaker, whose staggered start does not hold it again.
 */
import type { Clock } from '../clock.ts'
import { inTime } from '../in-time.ts'
import { isInstant } from '../journal/instant.ts'
import type { LimiterAnswer, LimiterAsking, RequestLimiter } from './request-limiter.ts'
import type { Health } from './health.ts'
import { type Outcome, signOf } from './notes.ts'
import { type HealthKey, cleanKey } from './record.ts'

const patienceMs = 2000
const aloneMs = 5000
/** Until when a limiter is not asked, by `elapsed()`, by any session of this process. */
const aloneUntil = new WeakMap<RequestLimiter, number>()

/** For one session: it remembers which of its requesters wait. Without a limiter it is `health` itself. */
export function limitedHealth(health: Health, limiter: RequestLimiter | undefined, clock: Clock): Health {
  if (!limiter) return health
  const waiting = new Set<string>()

  const answerOf = async (key: HealthKey, asking: LimiterAsking): Promise<LimiterAnswer> => {
    if (clock.elapsed() < (aloneUntil.get(limiter) ?? -Infinity)) return { kind: 'go' }
    try {
      return await inTime(clock, patienceMs, async () => limiter.admit(key, asking))
    } catch {
      aloneUntil.set(limiter, clock.elapsed() + aloneMs)
      return { kind: 'go' }
    }
  }

  return {
    ...health,

    async admit(key, session, asking) {
      const hasPassed = waiting.delete(session)
      const admission = await health.admit(key, session, { ...asking, waited: asking.waited && !hasPassed })
      if (admission.kind !== 'go') return admission
      const answer = await answerOf(cleanKey(key), { session, recovery: health.recovery(key) })
      if (answer.kind === 'go') return admission
      const { ms, reason } = answer
      const until = Math.ceil(clock.now() + ms)
      if (!isInstant(until)) return admission
      waiting.add(session)
      return { kind: 'wait', until, reason, cause: undefined }
    },

    report(key, session, outcome) {
      // Only advice, as above.
      if (isRefusal(outcome)) (async () => limiter.refused(cleanKey(key)))().catch(() => {})
      return health.report(key, session, outcome)
    },
  }
}

function isRefusal(outcome: Outcome): boolean {
  return signOf(outcome) === 'failure' || (outcome.kind === 'fault' && outcome.fault === 'rate-limited')
}
