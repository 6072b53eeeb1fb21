/**
 * What reading the next request of a session costs, before it is sent. Pure, and an estimate: neither the answer's
 * length is known, nor whether the provider still has the cache.
 *
 * 1. What the API has counted is not guessed: the last answer says how long its request was.
 * 2. The cache counts as warm for its time to live, from the last answer on. Where parts of it live differently long, it
 *    counts as cold once the first is, and each part is priced by its own time.
 */
import {
  cacheRates,
  estimateTokens,
  readsIn,
  type CacheLife,
  type Envelope,
  type Message,
  type Session,
} from '@lastgood/core'
import { left, spent } from '../durations.ts'
import { safeLine } from '../text.ts'
import { inputPrice, pricesAsOf, type Prices } from './prices.ts'

export interface ReadCost {
  readonly model: string
  /** Of the request, in tokens. */
  readonly tokens: number
  /** The part of them that the last answer did not count. */
  readonly estimated: number
  readonly cache: 'warm' | 'cold' | 'unused'
  /** How long all of the cache lives after a request. */
  readonly ttlMs: number
  /** Since the last answer; undefined where there is none. */
  readonly ageMs: number | undefined
  /** Undefined where no price is known. */
  readonly usd: number | undefined
}

export interface Asked {
  transcript: Pick<Session['transcript'], 'conversation' | 'lastAnswer' | 'answeredAt'>
  envelope: Envelope
  now: number
  prices?: Prices | undefined
}

/** How long the cache keeps what is written to it, after each request. */
const ttlOf: Readonly<Record<CacheLife, number>> = { '5m': 300_000, '1h': 3_600_000 }
const lives = ['5m', '1h'] as const

export function readCost({ transcript, envelope, now, prices }: Asked): ReadCost {
  const { model } = envelope.body
  const { lastAnswer, answeredAt } = transcript
  const messages = transcript.conversation()
  const at = messages.findLastIndex(({ content }) => content === lastAnswer?.content)
  const { input, output, cacheRead, cacheWritten, writtenFor } = readsIn(lastAnswer?.usage).last
  const counted = at < 0 ? 0 : input + output
  const rest = counted > 0 ? messages.slice(at + 1) : messages
  const estimated = tokensOf(rest, counted > 0 ? { model } : envelope.body)
  const ageMs = answeredAt === undefined ? undefined : Math.max(0, now - answeredAt)
  const isWarm = (life: CacheLife) => counted > 0 && ageMs !== undefined && ageMs < ttlOf[life]
  const shareFor = (life: CacheLife) => (cacheWritten === 0 ? Number(life === '5m') : writtenFor[life] / cacheWritten)
  const shortest = shareFor('5m') > 0 ? '5m' : '1h'
  const cache = cacheRead + cacheWritten === 0 ? 'unused' : isWarm(shortest) ? 'warm' : 'cold'
  const ttlMs = ttlOf[shortest]
  const tokens = counted + estimated
  const priceOf = (life: CacheLife) =>
    counted * (isWarm(life) ? cacheRates.read : cacheRates.write[life]) + estimated * cacheRates.write[life]
  const cached = lives.reduce((sum, life) => sum + shareFor(life) * priceOf(life), 0)
  const full = cache === 'unused' ? tokens : cached
  const perMillion = inputPrice(model, tokens, prices)
  const usd = perMillion === undefined ? undefined : (full * perMillion) / 1_000_000
  return { model, tokens, estimated, cache, ttlMs, ageMs, usd }
}

const tokensOf = (messages: readonly Message[], params: Envelope['body']): number =>
  messages.length === 0 ? 0 : estimateTokens({ params, messages: [...messages], betas: [] }).input

/** `about $0.42 to read 84,000 tokens: the cache has been cold for 2h` */
export function costLine({ model, tokens, cache, ttlMs, ageMs, usd }: ReadCost): string {
  const what = `to read ${tokens.toLocaleString('en-US')} tokens`
  const price =
    usd === undefined ? `${what}, at an unknown price for ${safeLine(model)}` : `about ${dollars(usd)} ${what}`
  const since = ageMs === undefined ? 0 : ageMs - ttlMs
  const why = {
    warm: `the cache is warm for ${left(-since)} more`,
    cold: since > 0 ? `the cache has been cold for ${spent(since)}` : 'the cache is cold',
    unused: 'no prompt cache was used',
  }[cache]
  return `${price}: ${why}${usd === undefined ? '' : ` (prices of ${pricesAsOf}, an estimate)`}`
}

/** A small cost is not shown as no cost. */
const dollars = (usd: number): string => `$${usd > 0 && usd < 0.01 ? '0.01' : usd.toFixed(2)}`
