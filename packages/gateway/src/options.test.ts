import { expect, it } from 'vitest'
import { resolveGatewayOptions } from './options.ts'

it('a limit in which no answer can arrive is refused by its name; one of a second is not', () => {
  for (const field of ['firstEventMs', 'betweenEventsMs', 'wholeAnswerMs']) {
    for (const value of [0, 999, -1, NaN]) {
      expect(() => resolveGatewayOptions({ limits: { [field]: value } })).toThrow(
        `limits.${field} must be at least 1,000 ms, got ${value}`,
      )
    }
    expect(resolveGatewayOptions({ limits: { [field]: 1_000 } }).limits).toEqual({ [field]: 1_000 })
  }
})

it('an option that no gateway has is refused by its name', () => {
  expect(() => resolveGatewayOptions({ upstrem: 'http://127.0.0.1:1' } as object)).toThrow(
    'Gateway option holds upstrem',
  )
})

it.each([
  ['fallback: The ladder has no model at rung 1', { fallback: [{ model: '' }] }],
  ['fallback: The ladder has b twice', { fallback: [{ model: 'b' }, { model: 'b' }] }],
  ['fallback: The ladder has 9 rungs', { fallback: Array.from('abcdefgh').map((model) => ({ model })) }],
  ['upstream: The ladder has 9 rungs', { upstream: Array.from('abcdefghi').map((host) => `http://${host}`) }],
  ['horizonMs must be a number', { policy: { horizonMs: -1 } }],
])('%s: what each request would be refused with is told when the gateway is made', (what, options) => {
  expect(() => resolveGatewayOptions(options)).toThrow(what)
})

it('an address that is named twice is one', () => {
  const { upstream, others } = resolveGatewayOptions({ upstream: ['http://a', 'http://b/', 'http://a/', 'http://b'] })
  expect([upstream, ...others]).toEqual(['http://a', 'http://b'])
})

const credentials = () => ({ accessKeyId: 'id', secretAccessKey: 'key' })

it.each([
  ['aws.credentials must be a function, got object', { aws: { credentials: credentials() } as never }],
  ['Gateway option aws holds accessKeyId', { aws: credentials() as never }],
  ['aws needs the upstream that it is for', { aws: { credentials } }],
  [
    'aws cannot be given together with credentials',
    { upstream: 'http://a', aws: { credentials }, credentials: () => ({}) },
  ],
  [
    'the region of http://b is not known',
    { upstream: ['https://bedrock-runtime.us-east-1.amazonaws.com', 'http://b'], aws: { credentials } },
  ],
])('%s: what could not be signed is told when the gateway is made', (what, options) => {
  expect(() => resolveGatewayOptions(options)).toThrow(what)
})
