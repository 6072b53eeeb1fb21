/**
 * What the next request of a session costs to read, before it is sent. Pure, and an estimate: the answer's length is not
 * known, nor whether the provider still has the cache.
 *
 * 1. What the API has counted is not guessed: the last answer says how long its request was.
 * 2. The cache is taken for warm as long as its time to live says, counted from the last answer.
 */
import { estimateTokens, type Envelope, type Message, type Session } from '@lastgood/core'
import { left, spent } from '../durations.ts'
import { safeLine } from '../text.ts'
import { cacheFactors, priceOf, pricesAsOf, type Price } from './prices.ts'

export interface ReadCost {
  readonly model: string
  /** Of the request, in tokens. */
  readonly tokens: number
  /** The part of them that the last answer did not count. */
  readonly estimated: number
  readonly cache: 'warm' | 'cold' | 'unused'
  /** How long the cache lives after a request. */
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
  prices?: Readonly<Record<string, Price>> | undefined
}

const [fiveMinutes, oneHour] = [300_000, 3_600_000]

export function readCost({ transcript, envelope, now, prices }: Asked): ReadCost {
  const { model } = envelope.body
  const { lastAnswer, answeredAt } = transcript
  const messages = transcript.conversation()
  const at = messages.findLastIndex(({ content }) => content === lastAnswer?.content)
  const usage = lastAnswer?.usage ?? {}
  const count = (name: string) => (typeof usage[name] === 'number' ? usage[name] : 0)
  const cached = count('cache_read_input_tokens') + count('cache_creation_input_tokens')
  const counted = at < 0 ? 0 : cached + count('input_tokens') + count('output_tokens')
  const rest = counted > 0 ? messages.slice(at + 1) : messages
  const estimated = tokensOf(rest, counted > 0 ? { model } : envelope.body)
  const hour = (usage['cache_creation'] as Record<string, unknown> | null | undefined)?.['ephemeral_1h_input_tokens']
  const ttlMs = typeof hour === 'number' && hour > 0 ? oneHour : fiveMinutes
  const ageMs = answeredAt === undefined ? undefined : Math.max(0, now - answeredAt)
  const cache = cached === 0 ? 'unused' : counted > 0 && ageMs !== undefined && ageMs < ttlMs ? 'warm' : 'cold'
  const tokens = counted + estimated
  const price = priceOf(model, prices)
  const write = ttlMs === oneHour ? cacheFactors.write1h : cacheFactors.write5m
  const full =
    cache === 'unused' ? tokens : cache === 'cold' ? tokens * write : counted * cacheFactors.read + estimated * write
  const perMillion = price?.above && tokens > price.above.tokens ? price.above.input : price?.input
  const usd = perMillion === undefined ? undefined : (full * perMillion) / 1_000_000
  return { model, tokens, estimated, cache, ttlMs, ageMs, usd }
}

const tokensOf = (messages: readonly Message[], params: Envelope['body']): number =>
  messages.length === 0 ? 0 : estimateTokens({ params, messages: [...messages], betas: [] }).input

/** `about $0.42 to read 84,000 tokens: the cache is cold since 2h` */
export function costLine({ model, tokens, cache, ttlMs, ageMs, usd }: ReadCost): string {
  const what = `to read ${tokens.toLocaleString('en-US')} tokens`
  const price =
    usd === undefined ? `${what}, at a price that is not known for ${safeLine(model)}` : `about ${dollars(usd)} ${what}`
  const since = ageMs === undefined ? 0 : ageMs - ttlMs
  const why = {
    warm: `the cache is warm for ${left(-since)} more`,
    cold: since > 0 ? `the cache is cold since ${spent(since)}` : 'the cache is cold',
    unused: 'no prompt cache was used',
  }[cache]
  return `${price}: ${why}${usd === undefined ? '' : ` (prices of ${pricesAsOf}, an estimate)`}`
}

const dollars = (usd: number): string => `$${usd < 0.01 ? '0.01' : usd.toFixed(2)}`
