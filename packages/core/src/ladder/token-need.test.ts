import { expect, test } from 'vitest'
import type { Block } from '../journal/journal.ts'
import { estimateTokens } from './token-need.ts'

const request = (content: string | Block[], params = {}) => ({
  params: { model: 'claude-opus-4-6', ...params },
  messages: [{ role: 'user', content }],
  betas: [],
})
const inputOf = (...given: Parameters<typeof request>) => estimateTokens(request(...given)).input
const base = inputOf('')

test('a token is 3.5 characters, 30 % more of them for the newer tokenizers', () => {
  expect(inputOf('x'.repeat(35_000)) - base).toBe(10_000)
  const newer = { model: 'claude-opus-5-5' }
  expect(inputOf('x'.repeat(35_000), newer) - inputOf('', newer)).toBe(13_000)
})

test('tools and system are input, max_tokens is output', () => {
  expect(inputOf('', { system: 'x'.repeat(3_500) })).toBeGreaterThan(base + 1_000)
  expect(inputOf('', { tools: [{ name: 'x'.repeat(3_500) }] })).toBeGreaterThan(base + 1_000)
  expect(estimateTokens(request('', { max_tokens: 500 }))).toEqual({ input: base, output: 500 })
  expect(estimateTokens(request(''))).toEqual({ input: base, output: 0 })
})

const data = 'x'.repeat(1_000_000)
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
const file = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } }

test.each([
  { name: 'an image counts as one', block: image, tokens: 1_600 },
  { name: 'a file counts by its pages', block: file, tokens: 30_000 },
  {
    name: 'so they do inside a tool result',
    block: { type: 'tool_result', tool_use_id: 'toolu_1', content: [image, image] },
    tokens: 3_200,
  },
  { name: 'a signature does not count', block: { type: 'thinking', thinking: '', signature: data }, tokens: 0 },
])('$name', ({ block, tokens }) => {
  const counted = inputOf([block]) - base
  expect(counted).toBeGreaterThanOrEqual(tokens)
  expect(counted).toBeLessThan(tokens + 50)
})

test('what stands before the last summary of the server does not count, unless that failed', () => {
  const long = { type: 'text', text: 'x'.repeat(350_000) }
  const summary: Block = { type: 'compaction', content: 'so far', signature: data }
  expect(inputOf([long, summary]) - inputOf([summary])).toBe(0)
  expect(inputOf([summary, long])).toBeGreaterThan(100_000)
  expect(inputOf([long, { ...summary, content: null }])).toBeGreaterThan(100_000)
  const { messages, ...rest } = request([long])
  const after = { role: 'assistant', content: [long, summary, { type: 'text', text: 'ok' }] }
  expect(estimateTokens({ ...rest, messages: [...messages, after, ...messages] }).input).toBeLessThan(101_000)
})
