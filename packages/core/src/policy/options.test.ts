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

  test('a field that is undefined is left out; an own long cap stays as it is', () => {
    const ofJavaScript: object = { capMs: 70_000, longCapMs: 80_000, minMs: undefined }
    const { overloaded, transport } = resolvePolicy({
      rules: { overloaded: ofJavaScript, transport: { capMs: 40_000 } },
    }).rules
    expect(transport).toEqual({ ...defaultPolicy.rules.transport, capMs: 40_000 })
    expect(overloaded).toEqual({ ...defaultPolicy.rules.overloaded, capMs: 70_000, longCapMs: 80_000 })
    expect(overloaded).not.toHaveProperty('minMs')
  })

  test('a row that repairs may end in any way that its fault can end in', () => {
    for (const otherwise of ['fail', 'suspend'] as const) {
      expect(resolvePolicy({ rules: { poisoned: { otherwise } } }).rules.poisoned).toMatchObject({ otherwise })
    }
    const kept = { action: 'repair', otherwise: 'keep', reason: 'x' } as const
    expect(resolvePolicy({ rules: { 'empty-answer': kept } }).rules['empty-answer']).toEqual(kept)
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
    [
      'a field of no action',
      { rules: { overloaded: { action: 'suspend', wait: 5 } } },
      'rules.overloaded holds wait; it must be one of action, ',
    ],
    ['no row', { rules: { overloaded: null } }, 'rules.overloaded holds a object; it must be an object with action, '],
    ['no duration', { rules: { overloaded: { minMs: '5' } } }, 'rules.overloaded.minMs must be a number from 0 to'],
    [
      'no count',
      { rules: { overloaded: { maxResends: -1 } } },
      'rules.overloaded.maxResends must be a number from 0 to',
    ],
    ['no text', { rules: { overloaded: { exhausted: 5 } } }, 'rules.overloaded.exhausted must be a text, got 5'],
    ['no flag', { rules: { overloaded: { resendFirst: 1 } } }, 'rules.overloaded.resendFirst must be true or false'],
    ['no way out', { rules: { poisoned: { otherwise: 'wait' } } }, 'must be one of fail, suspend, keep, got wait'],
    [
      'a misspelt window',
      { rules: { overloaded: { fallback: { attempts: 1, afterMs: 0, to: 'model', after: 1 } } } },
      'rules.overloaded.fallback holds after; it must be one of attempts, afterMs, to',
    ],
    [
      'a window without a time',
      { rules: { overloaded: { fallback: { attempts: 1, to: 'model' } } } },
      'rules.overloaded.fallback.afterMs must be a number from 0 to',
    ],
    [
      'a window to nowhere',
      { rules: { overloaded: { fallback: { attempts: 1, afterMs: 0, to: 'home' } } } },
      'rules.overloaded.fallback.to must be one of model, endpoint, got home',
    ],
    [
      'a long cap below the cap',
      { rules: { overloaded: { longCapMs: 59_999 } } },
      'rules.overloaded.longCapMs must be a number from 60000 to',
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
