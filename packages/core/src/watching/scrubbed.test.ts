import { expect, test } from 'vitest'
import { scrubbedFields } from './scrubbed.ts'

const key = 'sk-ant-api03-0123456789abcdefghijklmnop'

test('secrets are masked in nested objects, in lists, and inside of strings', () => {
  const fields = {
    model: 'claude-opus-5-5',
    attempt: 3,
    a: { b: { c: [`the key is ${key}, he said`] } },
    headers: { authorization: 'Bearer anything', 'x-api-key': 'short', cookie: 'a=b', accept: 'text/plain' },
    apiKey: 'plain',
  }
  expect(scrubbedFields(fields)).toEqual({
    model: 'claude-opus-5-5',
    attempt: 3,
    a: { b: { c: ['the key is sk-ant-…[secret], he said'] } },
    headers: { authorization: '[secret]', 'x-api-key': '[secret]', cookie: '[secret]', accept: 'text/plain' },
    apiKey: '[secret]',
  })
})

test('an error keeps its name and its message without secrets, and loses its stack', () => {
  const error = Object.assign(new TypeError(`refused ${key}`), { code: 'ECONNREFUSED', token: key })
  expect(scrubbedFields({ error })).toEqual({
    error: { name: 'TypeError', message: 'refused sk-ant-…[secret]', code: 'ECONNREFUSED', token: '[secret]' },
  })
})

test('what masks a value in a text masks the field of that name', () => {
  const names = ['apiKey', 'x-lastgood-token', 'client_secret', 'passphrase', 'privateKey', 'signing_key']
  const fields = Object.fromEntries(names.map((name) => [name, 'plain']))
  expect(scrubbedFields(fields)).toEqual(Object.fromEntries(names.map((name) => [name, '[secret]'])))
})

test('a circle, a function and something very deep become words', () => {
  const circle: Record<string, unknown> = { run: () => {}, big: 1n }
  circle['itself'] = circle
  expect(JSON.stringify(scrubbedFields(circle))).toContain('"[deep]"')
  expect(scrubbedFields(circle)).toMatchObject({ run: 'function', big: 'bigint' })
})
