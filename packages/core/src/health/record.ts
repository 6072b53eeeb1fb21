/**
 * The health record of one model at one endpoint: what all sessions together know of it.
 *
 * 1. It holds instants, counts, kinds of faults and session ids; nothing of a conversation, no credentials.
 * 2. It is bounded: whatever happens, it stays below some 10 KiB.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { newerVersion } from '../errors.ts'
import { faultKindSchema } from '../faults/fault.ts'
import { instantSchema } from '../journal/instant.ts'
import { lazily } from '../lazily.ts'

/** What is well or ill as a whole. */
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
  /** Since when sessions may wait together, where that is longer: those of the last time were still coming back. */
  waitersSince: instantSchema().optional(),
  /** The fault that opened it, or of the last probe. */
  cause: faultKindSchema(),
  /** Probes that failed. */
  probes: count(),
  /** The session that failed last: others probe before it, because the fault may be in its request. */
  failedBy: z.string(),
})

const breakerSchema = lazily(() =>
  z.discriminatedUnion('state', [
    z.strictObject({
      state: z.literal('closed'),
      /** Failures in a row, over all sessions. */
      failures: count(),
      /** The last time it was open; `since`: from when sessions may have waited together. */
      recovered: z.strictObject({ since: instantSchema(), at: instantSchema() }).optional(),
    }),
    z.strictObject({
      state: z.literal('open'),
      ...trouble(),
      probeAt: instantSchema(),
      /** The session that was told to come at `probeAt` sharp. */
      booked: z.string().optional(),
    }),
    z.strictObject({
      state: z.literal('half-open'),
      ...trouble(),
      prober: z.string(),
      startedAt: instantSchema(),
      /** When another session may probe, because the prober is taken for dead. */
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
    /** The server asked everybody to wait: since when it says so, and until when. */
    held: z.strictObject({ since: instantSchema(), until: instantSchema() }).optional(),
    /** The last successes of different sessions, newest first. */
    successes: z.array(sighting()).max(4),
    /** The last 401s and 403s of different sessions, newest first. */
    denials: z.array(sighting()).max(8),
    /** Answers and failures of each minute of the last hour, oldest first; `at` is the minute's first instant. */
    minutes: z.array(z.strictObject({ at: instantSchema(), ok: count(), failed: count() })).max(60),
    lastFault: z.strictObject({ kind: faultKindSchema(), at: instantSchema() }).optional(),
  }),
)
export type HealthRecord = z.infer<ReturnType<typeof healthRecordSchema>>

/**
 * The record as it is to be read at `now`: what was written under a clock that is ahead begins now, with the pauses that
 * it had. The same object where nothing lies in the future.
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

/** How far in the future its last change lies. */
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

/** All is well, as far as anybody knows. */
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

/** The record in a shared value; undefined when it is none, and may be replaced. Throws when a newer release wrote it. */
export function parseHealthRecord(value: unknown): HealthRecord | undefined {
  const { data } = healthRecordSchema().safeParse(value)
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined
  if (!data && typeof version === 'number' && version > 1) throw newerVersion('a health record', version, 1)
  return data
}

/** `key` with an endpoint that may be shown and stored: origin and path alone. */
export function cleanKey({ endpoint, model }: HealthKey): HealthKey {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  // What is no URL cannot be told from a secret.
  return { endpoint: url ? `${url.origin}${url.pathname}`.replace(/\/+$/, '') : 'unknown', model: model.slice(0, 200) }
}

/** What the keys of all shared health records begin with. */
export const healthPrefix = 'health:'

/** What the keys of an endpoint's records begin with. */
export function endpointPrefix({ endpoint }: HealthKey): string {
  return `${healthPrefix}${keyPart(endpoint.replace(/^https:\/\//, ''))}|`
}

/** The key of the shared record. `key` must be clean. */
export function sharedKeyOf(key: HealthKey): string {
  return `${endpointPrefix(key)}${keyPart(key.model)}`
}

/** Legible where it can be; with a hash where letters had to go. */
function keyPart(text: string): string {
  const legible = text.replaceAll(/[^A-Za-z0-9.:@_-]/g, '_').slice(0, 60)
  if (legible === text && text !== '') return text
  return `${legible}@${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
}
