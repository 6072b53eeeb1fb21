/**
 * The prompt cache, as a client can see it in `usage`.
 * 1. Prefix order is tools, system, messages; an entry is the exact prefix up to a breakpoint, per model.
 * 2. A breakpoint looks back over 20 positions, itself included, for the longest live entry.
 * 3. An entry lives 5 minutes or 1 hour, counted from the request that wrote or last read it.
 * 4. Nothing is written before the response has begun: `measure` only looks, `commit` writes.
 * 5. Read + written + plain input tokens are all input tokens.
 */
import { canonical } from './canonical.ts'
import type { Conversation } from './conversation.ts'
import { digest } from './digest.ts'
import { isObject, stringOf, type JsonObject } from './json.ts'
import { tokensOf } from './tokens.ts'

const LOOK_BACK = 20
const TTL_MS = { '5m': 5 * 60_000, '1h': 60 * 60_000 } as const
type Ttl = keyof typeof TTL_MS

export interface InputUsage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly cache_creation: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number }
}

export interface CacheEntry {
  readonly model: string
  readonly tokens: number
  readonly ttlMs: number
  readonly expiresAt: number
}

export interface Measurement {
  readonly usage: InputUsage
  /** Keys to write or refresh once the response has begun. */
  readonly touched: readonly { readonly key: string; readonly entry: CacheEntry }[]
}

export interface PromptCache {
  /** What the request would cost now. Changes nothing. */
  measure(conversation: Conversation): Measurement
  commit(measurement: Measurement): void
  /** The live entries. */
  entries(): readonly CacheEntry[]
}

export interface CacheOptions {
  readonly now: () => number
  /** A shorter prefix is never cached. */
  readonly minCacheTokens: number
}

interface Position {
  readonly key: string
  /** Tokens of the prefix that ends here. */
  readonly tokens: number
  readonly ttl: Ttl | undefined
}

export function createCache({ now, minCacheTokens }: CacheOptions): PromptCache {
  const live = new Map<string, CacheEntry>()
  const find = (key: string): CacheEntry | undefined => {
    const entry = live.get(key)
    return entry && entry.expiresAt > now() ? entry : undefined
  }
  return {
    measure(conversation) {
      const positions = positionsOf(conversation)
      const total = positions.at(-1)?.tokens ?? 0
      const breakpoints = positions.flatMap((at, index) =>
        at.ttl && at.tokens >= minCacheTokens ? [{ ...at, ttl: at.ttl, index }] : [],
      )
      let read = 0
      const touched: { key: string; entry: CacheEntry }[] = []
      for (const { index } of breakpoints) {
        for (const at of positions.slice(Math.max(0, index - LOOK_BACK + 1), index + 1).reverse()) {
          const entry = find(at.key)
          if (!entry) continue
          read = Math.max(read, at.tokens)
          touched.push({ key: at.key, entry: { ...entry, expiresAt: now() + entry.ttlMs } })
          break
        }
      }
      const written = { '5m': 0, '1h': 0 }
      let reached = read
      for (const { key, tokens, ttl } of breakpoints) {
        if (tokens <= reached) continue
        written[ttl] += tokens - reached
        reached = tokens
        touched.push({
          key,
          entry: { model: conversation.model, tokens, ttlMs: TTL_MS[ttl], expiresAt: now() + TTL_MS[ttl] },
        })
      }
      const usage: InputUsage = {
        input_tokens: total - reached,
        cache_creation_input_tokens: reached - read,
        cache_read_input_tokens: read,
        cache_creation: { ephemeral_5m_input_tokens: written['5m'], ephemeral_1h_input_tokens: written['1h'] },
      }
      return { usage, touched }
    },
    commit({ touched }) {
      for (const { key, entry } of touched) live.set(key, entry)
    },
    entries() {
      return [...live.values()].filter((entry) => entry.expiresAt > now())
    },
  }
}

function positionsOf(conversation: Conversation): readonly Position[] {
  const { model, tools, system, messages, request } = conversation
  const units: { readonly owner: string; readonly value: JsonObject }[] = [
    ...tools.map((value) => ({ owner: 'tool', value })),
    ...system.map((value) => ({ owner: 'system', value })),
    ...messages.flatMap(({ role, content }) => content.map((value) => ({ owner: role, value }))),
  ]
  const automatic = ttlOf(request)
  let key = digest(model, stringOf(request['speed']))
  let tokens = 0
  return units.map(({ owner, value }, index) => {
    // Settings that invalidate the messages level, but not tools and system.
    if (index === tools.length + system.length) key = digest(key, messageSettings(request))
    key = digest(key, owner, canonical(value))
    tokens += tokensOf(value)
    return { key, tokens, ttl: ttlOf(value) ?? (index === units.length - 1 ? automatic : undefined) }
  })
}

function messageSettings(request: JsonObject): string {
  const { thinking, tool_choice: choice, output_config: output } = request
  return canonical([
    isObject(thinking) ? thinking['type'] : '',
    isObject(output) ? (output['effort'] ?? '') : '',
    isObject(choice) ? choice : '',
  ])
}

function ttlOf(owner: JsonObject): Ttl | undefined {
  const control = owner['cache_control']
  if (!isObject(control)) return undefined
  return control['ttl'] === '1h' ? '1h' : '5m'
}
