import { expect, test } from 'vitest'
import { environmentOf } from './environment.ts'

const url = 'http://127.0.0.1:4141'

test('a command hears of the gateway in the ways of the clients that are known', () => {
  const { OPENCODE_CONFIG_CONTENT = '', ...rest } = environmentOf(url, {})
  expect(rest).toEqual({
    ANTHROPIC_BASE_URL: url,
    NO_PROXY: '127.0.0.1',
  })
  expect(JSON.parse(OPENCODE_CONFIG_CONTENT)).toEqual({
    provider: { anthropic: { options: { baseURL: `${url}/v1` } } },
  })
})

test('what the user has set there stays', () => {
  const env = { OPENCODE_CONFIG_CONTENT: '{}', no_proxy: 'intern' }
  expect(environmentOf(url, env)).toEqual({ ANTHROPIC_BASE_URL: url, no_proxy: 'intern,127.0.0.1' })
})
