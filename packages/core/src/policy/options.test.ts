import { describe, expect, test } from 'vitest'
import { isLastgoodError } from '../errors.ts'
import { faultKinds } from '../faults/fault-kinds.ts'
import { type PolicyOptions, defaultPolicy, resolvePolicy } from './options.ts'

describe('options', () => {
  test('the default policy is what no options give', () => {
    expect(resolvePolicy({})).toEqual(defaultPolicy)
    expect(resolvePolicy({ horizonMs: undefined, rules: { overloaded: {}, config: undefined } })).toEqual(defaultPolicy)
    expect(Object.keys(defaultPolicy.rules).sort()).toEqual([...faultKinds].sort())
  })

  test('a row keeps the fields that the options do not name; a higher cap takes the long cap along', () => {
    const policy = resolvePolicy({ rules: { overloaded: { capMs: 400_000 }, 'auth-blocked': { probeMs: 60_000 } } })
    expect(policy.rules.overloaded).toEqual({ ...defaultPolicy.rules.overloaded, capMs: 400_000, longCapMs: 400_000 })
    expect(policy.rules['auth-blocked']).toEqual({ ...defaultPolicy.rules['auth-blocked'], probeMs: 60_000 })
    expect(policy.rules.transport).toEqual(defaultPolicy.rules.transport)
  })

  test('a row with another action takes the place of the default row', () => {
    const policy = resolvePolicy({ rules: { overloaded: { action: 'suspend', probeMs: 5, reason: 'not today' } } })
    expect(policy.rules.overloaded).toEqual({ action: 'suspend', probeMs: 5, reason: 'not today' })
  })

  const bad: [claim: string, options: unknown, message: string][] = [
    ['a negative horizon', { horizonMs: -1 }, 'horizonMs must be a number from 0 to Infinity, got -1'],
    ['a horizon that is no number', { horizonMs: '1h' }, 'horizonMs must be a number from 0 to Infinity, got 1h'],
    ['no attempt at all', { maxAttempts: 0 }, 'maxAttempts must be a number from 1 to Infinity, got 0'],
    ['NaN', { exhaustedProbeMs: NaN }, 'exhaustedProbeMs must be a number from 0 to 31622400000, got NaN'],
    [
      'a cap below its base',
      { rules: { transport: { capMs: 1 } } },
      'rules.transport.capMs must be a number from 500 to 31622400000, got 1',
    ],
    ['a misspelt name', { horizon: 5 }, 'policy holds horizon; it must be one of horizonMs,'],
    ['a misspelt kind', { rules: { overload: {} } }, 'rules holds overload; it must be one of server-transient,'],
    [
      'waiting for spend',
      { rules: { 'spend-blocked': { action: 'retry', baseMs: 1, capMs: 1 } } },
      'rules.spend-blocked.action must be suspend, fail or repair: waiting does not fix it, got retry',
    ],
    [
      'a field of another action',
      { rules: { overloaded: { probeMs: 5 } } },
      'rules.overloaded holds probeMs; it must be one of action, baseMs,',
    ],
    [
      'half a row',
      { rules: { overloaded: { action: 'suspend', probeMs: 5 } } },
      'rules.overloaded.reason must be set for action suspend, got undefined',
    ],
    [
      'a window without attempts',
      { rules: { overloaded: { fallback: { attempts: 0, afterMs: 0, to: 'model' } } } },
      'rules.overloaded.fallback.attempts must be a number from 1 to Infinity, got 0',
    ],
    [
      'keeping the answer of a request that has none',
      { rules: { overloaded: { action: 'repair', otherwise: 'keep', reason: 'x' } } },
      'rules.overloaded.otherwise must be fail or suspend: there is no answer to keep, got keep',
    ],
    ['what becomes of text', { cutText: 'drop' }, 'cutText must be one of resend, keep, got drop'],
    ['no object', null, 'policy holds a object; it must be an object with'],
  ]

  test.each(bad)('%s is a bad option', (_claim, options, message) => {
    const error = (() => {
      try {
        return resolvePolicy(options as PolicyOptions)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(isLastgoodError(error, 'bad-option')).toBe(true)
    expect(error).toHaveProperty('message', expect.stringContaining(message))
  })
})
