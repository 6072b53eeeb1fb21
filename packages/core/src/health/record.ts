/**
 * The health record of one model at one endpoint: what all sessions together know about it.
 *
 * 1. It holds instants, counts, kinds of faults and session ids; nothing of a conversation, no credentials.
 * 2. It is bounded: whatever happens, it stays below about 10 KiB.
 */
import { z } from 'zod'
import { newerVersion } from '../errors.ts'
import { faultKindSchema } from '../faults/fault.ts'
import { instantSchema } from '../journal/instant.ts'
import { lazily } from '../lazily.ts'
import { sha256 } from '../sha256.ts'

/** A model at an endpoint: it is up or down as a whole. */
export interface HealthKey {
  /** The base URL of the API; credentials, query and fragment are dropped. */
  readonly endpoint: string
  readonly model: string
}

const count = lazily(() => z.number().int().min(0))
const sighting = lazily(() => z.strictObject({ session: z.string(), at: instantSchema() }))

/** What an open breaker remembers until it closes. */
const trouble = () => ({
  /** When it opened. */
  since: instantSchema(),
  /** Start of the earlier outage, if its sessions were still coming back when this one began: both wait together. */
  waitersSince: instantSchema().optional(),
  /** The fault that opened it, or that of the last probe. */
  cause: faultKindSchema(),
  /** Probes that failed. */
  probes: count(),
  /** The session that failed last: others probe before it, as its own request may be at fault. */
  failedBy: z.string(),
})

const breakerSchema = lazily(() =>
  z.discriminatedUnion('state', [
    z.strictObject({
      state: z.literal('closed'),
      /** Failures in a row, over all sessions. */
      failures: count(),
      /** The last outage: closed at `at`; sessions may have waited since `since`. */
      recovered: z.strictObject({ since: instantSchema(), at: instantSchema() }).optional(),
    }),
    z.strictObject({
      state: z.literal('open'),
      ...trouble(),
      probeAt: instantSchema(),
      /** The session told to ask at exactly `probeAt`. */
      booked: z.string().optional(),
    }),
    z.strictObject({
      state: z.literal('half-open'),
      ...trouble(),
      prober: z.string(),
      startedAt: instantSchema(),
      /** When the prober counts as dead, and another session may probe. */
      until: instantSchema(),
    }),
  ]),
)
export type Breaker = z.infer<ReturnType<typeof breakerSchema>>

export const healthRecordSchema = lazily(() =>
  z.strictObject({
    v: z.literal(1),
    endpoint: z.string(),
    model: z.string(),
    breaker: breakerSchema(),
    /** The server asked all sessions to wait: since when, and until when. */
    held: z.strictObject({ since: instantSchema(), until: instantSchema() }).optional(),
    /** The latest successes of different sessions, newest first. */
    successes: z.array(sighting()).max(4),
    /** The latest 401s and 403s of different sessions, newest first. */
    denials: z.array(sighting()).max(8),
    /** Answers and failures of each minute of the last hour, oldest first; `at` is the minute's first instant. */
    minutes: z.array(z.strictObject({ at: instantSchema(), ok: count(), failed: count() })).max(60),
    lastFault: z.strictObject({ kind: faultKindSchema(), at: instantSchema() }).optional(),
  }),
)
export type HealthRecord = z.infer<ReturnType<typeof healthRecordSchema>>

/**
 * The record as read at `now`: instants written by a host whose clock is ahead are shifted to begin now, with their
 * pauses kept. The same object if nothing lies in the future.
 */
export function asOf(record: HealthRecord, now: number): HealthRecord {
  const { breaker, held, lastFault } = record
  const ahead = { breaker: aheadOf(breaker, lastFault?.at ?? 0, now), held: held ? held.since - now : 0 }
  if (ahead.breaker <= 0 && ahead.held <= 0) return record
  const back = ahead.breaker > 0 ? shifted(breaker, ahead.breaker, now) : breaker
  return {
    ...record,
    breaker: back,
    ...(held && ahead.held > 0 && { held: { since: now, until: held.until - ahead.held } }),
    ...(lastFault && { lastFault: { ...lastFault, at: Math.min(lastFault.at, now) } }),
  }
}

/** How far in the future the breaker's last change lies. */
function aheadOf(breaker: Breaker, faultAt: number, now: number): number {
  if (breaker.state === 'closed') return (breaker.recovered?.at ?? 0) - now
  return (breaker.state === 'half-open' ? breaker.startedAt : Math.max(breaker.since, faultAt)) - now
}

function shifted(breaker: Breaker, by: number, now: number): Breaker {
  if (breaker.state === 'closed') {
    const { recovered } = breaker
    return recovered ? { ...breaker, recovered: { since: recovered.since - by, at: recovered.at - by } } : breaker
  }
  const { since, waitersSince } = breaker
  const trouble = {
    since: Math.min(since, now),
    ...(waitersSince !== undefined && { waitersSince: Math.min(waitersSince, now) }),
  }
  return breaker.state === 'open'
    ? { ...breaker, ...trouble, probeAt: breaker.probeAt - by }
    : { ...breaker, ...trouble, startedAt: breaker.startedAt - by, until: breaker.until - by }
}

/** The record of a model about which nothing is known: all is well. */
export function blankRecord({ endpoint, model }: HealthKey): HealthRecord {
  return {
    v: 1,
    endpoint,
    model,
    breaker: { state: 'closed', failures: 0 },
    successes: [],
    denials: [],
    minutes: [],
  }
}

/** The record in a shared value; undefined if it is none, and may be replaced. Throws if a newer release wrote it. */
export function parseHealthRecord(value: unknown): HealthRecord | undefined {
  const { data } = healthRecordSchema().safeParse(value)
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined
  if (!data && typeof version === 'number' && version > 1) throw newerVersion('a health record', version, 1)
  return data
}

/** `key` with an endpoint that may be shown and stored: only origin and path. */
export function cleanKey({ endpoint, model }: HealthKey): HealthKey {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  // A text that is not a URL could be a secret.
  return { endpoint: url ? `${url.origin}${url.pathname}`.replace(/\/+$/, '') : 'unknown', model: model.slice(0, 200) }
}

/** The prefix of all health records' keys. */
export const healthPrefix = 'health:'

/** The prefix of the keys of an endpoint's records. */
export function endpointPrefix({ endpoint }: HealthKey): string {
  return `${healthPrefix}${keyPart(endpoint.replace(/^https:\/\//, ''))}|`
}

/** The key of the shared record. `key` must be clean. */
export function sharedKeyOf(key: HealthKey): string {
  return `${endpointPrefix(key)}${keyPart(key.model)}`
}

/** The text itself if it can be a key; otherwise a legible part of it and a hash. */
function keyPart(text: string): string {
  const legible = text.replaceAll(/[^A-Za-z0-9.:@_-]/g, '_').slice(0, 60)
  if (legible === text && text !== '') return text
  return `${legible}@${sha256(text).slice(0, 12)}`
}
