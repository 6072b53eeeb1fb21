/**
 * The rate that a fleet keeps for one model of an endpoint, as arithmetic: tokens that grow with time, and numbered
 * tickets. `commands/take.lua` does the same on the server, operation by operation; the simulation uses this one.
 *
 * 1. Ticket n goes once n tokens have grown: first come, first served. A session has one ticket; if it asks too early,
 *    it is told when its turn is likely to be. A ticket that is never claimed costs one token. Who comes later than
 *    `savedSeconds` after its turn has lost it: a crowd that comes late together is no burst.
 * 2. The rate is the configured limit or, after an outage, that of the ramp, whichever is lower.
 * 3. The ramp begins at a hundredth of the usual rate. While its tokens are used and requests succeed it doubles every
 *    step up to the usual rate, then grows by a tenth a step, at first to at most half above it (`boundMs`). A step
 *    with more than a tenth of its requests refused lowers the rate to the share that was not, and it grows by a tenth
 *    from there. If that does not help, the load is not the cause, and that share of refusals is tolerated. If the
 *    outage comes back before the ramp is over, the next ramp doubles up to half of what this one had reached.
 * 4. The ramp is over after a whole step in which no request had to wait, once the sessions are back (`herdMs`) or the
 *    rate is at its bound.
 */

export interface Bucket {
  /** Tokens that have grown, and tickets that were given out, since the bucket was made. */
  readonly tokens: number
  readonly tickets: number
  /** The instant up to which tokens have been counted (ms). */
  readonly at: number
  readonly ramp: Ramp | undefined
}

export interface Ramp {
  /** The recovery that it belongs to: when the breaker closed. */
  readonly id: number
  readonly isOver: boolean
  readonly startedAt: number
  /** Requests a second. */
  readonly rate: number
  /** The rate doubles up to here. */
  readonly doublesTo: number
  /** The highest rate at first; `endless` if the usual rate is unknown. */
  readonly bound: number
  /** The share of refused requests that does not count. */
  readonly tolerated: number
  /** The share refused when the rate was last lowered, until it is known whether that helped; else 0. */
  readonly lowered: number
  /** Refusals of requests that left before the rate was lowered are still coming. */
  readonly settles: boolean
  readonly stepAt: number
  /** In this step: requests granted, requests refused, and whether any had to wait. */
  readonly granted: number
  readonly refused: number
  readonly waited: boolean
}

export interface Taking {
  /** In ms, by one clock for all. */
  readonly now: number
  /** The ticket that the session has. */
  readonly ticket: number | undefined
  /** Requests a second, as configured; 0 for none. */
  readonly limit: number
  /** The last recovery known here; `at` 0 for none. */
  readonly recovery: { readonly at: number; readonly usual: number }
  /** Refused requests that were not reported yet. */
  readonly refused: number
}

export type Taken =
  /** `isOver`: the ramp of this recovery no longer holds anything back. */
  | { readonly kind: 'go'; readonly isOver: boolean }
  | { readonly kind: 'wait'; readonly ms: number; readonly ticket: number; readonly isRamp: boolean }

const stepMs = 2000
const leastRate = 2
const firstShare = 0.01
const creep = 1.1
const aboveUsual = 1.5
const refusedShare = 0.1
/** Fewer refusals than this are chance. */
const fewRefused = 20
/** A lower rate has helped if at most this part of the earlier share is still refused. */
const helpedShare = 0.5
const toleratedMore = 1.25
/** For this long, sessions that waited out the outage are still coming: the breaker tells them to come within 40 s. */
const herdMs = 45_000
/** The assumed usual rate may be too low: after this, only refusals bound the rate. */
const boundMs = 120_000
/** Tokens that may lie unused, or wait for those whose turn it was, in seconds of the rate. */
const savedSeconds = 5
/** Tokens that may lie unused during a ramp, likewise. */
const rampBurst = 0.1
const longestWaitMs = 60_000
/** Instead of Infinity: a number that the server can store. */
const endless = 1e300

/** `lapsed`: tickets below it are void. */
export function take(before: Bucket | undefined, taking: Taking): { bucket: Bucket; taken: Taken; lapsed: number } {
  const { now, limit } = taking
  const started = begun(onClock(before ?? { tokens: 0, tickets: 0, at: 0, ramp: undefined }, now), taking)
  // The tokens up to now grew at the rate of the step that may end now.
  const rate = rateOf(started.ramp, limit)
  const ramp = started.ramp && stepped(started.ramp, taking)
  if (rateOf(ramp, limit) === 0) {
    return { bucket: { ...started, at: now, ramp }, taken: { kind: 'go', isOver: true }, lapsed: 0 }
  }

  const isRamp = ramp !== undefined && !ramp.isOver
  const saved = Math.max(1, rate * savedSeconds)
  const burst = isRamp ? Math.max(1, rate * rampBurst) : saved
  const grown = started.tokens + (rate * (now - started.at)) / 1000
  const tokens = Math.min(grown, started.tickets + burst)
  const lapsed = tokens - saved
  const { ticket: own = 0 } = taking
  const isNew = own === 0 || own < lapsed || own > started.tickets
  const tickets = isNew ? started.tickets + 1 : started.tickets
  const ticket = isNew ? tickets : own
  const goes = ticket <= tokens
  const bucket = { tokens, tickets, at: now, ramp: ramp && counted(ramp, goes) }
  if (goes) return { bucket, taken: { kind: 'go', isOver: !isRamp }, lapsed }
  const ms = Math.min(longestWaitMs, Math.ceil(untilGrown(ticket - tokens, ramp, limit, now)) + 1)
  return { bucket, taken: { kind: 'wait', ms, ticket, isRamp }, lapsed }
}

