import { describe, expect, test } from 'vitest'
import { localCases } from './cases.fixture.ts'
import { contextOf, olderCard, plainRequest, requestOf, strictCard } from './request-case.fixture.ts'
import { capCacheMarkers } from './cache-markers.ts'
import { requestRules } from './rules.ts'

const ruleOf = (name: string) => requestRules.find((rule) => rule.name === name)!

test('every rule has a case', () => {
  expect(new Set(localCases.map(({ rule }) => rule))).toEqual(new Set(requestRules.map(({ name }) => name)))
})

describe.each(localCases)('row $row, $rule: $claim', (each) => {
  const given = requestOf(each.in)
  const context = contextOf(each)
  const repaired = ruleOf(each.rule).repair(given, context)

  test('holds', () => {
    expect(repaired?.outgoing).toEqual({ ...given, ...each.out })
    expect(repaired?.repairs.length).toBeGreaterThan(0)
  })

  test('nothing is left for any rule', () => {
    for (const rule of requestRules) expect(rule.repair(repaired!.outgoing, context)).toBeUndefined()
  })

  test('messages that are not changed stay the same objects, and no other rule has something to do', () => {
    const copied = given.messages.filter((message, at) => {
      const now = repaired?.outgoing.messages[at]
      return now !== message && JSON.stringify(now) === JSON.stringify(message)
    })
    expect(copied).toEqual([])
    for (const rule of requestRules) {
      if (rule.name !== each.rule) expect(rule.repair(given, context)).toBeUndefined()
    }
  })

  test('what is noted holds no content', () => {
    for (const { what } of repaired?.repairs ?? []) expect(what).not.toMatch(/Fix it|a file|Hm\./)
  })
})

const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }
test.each([
  ['plain', plainRequest],
  ['with an image that only the API can see', requestOf({ messages: [{ role: 'user', content: [image] }] })],
  ['with string content', requestOf({ messages: [{ role: 'user', content: 'hi' }] })],
  [
    'with four markers',
    requestOf({ params: { ...plainRequest.params, cache_control: { type: 'ephemeral', ttl: '1h' } } }),
  ],
  ['with adaptive thinking', requestOf({ params: { ...plainRequest.params, thinking: { type: 'adaptive' } } })],
  [
    'with a scope under its beta',
    requestOf({
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', scope: 'x' } }] },
      ],
      betas: ['prompt-caching-scope-2026-01-05'],
    }),
  ],
])('a sound request is not touched: %s', (_claim, request) => {
  for (const rule of requestRules) expect(rule.repair(request, { card: strictCard })).toBeUndefined()
  expect(capCacheMarkers(request)).toBe(request)
})

test('a budget of thinking may be above max_tokens where it is interleaved with tools', () => {
  const card = { ...strictCard, thinking: ['enabled' as const] }
  const params = {
    ...plainRequest.params,
    max_tokens: 8_000,
    thinking: { type: 'enabled', budget_tokens: 32_000 },
    tools: [{ name: 'read', input_schema: { type: 'object' } }],
  }
  const rule = ruleOf('thinking-config')
  const messages = [{ role: 'user', content: 'Read it.' }]
  const betas = ['interleaved-thinking-2025-05-14']
  expect(rule.repair(requestOf({ params, messages, betas }), { card })).toBeUndefined()
  expect(rule.repair(requestOf({ params, messages }), { card })).toBeDefined()
})

test('a temperature of 1, and settings before the version that refuses them, are only for models that sample', () => {
  const params = { ...plainRequest.params, temperature: 1, top_p: 0.9, top_k: 5 }
  const left = (card: typeof strictCard, apiVersion?: string) =>
    Object.keys(ruleOf('sampling').repair(requestOf({ params }), { card, apiVersion })?.outgoing.params ?? params)
  expect(left(strictCard, '2023-06-01')).toEqual([...Object.keys(plainRequest.params), 'temperature'])
  expect(left(strictCard, '2026-10-21')).toEqual(Object.keys(plainRequest.params))
  expect(left(olderCard)).toEqual(Object.keys(plainRequest.params))
  expect(left(olderCard, '2023-06-01')).toEqual(Object.keys(params))
})

test('markers before one of an hour are raised, wherever they stand, and those behind it stay', () => {
  const marked = <T extends object>(owner: T, ttl?: string) => ({
    ...owner,
    cache_control: { type: 'ephemeral', ...(ttl && { ttl }) },
  })
  const [read, edit] = [{ name: 'read' }, { name: 'edit' }]
  const text = { type: 'text', text: 'a' }
  const given = (first: string | undefined) =>
    requestOf({
      params: { ...plainRequest.params, tools: [marked(read, first), edit], system: [marked(text, first)] },
      messages: [{ role: 'user', content: [marked(text, '1h'), marked(text)] }],
    })
  expect(ruleOf('cache-ttl').repair(given(undefined), { card: strictCard })?.outgoing).toEqual(given('1h'))
  expect(capCacheMarkers(given(undefined))).toEqual(given('1h'))
  // Too many and out of order at once.
  const five = requestOf({
    params: { ...plainRequest.params, tools: [marked(read, '1h'), marked(edit)] },
    messages: [{ role: 'user', content: [marked(text), marked(text, '1h'), marked(text)] }],
  })
  expect(capCacheMarkers(five)).toEqual(
    requestOf({
      params: { ...plainRequest.params, tools: [read, marked(edit, '1h')] },
      messages: [{ role: 'user', content: [marked(text, '1h'), marked(text, '1h'), marked(text)] }],
    }),
  )
})

test('a guess about the model changes nothing', () => {
  const params = {
    ...plainRequest.params,
    max_tokens: 900_000,
    thinking: { type: 'enabled', budget_tokens: 1_000 },
    tool_choice: { type: 'any' },
    temperature: 0.1,
  }
  const context = { card: { ...strictCard, source: 'guess' }, apiVersion: '2023-06-01' } as const
  for (const rule of requestRules) expect(rule.repair(requestOf({ params }), context)).toBeUndefined()
})

test('a model with a small window takes 100 images, the others 600', () => {
  const many = requestOf({ messages: [{ role: 'user', content: Array.from({ length: 101 }, () => ({ ...image })) }] })
  expect(ruleOf('images').repair(many, { card: strictCard })).toBeUndefined()
  expect(ruleOf('images').repair(many, { card: olderCard })?.repairs).toHaveLength(1)
})
