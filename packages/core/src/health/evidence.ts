/** Questions to the health records: is it me, is it everybody, is it this model alone? Pure. */
import type { HealthKey, HealthRecord } from './record.ts'

/** What other sessions saw. */
export interface Evidence {
  /** Another session was answered by this model since the instant asked for. */
  readonly othersSucceed: boolean
  /** How many other sessions got a 401 or 403 of this endpoint, whatever the model, in the last 5 minutes (up to 8 a model). */
  readonly othersDenied: number
  /** How many other models of this endpoint do not answer: their breaker is not closed. */
  readonly elsewhereFails: number
}

/** Denials that are older have nothing to do with each other. */
const deniedWithinMs = 5 * 60_000

export interface Question {
  readonly key: HealthKey
  readonly session: string
  /** Epoch ms. */
  readonly now: number
  /** Successes after this instant (epoch ms) count. */
  readonly since: number
}

export function evidence(records: readonly HealthRecord[], { key, session, now, since }: Question): Evidence {
  const here = records.filter(({ endpoint }) => endpoint === key.endpoint)
  const denials = here.flatMap((record) => record.denials)
  const denied = denials.filter((one) => one.session !== session && one.at > now - deniedWithinMs)
  return {
    othersSucceed: here
      .filter(({ model }) => model === key.model)
      .some(({ successes }) => successes.some((one) => one.session !== session && one.at > since)),
    othersDenied: new Set(denied.map((one) => one.session)).size,
    elsewhereFails: here.filter(({ model, breaker }) => model !== key.model && breaker.state !== 'closed').length,
  }
}

/** A health record in a few numbers, for people. */
export interface HealthSummary extends HealthKey {
  readonly state: HealthRecord['breaker']['state']
  /** Since when it is not closed (epoch ms). */
  readonly since?: number
  /** The next probe, when the breaker is open; the end of a hold that the server asked for (epoch ms). */
  readonly nextAt?: number
  /** Of the last 10 minutes. */
  readonly ok: number
  readonly failed: number
  /** failed / (ok + failed); undefined when nothing happened. */
  readonly errorRate?: number
  readonly lastFault?: NonNullable<HealthRecord['lastFault']>
}

const summaryMs = 10 * 60_000

export function healthSummary(record: HealthRecord, now: number): HealthSummary {
  const { endpoint, model, breaker, held, lastFault } = record
  const recent = record.minutes.filter(({ at }) => at > now - summaryMs)
  const [ok, failed] = [sum(recent.map((one) => one.ok)), sum(recent.map((one) => one.failed))]
  const nextAt = breaker.state === 'open' ? breaker.probeAt : held && held.until > now ? held.until : undefined
  return {
    endpoint,
    model,
    state: breaker.state,
    ...(breaker.state !== 'closed' && { since: breaker.since }),
    ...(nextAt !== undefined && { nextAt }),
    ok,
    failed,
    ...(ok + failed > 0 && { errorRate: failed / (ok + failed) }),
    ...(lastFault && { lastFault }),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
