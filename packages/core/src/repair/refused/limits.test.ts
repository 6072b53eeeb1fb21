import { expect, test } from 'vitest'
import { permissive } from '../../ladder/model-card.ts'
import { plainRequest, requestOf, strictCard } from '../request/request-case.fixture.ts'
import { applyRefusalRule } from './refusal-rules.ts'

const exceeded = (input: number, asked: number, window: number) =>
  `input length and \`max_tokens\` exceed context limit: ${input} + ${asked} > ${window}`

function maxTokens(rule: string, asked: number | undefined, message = '', card = strictCard) {
  const request = requestOf({ params: { ...plainRequest.params, max_tokens: asked } })
  const fault = { kind: 'params-incompatible', message } as const
  return applyRefusalRule(rule, request, { card, fault })?.outgoing.params['max_tokens']
}

test('max_tokens is clamped to what the API named, else to the limit of the model', () => {
  expect(maxTokens('clamp-max-tokens', 200_000, 'max_tokens: 200000 > 64000, which is the limit')).toBe(64_000)
  expect(maxTokens('clamp-max-tokens', 200_000, 'max_tokens is too large')).toBe(128_000)
  expect(maxTokens('clamp-max-tokens', 128_000, 'max_tokens is too large')).toBeUndefined()
  expect(maxTokens('clamp-max-tokens:64000', 200_000)).toBe(64_000)
})

test('max_tokens is fitted into room that an answer is worth, and is never raised to it', () => {
  expect(maxTokens('fit-max-tokens', 20_000, exceeded(198_976, 20_000, 200_000))).toBe(1_024)
  expect(maxTokens('fit-max-tokens', 20_000, exceeded(198_977, 20_000, 200_000))).toBeUndefined()
  expect(maxTokens('fit-max-tokens', 20_000, exceeded(180_000, 20_000, 200_000))).toBeUndefined()
  expect(maxTokens('fit-max-tokens', 20_000, exceeded(100_000, 20_000, 200_000))).toBeUndefined()
})

test('max_tokens is raised to the limit of the model, or fourfold where that is not known', () => {
  expect(maxTokens('raise-max-tokens', 1_000)).toBe(128_000)
  expect(maxTokens('raise-max-tokens', 1_000, '', permissive({ ...strictCard, source: 'guess' }))).toBe(4_000)
})

test.each(['clamp-max-tokens', 'fit-max-tokens', 'raise-max-tokens'])('%s adds no max_tokens', (rule) => {
  expect(maxTokens(rule, undefined, exceeded(100_000, 20_000, 200_000))).toBeUndefined()
})
