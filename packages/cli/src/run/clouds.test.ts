import { isLastgoodError } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import type { Env } from '../context.ts'
import { cloudIn } from './clouds.ts'

const url = 'http://127.0.0.1:4141'
const way = (env: Env) => {
  const cloud = cloudIn(env)
  return cloud && { upstream: cloud.upstream, ...(cloud.isSigned && { isSigned: true }), ...cloud.variables(url) }
}

test.each([{}, { CLAUDE_CODE_USE_VERTEX: '0', CLAUDE_CODE_USE_BEDROCK: '', CLAUDE_CODE_USE_FOUNDRY: 'false' }])(
  'without a flag that is on, no cloud is meant: %o',
  (env) => {
    expect(way(env)).toBeUndefined()
  },
)

describe('Claude Code is led to the gateway', () => {
  test('at Vertex, whose regions the gateway tells apart', () => {
    expect(way({ CLAUDE_CODE_USE_VERTEX: '1', CLOUD_ML_REGION: 'us-east5' })).toEqual({
      upstream: undefined,
      ANTHROPIC_VERTEX_BASE_URL: `${url}/v1`,
    })
  })

  test('at Vertex behind a proxy of the company', () => {
    const env = { CLAUDE_CODE_USE_VERTEX: 'true', ANTHROPIC_VERTEX_BASE_URL: 'https://llm.example/vertex_ai/v1/' }
    expect(way(env)).toEqual({
      upstream: 'https://llm.example',
      ANTHROPIC_VERTEX_BASE_URL: `${url}/vertex_ai/v1`,
    })
  })

  test('at Bedrock, with a key of its own or where a gateway of the company signs', () => {
    const key = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_BEARER_TOKEN_BEDROCK: 'k', AWS_REGION: 'us-east-1' }
    expect(way(key)).toEqual({
      upstream: 'https://bedrock-runtime.us-east-1.amazonaws.com',
      ANTHROPIC_BEDROCK_BASE_URL: url,
    })
    const ours = { CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' }
    expect(way({ ...ours, ANTHROPIC_BEDROCK_BASE_URL: 'https://llm.example/bedrock/' })).toEqual({
      upstream: 'https://llm.example',
      ANTHROPIC_BEDROCK_BASE_URL: `${url}/bedrock`,
    })
  })

  test('at Bedrock, without a signature of its own where it would sign', () => {
    const env = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' }
    expect(way(env)).toEqual({
      upstream: 'https://bedrock-runtime.us-east-1.amazonaws.com',
      isSigned: true,
      ANTHROPIC_BEDROCK_BASE_URL: url,
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
    })
  })

  test('at Foundry, by its resource or its address', () => {
    const expected = {
      upstream: 'https://ours.services.ai.azure.com',
      ANTHROPIC_FOUNDRY_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_FOUNDRY_RESOURCE: undefined,
    }
    expect(way({ CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_RESOURCE: 'ours' })).toEqual(expected)
    const address = 'https://ours.services.ai.azure.com/anthropic/'
    expect(way({ CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_BASE_URL: address })).toEqual(expected)
  })
})

test.each<[Env, string]>([
  [{ CLAUDE_CODE_USE_BEDROCK: '1', AWS_BEARER_TOKEN_BEDROCK: 'secret' }, 'AWS_REGION'],
  [{ CLAUDE_CODE_USE_MANTLE: 'true', CLAUDE_CODE_USE_VERTEX: '1' }, 'CLAUDE_CODE_USE_MANTLE'],
  [{ CLAUDE_CODE_USE_ANTHROPIC_AWS: 'YES' }, 'CLAUDE_CODE_USE_ANTHROPIC_AWS'],
  [{ CLAUDE_CODE_USE_FOUNDRY: '1' }, 'ANTHROPIC_FOUNDRY_RESOURCE'],
  [{ CLAUDE_CODE_USE_VERTEX: '1', ANTHROPIC_VERTEX_BASE_URL: 'secret' }, 'ANTHROPIC_VERTEX_BASE_URL'],
])('what would go past the gateway is refused, with the variable that does it: %o', (env, field) => {
  const error = (() => {
    try {
      return cloudIn(env)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(isLastgoodError(error, 'bad-option') && error.details).toEqual({ field })
  expect(String(error)).not.toContain('secret')
})