/** After a fail-over to a server whose clock is behind, time continues from that clock. */
function onClock(bucket: Bucket, now: number): Bucket {
  if (now >= bucket.at) return bucket
  const { ramp } = bucket
  const { startedAt = 0, stepAt = 0 } = ramp ?? {}
  return {
    ...bucket,
    at: now,
    ramp: ramp && { ...ramp, startedAt: Math.min(startedAt, now), stepAt: Math.min(stepAt, now) },
  }
}

/** The bucket with the ramp of a recovery that is new here. The tokens of its idle time are not given away. */
function begun(bucket: Bucket, { now, recovery: { at, usual } }: Taking): Bucket {
  const last = bucket.ramp
  if (at <= (last?.id ?? 0)) return bucket
  const known = usual > 0 ? usual : endless
  const reached = last === undefined || last.isOver ? endless : Math.max(leastRate, last.rate / 2)
  const bound = Math.min(endless, known * aboveUsual)
  const ramp: Ramp = {
    id: at,
    isOver: bound <= leastRate,
    startedAt: now,
    rate: Math.max(leastRate, usual * firstShare),
    doublesTo: Math.min(known, reached),
    bound,
    tolerated: refusedShare,
    lowered: 0,
    settles: false,
    stepAt: now,
    granted: 0,
    refused: 0,
    waited: false,
  }
  return { ...bucket, tokens: Math.min(bucket.tokens, bucket.tickets + 1), at: now, ramp }
}

function stepped(ramp: Ramp, { now, refused: more }: Taking): Ramp {
  if (ramp.isOver) return ramp
  const refused = ramp.refused + more
  if (now < ramp.stepAt + stepMs) return { ...ramp, refused }
  const { granted, rate, waited, doublesTo } = ramp
  const next = { ...ramp, stepAt: now, granted: 0, refused: 0, waited: false, settles: false }
  if (ramp.settles) return next
  const share = Math.min(1, refused / Math.max(1, granted))
  const { tolerated } = ramp
  if (ramp.lowered > 0 && share > ramp.lowered * helpedShare) {
    return { ...next, tolerated: Math.min(1, Math.max(tolerated, share * toleratedMore)), lowered: 0 }
  }
  if (share > tolerated && refused >= fewRefused) {
    return { ...next, rate: Math.max(leastRate, rate / 8, rate * (1 - share)), lowered: share, settles: true }
  }
  const isUsed = waited || granted * 1000 >= (rate * stepMs) / 2
  const areBack = now >= ramp.startedAt + herdMs || rate >= ramp.bound
  const slower = ramp.lowered > 0 ? { ...next, doublesTo: Math.min(doublesTo, rate), lowered: 0 } : next
  return { ...slower, isOver: !waited && areBack, rate: isUsed ? nextRate(slower, rate, now) : rate }
}

function nextRate({ doublesTo, bound, startedAt }: Ramp, rate: number, now: number): number {
  const next = rate < doublesTo ? Math.min(doublesTo, rate * 2) : rate * creep
  return now < startedAt + boundMs ? Math.min(bound, next) : next
}

function counted(ramp: Ramp, goes: boolean): Ramp {
  return goes ? { ...ramp, granted: ramp.granted + 1 } : { ...ramp, waited: true }
}

/** 0 for none. */
function rateOf(ramp: Ramp | undefined, limit: number): number {
  if (ramp === undefined || ramp.isOver) return limit
  return limit > 0 ? Math.min(limit, ramp.rate) : ramp.rate
}

/** The ms until `tokens` more have grown, if nothing is refused. */
function untilGrown(tokens: number, ramp: Ramp | undefined, limit: number, now: number): number {
  if (ramp === undefined || ramp.isOver) return (tokens * 1000) / limit
  let [left, rate, ms, endsIn] = [tokens, ramp.rate, 0, Math.max(0, ramp.stepAt + stepMs - now)]
  while (ms < longestWaitMs) {
    const real = limit > 0 ? Math.min(limit, rate) : rate
    const grows = (real * endsIn) / 1000
    if (left <= grows) return ms + (left * 1000) / real
    left = left - grows
    ms = ms + endsIn
    endsIn = stepMs
    rate = nextRate(ramp, rate, now)
  }
  return ms
}
