import { describe, expect, test } from 'vitest'
import { createCache, type CacheOptions, type InputUsage, type PromptCache } from './cache.ts'
import { conversationOf, turnsOf } from './conversation.ts'
import type { JsonObject } from './json.ts'
import { objectsOf } from './json.ts'
import { openLab, send, ASK } from './lab.fixture.ts'

const MARK = { cache_control: { type: 'ephemeral' } }
const HOUR = { cache_control: { type: 'ephemeral', ttl: '1h' } }
const block = (label: string, extra: JsonObject = {}): JsonObject => ({
  type: 'text',
  text: `${label} ${'x'.repeat(100)}`,
  ...extra,
})
const body = (messages: readonly JsonObject[], extra: JsonObject = {}): JsonObject => ({ messages, ...extra })
const user = (...content: readonly JsonObject[]): JsonObject => ({ role: 'user', content })
const many = (count: number): readonly JsonObject[] => Array.from({ length: count }, (_, at) => block(`b${at}`))

function open(options: Partial<CacheOptions> = {}): {
  cache: PromptCache
  ask: (request: JsonObject, model?: string) => InputUsage
  look: (request: JsonObject) => InputUsage
  clock: { now: number }
} {
  const clock = { now: 0 }
  const cache = createCache({ now: () => clock.now, minCacheTokens: 0, ...options })
  const measure = (request: JsonObject, model = 'm'): ReturnType<PromptCache['measure']> =>
    cache.measure(conversationOf(request, model, turnsOf(objectsOf(request['messages']))))
  return {
    cache,
    clock,
    look: (request) => measure(request).usage,
    ask(request, model) {
      const measured = measure(request, model)
      cache.commit(measured)
      return measured.usage
    },
  }
}

const sum = (usage: InputUsage): number =>
  usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens

describe('the prompt cache', () => {
  test('writes up to the breakpoint, reads it back, and the three inputs are all of it', () => {
    const { ask } = open()
    const request = body([user(block('a'), block('b', MARK), block('c'))], { system: 'be brief' })
    const first = ask(request)
    const second = ask(request)
    expect(first.cache_read_input_tokens).toBe(0)
    expect(first.cache_creation_input_tokens).toBeGreaterThan(0)
    expect(second).toMatchObject({
      cache_read_input_tokens: first.cache_creation_input_tokens,
      cache_creation_input_tokens: 0,
      input_tokens: first.input_tokens,
    })
    expect(sum(second)).toBe(sum(first))
  })

  test('without a breakpoint costs everything each time', () => {
    const { ask } = open()
    const request = body([user(block('a'))])
    expect([ask(request), ask(request)]).toMatchObject([
      { cache_creation_input_tokens: 0 },
      { cache_read_input_tokens: 0 },
    ])
  })

  test('with the automatic breakpoint follows a growing conversation', () => {
    const { ask } = open()
    const first = ask(body([user(block('a'))], MARK))
    const second = ask(body([user(block('a')), { role: 'assistant', content: [block('b')] }, user(block('c'))], MARK))
    expect(second.cache_read_input_tokens).toBe(first.cache_creation_input_tokens)
    expect(second.input_tokens).toBe(0)
  })

  test('finds an entry 20 positions back and not 21', () => {
    const near = open()
    near.ask(body([user(block('b0', MARK))]))
    expect(near.ask(body([user(...many(20))], MARK)).cache_read_input_tokens).toBeGreaterThan(0)
    const far = open()
    far.ask(body([user(block('b0', MARK))]))
    expect(far.ask(body([user(...many(21))], MARK)).cache_read_input_tokens).toBe(0)
  })

  test('forgets after 5 minutes without use, and use keeps it alive; an hour lasts an hour', () => {
    const { ask, look, clock } = open()
    const short = body([user(block('a', MARK))])
    ask(short)
    clock.now += 299_999
    expect(ask(short).cache_read_input_tokens).toBeGreaterThan(0)
    clock.now += 299_999
    expect(look(short).cache_read_input_tokens).toBeGreaterThan(0)
    clock.now += 1
    expect(look(short).cache_read_input_tokens).toBe(0)
    const long = body([user(block('z', HOUR))])
    expect(ask(long).cache_creation).toMatchObject({ ephemeral_5m_input_tokens: 0 })
    clock.now += 3_599_999
    expect(look(long).cache_read_input_tokens).toBeGreaterThan(0)
  })

  test('is missed by another model, changed tools, system, effort or thinking, and not by key order', () => {
    const { ask } = open()
    const request = body([user(block('a', MARK))], {
      tools: [{ name: 'a', input_schema: {} }],
      system: 'be brief',
      thinking: { type: 'adaptive' },
    })
    ask(request)
    const read = (changed: JsonObject, model?: string): number =>
      ask({ ...request, ...changed }, model).cache_read_input_tokens
    expect(
      read({ tools: [{ input_schema: {}, name: 'a' }], system: [{ type: 'text', text: 'be brief' }] }),
    ).toBeGreaterThan(0)
    expect(read({}, 'other')).toBe(0)
    expect(read({ tools: [] })).toBe(0)
    expect(read({ system: 'be long' })).toBe(0)
    expect(read({ output_config: { effort: 'max' } })).toBe(0)
    expect(read({ thinking: { type: 'disabled' } })).toBe(0)
  })

  test('does not take what is too short', () => {
    const { ask } = open({ minCacheTokens: 1000 })
    const request = body([user(block('a', MARK))])
    expect([ask(request), ask(request)]).toMatchObject([
      { cache_creation_input_tokens: 0 },
      { cache_read_input_tokens: 0 },
    ])
  })
})

describe('the cache of a lab', () => {
  const marked = { ...ASK, cache_control: { type: 'ephemeral' } }

  test('is not written by a request that never began to answer, and is by one that was cut', async () => {
    const { lab } = await openLab({
      outages: [
        { when: { request: 1 }, fault: { kind: 'status', status: 529 } },
        { when: { request: 2 }, fault: { kind: 'cut', after: { events: 1 }, how: 'reset' } },
      ],
    })
    await send(lab, marked)
    expect(lab.cache.entries()).toEqual([])
    await send(lab, { ...marked, stream: true })
    expect(lab.cache.entries()).toHaveLength(1)
    await send(lab, marked)
    expect(lab.requests[2]?.outcome.usage).toMatchObject({
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: lab.cache.entries()[0]?.tokens,
    })
  })
})
