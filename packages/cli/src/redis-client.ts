/**
 * One command's connection to Redis.
 *
 * 1. A server that cannot be reached is reported within about three seconds, with its address but without its password.
 * 2. Once connected, a lost connection is re-established for as long as the command runs; requests meanwhile fail at
 *    once, so that the session decides how long to be patient. One that brings nothing for ten seconds is lost, too.
 */
import { LastgoodError, withoutSecrets, type Clock } from '@lastgood/core'
import { Redis } from 'ioredis'
import { orLate } from './or-late.ts'
import { redisTrouble } from './redis-trouble.ts'
import { safeLine } from './text.ts'

const connectTimeoutMs = 2_500
/** From the first packet to the first answer. */
const readyTimeoutMs = 3_000
const silentMs = 10_000

/** `field`: where the address comes from. */
export async function connectRedis(url: string, clock: Clock, field: string): Promise<Redis> {
  const address = addressOf(url, field)
  let hasConnected = false
  let lastError: Error | undefined
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: silentMs,
    socketTimeout: silentMs,
    maxRetriesPerRequest: 1,
    // Undefined: give up.
    retryStrategy: (times) => (hasConnected ? Math.min(times * 100, 2_000) : undefined),
  })
  // Without a listener ioredis prints the error; every command's own failure says the same.
  client.on('error', (error: Error) => (lastError = error))
  try {
    await orLate(clock, readyTimeoutMs, client.connect(), () => {
      throw Object.assign(new Error('it did not answer in time'), { code: 'ETIMEDOUT' })
    })
    // A refused database shows only as an error event: the client goes on in database 0.
    if (lastError) throw lastError
    hasConnected = true
    return client
  } catch (error) {
    client.disconnect()
    const cause = lastError ?? (error as Error)
    const code = 'code' in cause ? String(cause.code) : undefined
    const { what, hint } = redisTrouble(cause, address)
    const message = `no connection to Redis at ${address}`
    throw new LastgoodError('store-unavailable', what === undefined ? message : `${message}: ${what}`, {
      hint,
      cause: Object.assign(new Error(safeLine(withoutSecrets(cause.message)).slice(0, 200)), {
        name: cause.name,
        ...(code && { code }),
      }),
      details: { location: address, ...(code !== undefined && { code }) },
    })
  }
}

/** The address without user and password. Errors: `bad-option` if it is not one. */
function addressOf(url: string, field: string): string {
  const parsed = /^rediss?:\/\//i.test(url) && URL.canParse(url) ? new URL(url) : undefined
  // With an @ after its host, what looks like user, host and port is the beginning of a password that contains a slash.
  if (!parsed || `${parsed.pathname}${parsed.search}${parsed.hash}`.includes('@'))
    throw badAddress(field, 'the Redis address cannot be read')
  // The client takes only the leading digits, and makes NaN of none.
  const database = [parsed.pathname.slice(1), ...parsed.searchParams.getAll('db')]
  if (!database.every((one) => /^\d{0,9}$/.test(one)))
    throw badAddress(field, 'the database in the Redis address is not a number')
  return `${parsed.protocol}//${parsed.hostname || '127.0.0.1'}:${parsed.port || 6379}${parsed.pathname}`
}

function badAddress(field: string, what: string): LastgoodError {
  return new LastgoodError('bad-option', `${field}: ${what}`, {
    hint: 'write it as redis://host:6379/0 (rediss:// for TLS); encode special characters of a password',
    details: { field },
  })
}
