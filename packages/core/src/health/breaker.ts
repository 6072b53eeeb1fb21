/**
 * The circuit breaker that all sessions of a store share, one for each model of an endpoint. Pure: `report` takes what
 * a session observed, `admit` says whether a session may send; both return the next record.
 *
 * 1. It opens after `openAfter` failures in a row, of any sessions, without an answer in between: a full outage opens
 *    it, a partial one does not. If a hundred requests or more are answered each second, five failures in a row soon
 *    happen by chance, and processes report answers late: then it also takes a second without an answer. Refusals by
 *    the front door or because of the request (4xx) neither open nor close it, except an outage of the login, which
 *    hits everybody.
 * 2. While it is open, one session at a time has the probe. Its answer, or any session's to a request sent since the
 *    breaker opened, closes it; its failure opens it again with the next back-off. A session that dies with the probe
 *    loses it after `leaseMs`.
 * 3. A session that failed does not probe while another could: its own request may be at fault.
 * 4. Hosts have their own clocks: instants written by one that is ahead hold nobody longer than intended.
 *
 * Who waits, and until when. Each waiter has one draw r in [0, 1), the same each time.
 * - One waiter is booked for exactly `probeAt`, so that a lone session loses nothing by all this. The others are told
 *   probeAt + lag + r * ramp: by then the probe has usually ended, so a waiter asks once for each probe.
 * - ramp is as long as the breaker has been open, at most `rampMs`; lag the same, at most `lagMs`. A short outage has
 *   few waiters, and they come back soon; after a long one all of them come, spread over the whole `rampMs`. If it
 *   opens again while they come, the rest keep waiting: for them it has been open all the time.
 * - A waiter that asks while the probe still runs waits again, at least as long as the probe has run: the number of
 *   waits grows with the logarithm of a probe's length.
 * - After the breaker closes, waiters go from closedAt + r * ramp on; most find that instant passed when they ask. So N
 *   waiters come at N / ramp a second, on top of those that already work again. With steps of S seconds, N sessions send
 *   N / S a second at most, so the peak is 1 + S / ramp of that: below twice for steps of up to `rampMs`.
 */
import type { FaultKind } from '../faults/fault-kinds.ts'
import { heldReasons } from './held.ts'
import { type Outcome, noted, signOf } from './notes.ts'
import { goneProbeMs, probePause } from './probe-pause.ts'
import { type Breaker, type HealthKey, type HealthRecord, asOf, blankRecord } from './record.ts'
import { isBusy } from './recovery.ts'

export type Admission =
  | { readonly kind: 'go' }
  /** Send, as the probe, and report the outcome. The probe is this session's until `until`. */
  | { readonly kind: 'probe'; readonly until: number }
  /** Ask again at `until` (epoch ms). */
  | {
      readonly kind: 'wait'
      readonly until: number
      readonly reason: string
      /** Why the model is down; undefined for a pause that all of its sessions take. */
      readonly cause: FaultKind | undefined
    }

/** One session that asks or reports. */
interface Asking {
  readonly session: string
  /** Epoch ms. */
  readonly now: number
  /** Uniform in [0, 1). For `admit`, the same each time the same waiter asks. */
  readonly random: number
}

const second = 1000
const minute = 60 * second
/** Failures in a row that open it. */
const openAfter = 5
/** The time over which waiting sessions come back. */
const rampMs = 30 * second
/** How long a probe may take before the others ask for its result. */
const lagMs = 10 * second
/** After how long a probe without a result goes to another session. */
const leaseMs = 10 * minute
const silenceMs = second
/** A longer `retry-after` is a limit of one session's account rather than momentary pressure. */
const longestHoldMs = 10 * minute

/** The record after `outcome`. `probeFactor` multiplies the pause before the next probe. */
export function report(
  record: HealthRecord | undefined,
  { key, session, outcome, now, random }: Asking & { readonly key: HealthKey; readonly outcome: Outcome },
  probeFactor = 1,
): HealthRecord {
  const before = record ? asOf(record, now) : blankRecord(key)
  const after = noted(before, session, outcome, now)
  const breaker = next(before, outcome, { session, now, random }, probeFactor)
  return { ...after, breaker, ...holdOf(before, outcome, now) }
}

/** The record after answers reported late. They count, and end a row of earlier failures, but close no breaker. */
export function reportLate(
  record: HealthRecord | undefined,
  key: HealthKey,
  answers: readonly { readonly session: string; readonly at: number }[],
): HealthRecord {
  const before = record ?? blankRecord(key)
  const after = answers.reduce((sum, { session, at }) => noted(sum, session, { kind: 'ok' }, at), before)
  const { breaker, lastFault } = before
  const ended = breaker.state === 'closed' && answers.some(({ at }) => at > (lastFault?.at ?? 0))
  return ended ? { ...after, breaker: { ...breaker, failures: 0 } } : after
}

