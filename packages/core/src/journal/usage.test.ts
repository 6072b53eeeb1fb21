import { expect, test } from 'vitest'
import { billedUsage, costOf, isBilled, readsIn, tokensIn } from './usage.ts'

test('what an answer cost is counted by the price of each kind of token, a cache write by how long it lasts', () => {
  expect(costOf({ input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 1_000 })).toBe(250)
  const created = { ephemeral_5m_input_tokens: 1_000, ephemeral_1h_input_tokens: 3_000 }
  expect(costOf({ cache_creation_input_tokens: 4_000, cache_creation: created })).toBe(1_250 + 6_000)
  expect(costOf({ cache_creation_input_tokens: 4_000, cache_creation: null })).toBe(5_000)
  expect(costOf(undefined)).toBe(0)
})

// The examples of the API's pages on compaction.
const message = { type: 'message', input_tokens: 23_000, output_tokens: 1_000 }
const compaction = { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500 }
const sums = { input_tokens: 23_000, output_tokens: 1_000 }

test('a compaction is billed besides what its answer says, and each iteration by how long its cache lasts', () => {
  expect(billedUsage({ ...sums, iterations: [compaction, message] })).toMatchObject({
    input_tokens: 203_000,
    output_tokens: 4_500,
  })
  expect(costOf({ ...sums, iterations: [compaction, message] })).toBe(203_000 + 5 * 4_500)
  const created = { ephemeral_1h_input_tokens: 1_000 }
  const written = { type: 'message', cache_creation_input_tokens: 1_000, cache_creation: created }
  expect(costOf({ iterations: [written, written] })).toBe(4_000)
})

test('what the iterations do not tell is not lost, and an odd list is none', () => {
  const cached = { ...sums, cache_read_input_tokens: 500, service_tier: 'standard' }
  expect(billedUsage({ ...cached, iterations: [message] })).toMatchObject(cached)
  for (const iterations of [undefined, null, [], 'many', [3]]) expect(costOf({ ...sums, iterations })).toBe(28_000)
})

test('an answer that is nothing but a compaction has a cost, though its sums are zero', () => {
  const none = { input_tokens: 0, output_tokens: 0 }
  expect(isBilled({ ...none, iterations: [compaction] })).toBe(true)
  expect(isBilled({ ...none, iterations: [] })).toBe(false)
  expect(isBilled(none)).toBe(false)
  expect(isBilled({ service_tier: 'standard' })).toBeUndefined()
})

test('a cache write is told by its lifetimes, also where only these are counted, and of five minutes by default', () => {
  const created = { ephemeral_5m_input_tokens: 600, ephemeral_1h_input_tokens: 400 }
  const both = { cacheWritten: 1_000, writtenFor: { '5m': 600, '1h': 400 } }
  expect(tokensIn({ cache_creation_input_tokens: 1_000, cache_creation: created })).toMatchObject(both)
  expect(tokensIn({ input_tokens: 5, cache_creation: created })).toMatchObject({ ...both, input: 1_005 })
  expect(tokensIn({ cache_creation_input_tokens: 1_000 })).toMatchObject({ writtenFor: { '5m': 1_000, '1h': 0 } })
  expect(tokensIn({ input_tokens: 'many' })).toMatchObject({ input: 0, output: 0 })
})

test('what was read first and last is that of the model itself, and that of the answer where nothing is listed', () => {
  const later = { ...message, input_tokens: 24_000 }
  const all = readsIn({ ...sums, iterations: [compaction, message, later, { type: 'advisor_message' }] })
  expect([all.first.input, all.last.input]).toEqual([23_000, 24_000])
  expect(readsIn({ ...sums, iterations: [compaction] }).last.input).toBe(23_000)
})
