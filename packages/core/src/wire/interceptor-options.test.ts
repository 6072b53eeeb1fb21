import { expect, test } from 'vitest'
import { resolveOptions } from './interceptor-options.ts'

test.each<[field: string, options: object]>([
  ['limits.firstEventMs', { limits: { firstEventMs: Number.NaN } }],
  ['limits.firstEventMs', { limits: { firstEventMs: -1 } }],
  ['limits.betweenEventsMs', { limits: { betweenEventsMs: '5m' } }],
  ['limits.wholeAnswerMs', { limits: { wholeAnswerMs: 0 } }],
  ['limits', { limits: { firstEventsMs: 5 } }],
  ['record', { record: 'sometimes' }],
  ['recrod', { recrod: false }],
  ['agent', { agent: 42 }],
  ['intentOf', { intentOf: 'ask' }],
  ['credentials', { credentials: { 'x-api-key': 'k' } }],
  ['tellsFallback', { tellsFallback: 1 }],
  ['ladder', { ladder: 'claude-opus-5-5' }],
  ['ladder', { ladder: {} }],
  ['ladder', { ladder: null }],
  ['ladder', { ladder: [null] }],
])('a bad %s is told at construction, not found out by each request: %o', (field, options) => {
  const bad = expect.objectContaining({ code: 'bad-option', details: expect.objectContaining({ field }) })
  expect(() => resolveOptions(options as never)).toThrow(bad)
})

test('what is left out has its default, and a limit without a number is left out', () => {
  const { record, limits, intentOf } = resolveOptions({ limits: { firstEventMs: undefined as never } })
  expect([record, limits, intentOf('any')]).toEqual([true, {}, 'report'])
})

test('a rule that there is not is told with the name of its tool', () => {
  const { intentOf } = resolveOptions({ intentOf: () => 'retry' as never })
  const bad = expect.objectContaining({ code: 'bad-option', message: expect.stringContaining('intentOf of deploy') })
  expect(() => intentOf('deploy')).toThrow(bad)
})

test('a key in place of a function that gives it is not quoted', () => {
  const told = (): unknown => {
    try {
      return resolveOptions({ credentials: 'the-key' as never })
    } catch (error) {
      return { ...(error as object), message: String(error) }
    }
  }
  expect(told()).toMatchObject({ message: expect.stringContaining('must be a function, got string') })
  expect(JSON.stringify(told())).not.toContain('the-key')
})
