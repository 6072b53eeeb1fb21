import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLastgoodError } from './errors.ts'
import { type Decision, type Fault, type FaultKind, decisionSchema, faultKindSchema } from './fault.ts'
import { type FaultHistory, type PolicyOptions, decide, defaultPolicy, resolvePolicy } from './policy.ts'

const now = Date.parse('2026-11-20T12:00:00Z')
const day = 86_400_000

function at(attempts: number, more: Partial<FaultHistory> = {}): FaultHistory {
  return { attempts, firstFaultAt: now, now, random: 0.999_999, ...more }
}

/** How long it waits, for a decision that retries; the decision itself otherwise. */
function waitMs(fault: Fault, history: FaultHistory, policy = defaultPolicy): number | Decision {
  const decision = decide(fault, history, policy)
  return decision.kind === 'retry' ? decision.at - now : decision
}

describe('waits', () => {
  const longestWaits: [FaultKind, number[]][] = [
    ['server-transient', [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    ['overloaded', [2_000, 4_000, 8_000, 16_000, 32_000, 60_000]],
    ['transport', [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    ['bad-gateway', [500, 1_000]],
    ['stream-cut', [250, 250, 1_000, 2_000]],
    ['stream-truncated', [250, 250, 1_000, 2_000]],
    ['stream-stalled', [250, 1_000, 2_000]],
    ['rate-limited', [5_000, 10_000, 20_000, 40_000, 60_000]],
  ]

  test.each(longestWaits)('%s is drawn below %j ms', (kind, bounds) => {
    expect(bounds.map((_, index) => waitMs({ kind }, at(index + 1)))).toEqual(bounds.map((bound) => bound - 1))
  })

  test('an outage of more than 15 min raises the cap to 5 min', () => {
    const long = at(50, { firstFaultAt: now - 900_000 })
    expect(waitMs({ kind: 'overloaded' }, long)).toBe(299_999)
    expect(waitMs({ kind: 'server-transient' }, long)).toBe(299_999)
    expect(waitMs({ kind: 'transport' }, long)).toBe(29_999)
  })

  test('retry-after is a floor under a jitter of about a second', () => {
    expect(waitMs({ kind: 'rate-limited', retryAfterMs: 17_000 }, at(1, { random: 0 }))).toBe(17_000)
    expect(waitMs({ kind: 'rate-limited', retryAfterMs: 17_000 }, at(1))).toBe(17_999)
    expect(waitMs({ kind: 'overloaded', retryAfterMs: 3_000 }, at(1))).toBe(3_999)
  })

  test('a server that says retry-after: 0 for ever is not hammered', () => {
    expect(waitMs({ kind: 'rate-limited', retryAfterMs: 0 }, at(9))).toBe(59_999)
  })

  test('a cut stream is not re-sent at once in the middle of an outage', () => {
    expect(waitMs({ kind: 'stream-cut' }, at(9))).toBe(59_999)
  })
})

describe('P6: what cannot win by waiting', () => {
  test('more retry-after than allowed suspends until then', () => {
    const decision = decide({ kind: 'rate-limited', retryAfterMs: 600_001 }, at(1, { random: 0 }), defaultPolicy)
    expect(decision).toEqual({
      kind: 'suspend',
      reason: 'The server asks for a pause of 10 min.',
      retryAt: now + 600_001,
    })
    expect(waitMs({ kind: 'rate-limited', retryAfterMs: 600_000 }, at(1, { random: 0 }))).toBe(600_000)
  })

  test('spend is never looped: one look an hour at most, and the reason quotes the API', () => {
    const fault: Fault = {
      kind: 'spend-blocked',
      status: 400,
      errorType: 'invalid_request_error',
      message: 'Credit low',
    }
    expect(decide(fault, at(1), defaultPolicy)).toEqual({
      kind: 'suspend',
      reason:
        "The account's spend limit or balance is used up. Raise it, then resume (400 invalid_request_error: Credit low).",
      retryAt: now + 3_600_000,
    })
  })

  test('credentials suspend, name the possible outage, and offer a try in 5 min', () => {
    const decision = decide({ kind: 'auth-blocked', status: 401 }, at(1), defaultPolicy)
    expect(decision).toMatchObject({ kind: 'suspend', retryAt: now + 300_000 })
    expect(decision).toHaveProperty('reason', expect.stringContaining('an outage of the login system looks the same'))
  })

  test('the content filter is tried twice more, whatever failed before it, then it is a person’s turn', () => {
    const fault: Fault = { kind: 'output-filtered' }
    const kinds = [1, 2, 3].map((attemptsOfKind) => decide(fault, at(40, { attemptsOfKind }), defaultPolicy))
    expect(kinds.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'suspend'])
    expect(kinds[2]).not.toHaveProperty('retryAt')
    expect(decide(fault, at(3), defaultPolicy).kind).toBe('suspend')
  })

  test('a server that says x-should-retry: false is left alone for a while', () => {
    const decision = decide({ kind: 'overloaded', shouldRetry: false }, at(1), defaultPolicy)
    expect(decision).toMatchObject({ kind: 'suspend', retryAt: now + 900_000 })
  })
})

describe('budgets', () => {
  test('a day without progress suspends, with an instant for a next try', () => {
    const fault: Fault = { kind: 'server-transient' }
    const before = at(900, { firstFaultAt: now - day + 300_000 })
    const after = at(900, { firstFaultAt: now - day, random: 0.5 })
    expect(decide(fault, before, defaultPolicy).kind).toBe('retry')
    expect(decide(fault, after, defaultPolicy)).toEqual({
      kind: 'suspend',
      reason: 'Gave up waiting: no progress within 24 h.',
      retryAt: now + 900_000,
    })
  })

  test('ten attempts of an interactive caller are ten attempts', () => {
    const policy = resolvePolicy({ maxAttempts: 10 })
    expect(decide({ kind: 'overloaded' }, at(9), policy).kind).toBe('retry')
    expect(decide({ kind: 'overloaded' }, at(10), policy)).toMatchObject({
      kind: 'suspend',
      reason: 'Gave up waiting after 10 attempts.',
      retryAt: now + 900_000,
    })
  })
})

describe('options', () => {
  test('the default policy is what no options give', () => {
    expect(resolvePolicy({})).toEqual(defaultPolicy)
    expect(resolvePolicy({ horizonMs: undefined, waits: { overloaded: {} }, probes: {} })).toEqual(defaultPolicy)
    expect(Object.keys(defaultPolicy.rules).sort()).toEqual([...faultKindSchema.options].sort())
  })

  test('waits and probes change their numbers and nothing else', () => {
    const policy = resolvePolicy({ waits: { overloaded: { capMs: 400_000 } }, probes: { 'auth-blocked': 60_000 } })
    expect(policy.rules.overloaded).toEqual({ action: 'retry', baseMs: 2_000, capMs: 400_000, longCapMs: 400_000 })
    expect(policy.rules['auth-blocked']).toEqual({ ...defaultPolicy.rules['auth-blocked'], probeMs: 60_000 })
    expect(policy.rules.transport).toEqual(defaultPolicy.rules.transport)
  })

  const bad: [claim: string, options: unknown, message: string][] = [
    ['a negative horizon', { horizonMs: -1 }, 'horizonMs must be a number from 0 to Infinity, got -1'],
    ['a horizon that is no number', { horizonMs: '1h' }, 'horizonMs must be a number from 0 to Infinity, got 1h'],
    ['no attempt at all', { maxAttempts: 0 }, 'maxAttempts must be a number from 1 to Infinity, got 0'],
    ['NaN', { exhaustedProbeMs: NaN }, 'exhaustedProbeMs must be a number from 0 to 31622400000, got NaN'],
    [
      'a cap below its base',
      { waits: { transport: { capMs: 1 } } },
      'waits.transport.capMs must be a number from 500 to 31622400000, got 1',
    ],
    ['a misspelt name', { horizon: 5 }, 'policy holds horizon; it must be one of horizonMs,'],
    [
      'waiting for spend',
      { waits: { 'spend-blocked': {} } },
      'waits holds spend-blocked; it must be one of server-transient,',
    ],
    [
      'probing an overload',
      { probes: { overloaded: 5 } },
      'probes holds overloaded; it must be one of spend-blocked, auth-blocked',
    ],
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

const durationMs = fc.nat(2 * day)
const optionsArbitrary: fc.Arbitrary<PolicyOptions> = fc.record(
  {
    horizonMs: fc.oneof(durationMs, fc.constant(Infinity)),
    maxAttempts: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Infinity)),
    maxRetryAfterMs: durationMs,
    longOutageAfterMs: durationMs,
    exhaustedProbeMs: durationMs,
    waits: fc
      .tuple(fc.constantFrom('overloaded', 'stream-cut', 'rate-limited'), fc.nat(1_000), fc.nat(day), fc.nat(5))
      .map(([kind, baseMs, moreMs, quickResends]) => ({ [kind]: { baseMs, capMs: baseMs + moreMs, quickResends } })),
    probes: fc.record({ 'spend-blocked': durationMs, 'auth-blocked': durationMs }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
)
const faultArbitrary: fc.Arbitrary<Fault> = fc.record(
  { kind: fc.constantFrom(...faultKindSchema.options), retryAfterMs: durationMs, shouldRetry: fc.boolean() },
  { requiredKeys: ['kind'] },
)
const historyArbitrary: fc.Arbitrary<FaultHistory> = fc
  .record({
    attempts: fc.integer({ min: 1, max: 2_000 }),
    ageMs: durationMs,
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  .map(({ attempts, ageMs, random }) => ({ attempts, random, now, firstFaultAt: now - ageMs }))

test('every policy that resolves gives decisions that the journal takes, with retries inside their bounds', () => {
  fc.assert(
    fc.property(optionsArbitrary, faultArbitrary, historyArbitrary, (options, fault, history) => {
      const policy = resolvePolicy(options)
      const decision = decisionSchema.parse(decide(fault, history, policy))
      const rule = policy.rules[fault.kind]
      const floorAt = now + (fault.retryAfterMs ?? 0)
      const capMs = rule.action === 'retry' ? Math.max(rule.capMs, rule.longCapMs ?? 0) : -1
      const retryAt = decision.kind === 'retry' ? decision.at : floorAt
      expect(retryAt).toBeGreaterThanOrEqual(floorAt)
      expect(decision.kind !== 'retry' || retryAt <= floorAt + capMs).toBe(true)
      expect(decision.kind !== 'retry' || retryAt - history.firstFaultAt <= policy.horizonMs).toBe(true)
      expect(decision.kind !== 'suspend' || (decision.retryAt ?? now) >= now).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

const hopeless = [
  'spend-blocked',
  'auth-blocked',
  'config',
  'request-rejected',
  'transcript-invalid',
  'too-large',
  'model-gone',
] as const

test('P6: no options and no history make a hopeless fault a retry', () => {
  fc.assert(
    fc.property(optionsArbitrary, fc.constantFrom(...hopeless), historyArbitrary, (options, kind, history) => {
      const decision = decide({ kind, shouldRetry: true, retryAfterMs: 0 }, history, resolvePolicy(options))
      expect(decision.kind).not.toBe('retry')
    }),
  )
})

test('P6: waiting out a fault never fails; the worst is suspended', () => {
  fc.assert(
    fc.property(optionsArbitrary, faultArbitrary, historyArbitrary, (options, fault, history) => {
      const policy = resolvePolicy(options)
      fc.pre(policy.rules[fault.kind].action === 'retry')
      expect(decide(fault, history, policy).kind).not.toBe('fail')
    }),
  )
})