/** Whether `session` may send now. The record is the same object if nothing changed. */
export function admit(
  before: HealthRecord | undefined,
  { session, now, random, waited }: Asking & { readonly waited: boolean },
): { admission: Admission; record: HealthRecord | undefined } {
  const record = before && asOf(before, now)
  const down = record && record.breaker.state !== 'closed' ? record.breaker.cause : undefined
  const wait = (until: number, reason: string) =>
    ({ kind: 'wait', until: Math.ceil(until), reason, cause: down }) as const
  if (!record) return { admission: { kind: 'go' }, record }
  const { breaker, held, model } = record

  if (held && held.until > now) {
    const until = held.until + random * Math.min(rampMs, held.until - held.since)
    return { admission: wait(until, heldReasons.server(model, time(held.until))), record }
  }
  if (breaker.state === 'closed') {
    const { at = now, since = now } = breaker.recovered ?? {}
    const until = waited ? at + random * Math.min(rampMs, at - since) : now
    if (until <= now) return { admission: { kind: 'go' }, record }
    return { admission: wait(until, heldReasons.comeback(model, time(at))), record }
  }

  const upTo = breaker.state === 'open' ? breaker.probeAt : now
  const waitersMs = upTo - (breaker.waitersSince ?? breaker.since)
  const delay = Math.min(lagMs, upTo - breaker.since) + random * Math.min(rampMs, waitersMs)
  const ill = heldReasons.breaker(model, breaker.cause)
  const probing = (): { admission: Admission; record: HealthRecord } => {
    const until = now + leaseMs
    const halfOpen = { state: 'half-open', ...troubleOf(breaker), prober: session, startedAt: now, until } as const
    return { admission: { kind: 'probe', until }, record: { ...record, breaker: halfOpen } }
  }

  if (breaker.state === 'half-open') {
    if (breaker.prober === session || now >= breaker.until) return probing()
    return { admission: wait(now + Math.max(delay, now - breaker.startedAt), `${ill}; a probe is under way`), record }
  }
  const { probeAt, booked, failedBy } = breaker
  if (now < probeAt) {
    const mine = booked === session || booked === undefined || booked === failedBy
    if (!mine) return { admission: wait(probeAt + delay, ill), record }
    const own = booked === session ? record : { ...record, breaker: { ...breaker, booked: session } }
    return { admission: wait(probeAt, ill), record: own }
  }
  const yields = session === failedBy && booked !== undefined && booked !== session && now < probeAt + delay
  return yields ? { admission: wait(probeAt + delay, ill), record } : probing()
}

/** Whether neither another answer nor an admission changes the breaker. Sessions may still be coming back. */
export function isSettled(record: HealthRecord | undefined, now: number): boolean {
  if (!record) return true
  const { breaker, held } = record
  return breaker.state === 'closed' && breaker.failures === 0 && !(held && held.until > now)
}

/** Whether `admit` lets every session go. */
export function isCalm(record: HealthRecord | undefined, now: number): boolean {
  const recovered = record?.breaker.state === 'closed' ? record.breaker.recovered : undefined
  return isSettled(record, now) && (recovered === undefined || recovered.at + rampMs <= now)
}

function next(record: HealthRecord, outcome: Outcome, { session, now, random }: Asking, probeFactor: number): Breaker {
  const { breaker, successes } = record
  if (outcome.kind === 'abandoned') {
    const isProbe = breaker.state === 'half-open' && breaker.prober === session
    if (!isProbe) return breaker
    return { state: 'open', ...troubleOf(breaker), probeAt: now }
  }
  const sign = signOf(outcome)
  if (outcome.kind === 'ok' || sign === 'answer') {
    if (breaker.state === 'closed') return { ...breaker, failures: 0 }
    // In an outage, new requests are often refused while those under way still succeed.
    if ((outcome.sentAt ?? now) < breaker.since) return breaker
    return { state: 'closed', failures: 0, recovered: { since: breaker.waitersSince ?? breaker.since, at: now } }
  }
  const opened = (since: number, probes: number, waitersSince?: number): Breaker => ({
    state: 'open',
    since,
    ...(waitersSince !== undefined && { waitersSince }),
    cause: outcome.fault,
    probes,
    failedBy: session,
    probeAt: now + probeFactor * (sign === 'gone' ? goneProbeMs : probePause(record, { probes, since, now, random })),
  })
  switch (breaker.state) {
    case 'closed': {
      if (sign === 'unclear') return breaker
      // If another session was recently answered, the model is gone for this one only: it lacks a permission.
      if (sign === 'gone') {
        const there = successes.some((one) => one.session !== session && one.at > now - goneProbeMs)
        return there ? breaker : opened(now, 0)
      }
      const failures = breaker.failures + 1
      if (failures < openAfter || isAnswering(record, now)) return { ...breaker, failures }
      const { recovered } = breaker
      const areComing = recovered && now < recovered.at + Math.min(rampMs, recovered.at - recovered.since)
      return opened(now, 0, areComing ? recovered.since : undefined)
    }
    case 'half-open': {
      if (breaker.prober !== session) return breaker
      // The probe learned nothing: the next session to ask may probe at once.
      if (sign === 'unclear') return { state: 'open', ...troubleOf(breaker), failedBy: session, probeAt: now }
      return opened(breaker.since, breaker.probes + 1, breaker.waitersSince)
    }
    case 'open':
      return breaker
  }
}

/** Whether the model is busy and answered a moment ago. */
function isAnswering(record: HealthRecord, now: number): boolean {
  const [newest] = record.successes
  return newest !== undefined && now < newest.at + silenceMs && isBusy(record, now)
}

type Trouble = Pick<Breaker & { state: 'open' }, 'since' | 'waitersSince' | 'cause' | 'probes' | 'failedBy'>

function troubleOf({ since, waitersSince, cause, probes, failedBy }: Trouble): Trouble {
  return { since, ...(waitersSince !== undefined && { waitersSince }), cause, probes, failedBy }
}

function holdOf({ held }: HealthRecord, outcome: Outcome, now: number): Pick<HealthRecord, 'held'> {
  if (outcome.kind !== 'fault' || outcome.fault !== 'rate-limited') return {}
  const { retryAfterMs = 0 } = outcome
  if (!(retryAfterMs > 0 && retryAfterMs <= longestHoldMs)) return {}
  const live = held && held.until > now ? held : { since: now, until: now }
  return { held: { since: live.since, until: Math.max(live.until, now + retryAfterMs) } }
}

function time(instant: number): string {
  return new Date(instant).toISOString()
}
