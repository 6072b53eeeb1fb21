import fc from 'fast-check'
import { expect, test } from 'vitest'
import { builtInCards, cardOf } from './built-in-cards.ts'
import { effortLevels, isSameModel, permissive } from './model-card.ts'
import { modelCardFrom } from './models-api.ts'

test.each([
  'claude-opus-4-5',
  'claude-opus-4-5-20251101',
  'claude-opus-4-5@20251101',
  'claude-opus-4-5@default',
  'anthropic.claude-opus-4-5-20251101-v1:0',
  'us.anthropic.claude-opus-4-5-20251101-v1:0',
  'arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-opus-4-5-20251101-v1:0',
])('%s is the model of the table, under the name that it was asked by', (id) => {
  expect(cardOf(id)).toEqual({ ...cardOf('claude-opus-4-5'), id, source: 'built-in' })
  expect(isSameModel(id, 'claude-opus-4-5')).toBe(true)
  expect(isSameModel(id, 'claude-opus-4-6')).toBe(false)
})

test('a model that nobody knows is taken for a current large one, as a guess', () => {
  expect(cardOf('claude-epic-9')).toEqual({ ...cardOf('claude-opus-5-5'), id: 'claude-epic-9', source: 'guess' })
})

test.each(builtInCards)('the card of $id does not contradict itself', (card) => {
  expect(cardOf(card.id)).toEqual(card)
  if (card.defaultEffort === undefined) expect(card.efforts).toEqual([])
  else expect(card.efforts).toContain(card.defaultEffort)
  expect(effortLevels).toEqual(expect.arrayContaining([...card.efforts]))
  expect(card.maxOutputTokens).toBeLessThan(card.maxInputTokens)
})

const yes = { supported: true }
const no = { supported: false }

test('the Models API has the last word, but for what it does not tell', () => {
  const body = {
    id: 'claude-opus-4-5-20251101',
    max_input_tokens: 300_000,
    max_tokens: null,
    capabilities: {
      thinking: { supported: true, types: { adaptive: yes, enabled: no, disabled: yes, between_tools: no } },
      effort: { supported: true, low: yes, medium: yes, high: yes, xhigh: null, max: no },
      server_tools: { supported: true, web_search: no, code_execution: yes },
      not_yet_known: yes,
    },
  }
  expect(modelCardFrom(body)).toEqual({
    ...cardOf('claude-opus-4-5'),
    id: 'claude-opus-4-5-20251101',
    source: 'models-api',
    maxInputTokens: 300_000,
    thinking: ['adaptive', 'disabled'],
    efforts: ['low', 'medium', 'high'],
    unsupportedTools: ['web_search'],
  })
})

test('what the Models API tells is added to what is known of the model', () => {
  const known = cardOf('claude-opus-5-5')
  const told = { max_input_tokens: '1m', max_tokens: 1_000, capabilities: { server_tools: { web_search: no } } }
  expect(modelCardFrom({ id: 'claude-opus-5-5', ...told })).toEqual({
    ...known,
    source: 'models-api',
    maxOutputTokens: 1_000,
    unsupportedTools: [...known.unsupportedTools!, 'web_search'],
  })
})

test('a guess forbids nothing, and what is known stays as it is', () => {
  const known = cardOf('claude-sonnet-4-5')
  expect(permissive(known)).toBe(known)
  expect(permissive({ ...known, source: 'guess' })).toEqual({
    ...known,
    source: 'guess',
    maxInputTokens: Infinity,
    maxOutputTokens: Infinity,
    thinking: expect.arrayContaining(['adaptive', 'enabled', 'disabled', 'between_tools']),
    forcedToolChoice: true,
    prefill: true,
    sampling: true,
    systemMessages: true,
    messageEffort: true,
  })
})

test('a model without effort has none, whatever else is listed', () => {
  const body = { id: 'claude-opus-4-5', capabilities: { effort: { supported: false, high: yes } } }
  expect(modelCardFrom(body)?.efforts).toEqual([])
})

test.each([
  { types: { adaptive: no, enabled: yes, disabled: yes }, like: 'claude-sonnet-4-5' },
  { types: { adaptive: yes, enabled: yes, disabled: yes }, like: 'claude-opus-4-6' },
  { types: { adaptive: yes, enabled: no }, like: 'claude-opus-5-5' },
])('what the answer does not tell of an unknown model is guessed by how it thinks: $like', ({ types, like }) => {
  const card = modelCardFrom({ id: 'claude-epic-9', capabilities: { thinking: { types } } })
  const { prefill, sampling, preservedThinking, tokenScale } = cardOf(like)
  expect(card).toMatchObject({
    id: 'claude-epic-9',
    source: 'models-api',
    prefill,
    sampling,
    preservedThinking,
    tokenScale,
  })
})

test('capabilities of another shape count as not told, and what is no answer gives no card', () => {
  const strange = {
    id: 'claude-opus-5',
    capabilities: { thinking: 'yes', effort: [1], server_tools: 7 },
    max_tokens: -1,
  }
  expect(modelCardFrom(strange)).toEqual({ ...cardOf('claude-opus-5'), source: 'models-api' })
  expect(modelCardFrom({ ...strange, capabilities: 'all' })).toEqual({
    ...cardOf('claude-opus-5'),
    source: 'models-api',
  })
  for (const none of [undefined, null, 'card', {}, { id: '' }, { type: 'error' }])
    expect(modelCardFrom(none)).toBeUndefined()
})

test('any JSON is a card or none', () => {
  const capabilities = fc.record({ thinking: fc.jsonValue(), effort: fc.jsonValue(), server_tools: fc.jsonValue() })
  const body = fc.record({ id: fc.string({ minLength: 1 }), capabilities, max_tokens: fc.jsonValue() })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), body), (value) => {
      const card = modelCardFrom(value)
      if (card) expect(card.maxOutputTokens).toBeGreaterThan(0)
    }),
  )
})
