import { expect, test } from 'vitest'
import { environmentOf } from './environment.ts'

const url = 'http://127.0.0.1:4141'

test('a command hears of the gateway in the ways of the clients that are known', () => {
  const { OPENCODE_CONFIG_CONTENT = '', ...rest } = environmentOf(url, {}, true)
  expect(rest).toEqual({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_VERTEX_BASE_URL: `${url}/v1`,
    NO_PROXY: '127.0.0.1',
  })
  expect(JSON.parse(OPENCODE_CONFIG_CONTENT)).toEqual({
    provider: { anthropic: { options: { baseURL: `${url}/v1` } } },
  })
})

test('what the user has set there stays', () => {
  const ANTHROPIC_VERTEX_BASE_URL = 'https://llm.example/v1'
  const env = { OPENCODE_CONFIG_CONTENT: '{}', no_proxy: 'intern', ANTHROPIC_VERTEX_BASE_URL }
  expect(environmentOf(url, env, true)).toEqual({ ANTHROPIC_BASE_URL: url, no_proxy: 'intern,127.0.0.1' })
})

test('a client of Vertex is not led to a gateway that has another upstream', () => {
  expect(environmentOf(url, {}, false)).not.toHaveProperty('ANTHROPIC_VERTEX_BASE_URL')
})
