import { expect, test } from 'vitest'
import { costOf } from './answer.ts'

test('what an answer cost is counted by the price of each kind of token, a cache write by how long it lasts', () => {
  expect(costOf({ input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 1_000 })).toBe(250)
  const created = { ephemeral_5m_input_tokens: 1_000, ephemeral_1h_input_tokens: 3_000 }
  expect(costOf({ cache_creation_input_tokens: 4_000, cache_creation: created })).toBe(1_250 + 6_000)
  expect(costOf({ cache_creation_input_tokens: 4_000, cache_creation: null })).toBe(5_000)
  expect(costOf(undefined)).toBe(0)
})
