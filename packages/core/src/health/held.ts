/**
 * Why a request is held, or goes to another rung before it was sent, as the `reason` of its entry says it. Pure.
 *
 * 1. These sentences are written and recognised here alone. A field would need a new journal version, and the head, the
 *    change of a rung and a suspension repeat the sentence.
 * 2. They are recognised also as earlier releases wrote them. What is not recognised is a limiter's own.
 */
import { faultKinds, type FaultKind } from '../faults/fault-kinds.ts'

export const heldReasons = {
  breaker: (model: string, fault: FaultKind) => `circuit breaker open for ${model} (${fault})`,
  server: (model: string, until: string) => `rate limit of ${model} until ${until}, as the server asked`,
  comeback: (model: string, since: string) => `${model} has answered again since ${since}; sessions start one by one`,
  crowd: (model: string) => `many sessions are asking for ${model} right now`,
} as const

const anyKind = `(${faultKinds.join('|')})`
/** The breaker's comes last: a suspension quotes it, and a model may be called anything. */
const recognised = {
  /** The server asked all sessions to wait. */
  server: /^rate limit of .* until .*, as the server asked$/s,
  /** The model answers again, and sessions start staggered. */
  comeback: / has answered again since .*; sessions start one by one$/s,
  /** Too many sessions asked at the same instant. */
  crowd: /^many sessions are asking for .* right now$/s,
  /** The session's own wait after a fault, cut short because the clock had been ahead. */
  fault: new RegExp(`^(?:\\d+ )?${anyKind}$`),
  /** The model is down; one session probes for all. */
  breaker: new RegExp(`(?:^|\\()circuit breaker open(?:.*\\(${anyKind}\\))?`, 's'),
} as const

export type HeldBecause = keyof typeof recognised | 'limiter'

/** What `reason` of an entry or a head says; `fault`: what was wrong, where that is known. */
export function heldBy(reason: string): { because: HeldBecause; fault?: FaultKind } {
  for (const [because, words] of Object.entries(recognised)) {
    const found = words.exec(reason)
    const fault = found?.[1] as FaultKind | undefined
    if (found) return { because: because as HeldBecause, ...(fault && { fault }) }
  }
  return { because: 'limiter' }
}
