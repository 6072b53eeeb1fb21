/**
 * A rate that all processes keep together, for each model of an endpoint: the configured one, and after an outage a ramp,
 * so that the returning sessions are not the next outage. The arithmetic is that of `limit.ts`, run on the server.
 *
 * 1. If no rate is configured and nothing has recovered lately, Redis is not asked.
 * 2. It never opens, closes or changes the client. The caller gets what the client throws: core lets such a request go.
 * 3. Besides counters it stores only names of keys and of sessions, for 20 min after the last request.
 */
import { createHash } from 'node:crypto'
import { LastgoodError, systemClock, type Clock, type HealthKey, type RequestLimiter } from '@lastgood/core'
import { runScript, type ScriptConnection } from './commands.ts'

export interface LimiterOptions {
  /** Requests a minute of the whole fleet, by requested model, at each endpoint. Default: no limit. */
  readonly perMinute?: Readonly<Record<string, number>>
  /** The prefix of all keys. Default: `lastgood`. */
  readonly prefix?: string
  /** Default: the system clock. */
  readonly clock?: Clock
}

/** What this process knows of one model. */
interface Local {
  readonly keys: readonly [bucket: string, tickets: string]
  readonly limit: number
  /** The last recovery known here: refusals before it belong to the outage. */
  heardOf: number
  /** The recovery whose ramp no longer holds anything back. */
  overFor: number
  /** Refused requests that were not reported yet. */
  refused: number
  refusedAt: number
}

/** An older refusal says nothing about the rate: it belongs to an outage. */
const refusedMs = 2000

/** For `openSession(id, { limiter })`. Throws `bad-option` for a rate that is not a positive number. */
export function redisLimiter(connection: ScriptConnection, options: LimiterOptions = {}): RequestLimiter {
  const { prefix = 'lastgood', clock = systemClock } = options
  const perMinute = new Map(Object.entries(ratesOf(options.perMinute ?? {})))
  for (const [model, rate] of perMinute) if (!(rate > 0 && Number.isFinite(rate))) throw badRate(model, rate)
  const locals = new Map<string, Local>()

  function localOf(key: HealthKey): Local {
    const name = `${key.endpoint}\n${key.model}`
    const fresh = { heardOf: 0, overFor: 0, refused: 0, refusedAt: 0 }
    const local = locals.get(name) ?? {
      keys: keysOf(prefix, key),
      limit: (perMinute.get(key.model) ?? 0) / 60,
      ...fresh,
    }
    locals.set(name, local)
    return local
  }

  return {
    async admit(key, { session, recovery }) {
      const local = localOf(key)
      const { keys, limit } = local
      const isRamp = recovery !== undefined && recovery.at > local.overFor
      if (limit === 0 && !isRamp) return { kind: 'go' }
      const { at = 0, usualPerSecond: usual = 0 } = recovery ?? {}
      const isNews = clock.now() < local.refusedAt + refusedMs && at <= local.heardOf
      const refused = isNews ? local.refused : 0
      local.refused = 0
      local.heardOf = Math.max(local.heardOf, at)
      const reply = (await runScript(connection, 'take', keys, [session, limit, at, usual, refused])) as unknown[]
      // A client may give numbers as strings.
      const [first, second] = reply.slice(1).map(Number)
      if (reply[0] === 'wait') return { kind: 'wait', ms: Number(first), reason: reasonOf(key.model, second === 1) }
      if (first === 1 && isRamp) local.overFor = recovery.at
      return { kind: 'go' }
    },

    refused(key) {
      const local = localOf(key)
      local.refused += 1
      local.refusedAt = clock.now()
    },
  }
}

function reasonOf(model: string, isRamp: boolean): string {
  return isRamp
    ? `${model} has recovered; the sessions of the fleet return at a growing rate`
    : `the fleet's rate limit for ${model} (perMinute)`
}

/** Both in one slot. The endpoint is hashed: its address may contain a secret. */
function keysOf(prefix: string, { endpoint, model }: HealthKey): Local['keys'] {
  const hash = createHash('sha256').update(`${endpoint}\n${model}`).digest('hex').slice(0, 16)
  const name = `${prefix}:{limit:${model.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 60)}@${hash}}`
  return [`${name}:bucket`, `${name}:tickets`]
}

/** JavaScript callers may pass one number for all. */
function ratesOf(given: unknown): Readonly<Record<string, number>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, number>
  throw new LastgoodError('bad-option', 'perMinute has no models', {
    hint: "name each model: perMinute: { 'claude-opus-5-5': 60 }",
    details: { field: 'perMinute' },
  })
}

function badRate(model: string, rate: number): LastgoodError {
  return new LastgoodError('bad-option', `perMinute of ${model} must be a positive number, got ${String(rate)}`, {
    hint: 'leave the model out for no limit',
    details: { field: 'perMinute' },
  })
}
