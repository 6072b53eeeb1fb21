import { expect, test } from 'vitest'
import { Spent } from './spent.ts'

const none = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
const usage = { input_tokens: 3, output_tokens: 5, cache_read_input_tokens: 7, cache_creation_input_tokens: 11 }
const last = { model: 'b', usage: { input_tokens: 1, output_tokens: 2, service_tier: 'x' } }

test('an answer of one attempt has the cost that it came with', () => {
  const spent = new Spent()
  spent.add({ model: 'a' })
  expect(spent.with(last)).toBeUndefined()
})

test('an answer of several has its own cost, and lists that of each attempt by its model, in order', () => {
  const spent = new Spent()
  const written = { ephemeral_5m_input_tokens: 11 }
  spent.add({ model: 'a', usage: { ...usage, cache_creation: written } })
  expect(spent.with(last)).toEqual({
    ...last.usage,
    iterations: [
      { type: 'message', model: 'a', ...usage, cache_creation: written },
      { type: 'message', model: 'b', ...none, input_tokens: 1, output_tokens: 2, cache_creation: null },
    ],
  })
  expect(spent.with({ model: 'c' })?.['iterations']).toHaveLength(2)
})

test('what the API lists of an attempt is listed as it is; an empty list is none', () => {
  const spent = new Spent()
  const iterations = [{ type: 'message', input_tokens: 1 }]
  spent.add({ model: 'a', usage: { ...usage, iterations } })
  spent.add({ model: 'b', usage: { ...usage, iterations: [] } })
  expect(spent.with({ ...last, usage: { ...last.usage, iterations: [{ type: 'tool' }] } })).toEqual({
    ...last.usage,
    iterations: [...iterations, { type: 'message', model: 'b', ...usage, cache_creation: null }, { type: 'tool' }],
  })
})
