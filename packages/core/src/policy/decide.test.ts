import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Decision, type Fault, decisionSchema } from '../faults/fault.ts'
import { faultKinds, traitsOf, type FaultKind } from '../faults/fault-kinds.ts'
import { type FaultHistory, checkedDecide, decide } from './decide.ts'
import { type PolicyOptions, defaultPolicy, resolvePolicy } from './options.ts'

const lasting = faultKinds.filter((kind) => traitsOf(kind).isLasting)

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
    ['auth-outage', [120_000, 180_000, 300_000, 300_000]], // after the one that is sent again at once
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
    expect(waitMs({ kind: 'transport', retryAfterMs: 3_000 }, at(1))).toBe(3_499)
    // No quick re-send, either.
    expect(waitMs({ kind: 'stream-cut', retryAfterMs: 3_000 }, at(1))).toBe(3_999)
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
    expect(decide({ kind: 'auth-blocked', status: 401 }, at(1), defaultPolicy)).toEqual({ kind: 'resend' })
    const decision = decide({ kind: 'auth-blocked', status: 401 }, at(2), defaultPolicy)
    expect(decision).toMatchObject({ kind: 'suspend', retryAt: now + 300_000 })
    expect(decide({ kind: 'auth-blocked', status: 403 }, at(1), defaultPolicy).kind).toBe('suspend')
    expect(decision).toHaveProperty('reason', expect.stringContaining('an outage of the login system looks the same'))
  })

  test('a 401 is not sent again at once where the row says so', () => {
    const policy = resolvePolicy({ rules: { 'auth-blocked': { resendFirst: false } } })
    expect(decide({ kind: 'auth-blocked', status: 401 }, at(1), policy).kind).toBe('suspend')
  })

  test('no next try comes before the server allows one', () => {
    const kinds: FaultKind[] = ['spend-blocked', 'rate-limited']
    const policy = resolvePolicy({ exhaustedProbeMs: 0 })
    for (const kind of kinds) {
      const fault: Fault = { kind, shouldRetry: false, retryAfterMs: 5_000_000 }
      expect(decide(fault, at(1, { random: 0 }), policy)).toMatchObject({ kind: 'suspend', retryAt: now + 5_000_000 })
    }
    const refused: Fault = { kind: 'overloaded', shouldRetry: false, retryAfterMs: 5_000 }
    expect(decide(refused, at(1, { random: 0 }), policy)).toMatchObject({ kind: 'suspend', retryAt: now + 5_000 })
  })

  test('a reason quotes what the server said, as far as it said anything', () => {
    const reasonOf = (said: Partial<Fault>) =>
      decide({ kind: 'config', ...said }, at(1), resolvePolicy({ rules: { config: { reason: 'R' } } }))
    expect(reasonOf({})).toMatchObject({ reason: 'R.' })
    expect(reasonOf({ message: 'no' })).toMatchObject({ reason: 'R (no).' })
    expect(reasonOf({ status: 400, message: '' })).toMatchObject({ reason: 'R (400).' })
    expect(reasonOf({ errorType: 'e', message: 'no' })).toMatchObject({ reason: 'R (e: no).' })
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

describe('what is done at once', () => {
  const broken: Fault = { kind: 'stream-cut', complete: 'calls' }

  test('P2: complete tool calls are kept whatever broke the answer, even where the budget is used up', () => {
    const policy = resolvePolicy({ maxAttempts: 1, horizonMs: 0 })
    expect(decide(broken, at(9), policy)).toEqual({ kind: 'keep-and-continue' })
    expect(decide({ ...broken, kind: 'overloaded' }, at(1), policy)).toEqual({ kind: 'keep-and-continue' })
  })

  test('complete text alone is sent again, or kept where the policy says so', () => {
    const text: Fault = { kind: 'stream-cut', complete: 'text' }
    expect(decide(text, at(1), defaultPolicy).kind).toBe('retry')
    const keep = resolvePolicy({ cutText: 'keep' })
    // Twice for a request, whatever else went wrong with it.
    expect(decide(text, at(9, { kept: 1 }), keep)).toEqual({ kind: 'keep-and-continue' })
    expect(decide(text, at(2, { kept: 2 }), keep).kind).toBe('retry')
    expect(decide({ kind: 'stream-cut' }, at(1), keep).kind).toBe('retry')
  })

  test('each repair that the fault names is tried once, in their order; then it is told', () => {
    const fault: Fault = { kind: 'transcript-invalid', repairs: ['drop-block', 'strip-thinking'] }
    const decisions = [[], ['drop-block'], ['drop-block', 'strip-thinking']].map((tried) =>
      decide(fault, at(1, { tried }), defaultPolicy),
    )
    expect(decisions.slice(0, 2)).toEqual([
      { kind: 'repair', rule: 'drop-block' },
      { kind: 'repair', rule: 'strip-thinking' },
    ])
    expect(decisions[2]).toMatchObject({ kind: 'fail', reason: expect.stringContaining('earlier turn') })
  })

  test('a poisoned request that no repair helps is parked for a person; an answer that falls short counts as it is', () => {
    const decision = decide({ kind: 'poisoned' }, at(9), defaultPolicy)
    expect(decision.kind).toBe('suspend')
    expect(decision).not.toHaveProperty('retryAt')
    expect(decide({ kind: 'output-cut', repairs: ['raise-max-tokens'] }, at(1), defaultPolicy).kind).toBe('repair')
    expect(decide({ kind: 'output-cut' }, at(2), defaultPolicy)).toEqual({ kind: 'keep-and-continue' })
  })
})

describe('the ladder', () => {
  const nextRung = { model: 1, endpoint: 2 }

  test('another model takes over after a short window, and at once when the model is gone', () => {
    const later = { nextRung, now: now + 60_000 }
    expect(decide({ kind: 'server-transient' }, at(3, { nextRung }), defaultPolicy).kind).toBe('retry')
    expect(decide({ kind: 'server-transient' }, at(2, later), defaultPolicy).kind).toBe('retry')
    expect(decide({ kind: 'server-transient' }, at(3, later), defaultPolicy)).toEqual({ kind: 'fallback', rung: 1 })
    expect(decide({ kind: 'overloaded' }, at(2, { nextRung }), defaultPolicy)).toEqual({ kind: 'fallback', rung: 1 })
    expect(decide({ kind: 'model-gone' }, at(1, { nextRung }), defaultPolicy)).toEqual({ kind: 'fallback', rung: 1 })
  })

  test('the window counts from the first fault on the rung, so that a ladder is not run through at once', () => {
    const onRung = { nextRung, now: now + 90_000, attemptsOnRung: 1, firstFaultOnRungAt: now + 90_000 }
    expect(decide({ kind: 'server-transient' }, at(4, onRung), defaultPolicy).kind).toBe('retry')
  })

  test('where nothing answers, only another endpoint helps', () => {
    const later = at(3, { nextRung, now: now + 60_000 })
    expect(decide({ kind: 'transport' }, later, defaultPolicy)).toEqual({ kind: 'fallback', rung: 2 })
    expect(decide({ kind: 'transport' }, { ...later, nextRung: { model: 1 } }, defaultPolicy).kind).toBe('retry')
  })

  test('billing, credentials, size, limits and a refused request never change the model', () => {
    const kinds: FaultKind[] = [...lasting, 'rate-limited', 'auth-outage', 'poisoned', 'compaction-unavailable']
    for (const kind of kinds.filter((one) => one !== 'model-gone')) {
      expect(decide({ kind }, at(20, { nextRung, now: now + day }), defaultPolicy).kind).not.toBe('fallback')
    }
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

  test('a wait that would pass the horizon ends there, with a last try, unless the server asks for a longer one', () => {
    const policy = resolvePolicy({ horizonMs: 4_000 })
    const late = { firstFaultAt: now - 700 }
    expect(waitMs({ kind: 'overloaded' }, at(5, late), policy)).toBe(3_300)
    expect(waitMs({ kind: 'overloaded' }, at(5, { ...late, random: 0 }), policy)).toBe(0)
    expect(waitMs({ kind: 'overloaded', retryAfterMs: 3_000 }, at(1, late), policy)).toBe(3_300)
    expect(waitMs({ kind: 'overloaded', retryAfterMs: 3_301 }, at(1, { ...late, random: 0 }), policy)).toEqual({
      kind: 'suspend',
      reason: 'Gave up waiting: the next try would be later than 4 s without progress.',
      retryAt: now + 900_000,
    })
    expect(waitMs({ kind: 'overloaded' }, at(6, { firstFaultAt: now - 4_000, random: 0 }), policy)).toMatchObject({
      kind: 'suspend',
      reason: 'Gave up waiting: no progress within 4 s.',
    })
  })

  test('a horizon of 0 never waits', () => {
    const policy = resolvePolicy({ horizonMs: 0 })
    expect(decide({ kind: 'overloaded' }, at(1, { random: 0 }), policy).kind).toBe('suspend')
  })

  test('broken answers that cost two million tokens without progress suspend', () => {
    const decided = (tokens: number) => decide({ kind: 'stream-cut' }, at(3, { tokens }), defaultPolicy)
    expect(decided(2_000_000).kind).toBe('retry')
    expect(decided(2_000_001)).toMatchObject({ kind: 'suspend', retryAt: now + 900_000 })
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

const durationMs = fc.nat(2 * day)
const optionsArbitrary: fc.Arbitrary<PolicyOptions> = fc.record(
  {
    horizonMs: fc.oneof(durationMs, fc.constant(Infinity)),
    maxAttempts: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Infinity)),
    maxRetryAfterMs: durationMs,
    longOutageAfterMs: durationMs,
    exhaustedProbeMs: durationMs,
    rules: fc
      .record({
        kind: fc.constantFrom('overloaded', 'stream-cut', 'rate-limited'),
        baseMs: fc.nat(1_000),
        moreMs: fc.nat(day),
        minMs: fc.nat(60_000),
        quickResends: fc.nat(5),
        probeMs: durationMs,
      })
      .map(({ kind, baseMs, moreMs, minMs, quickResends, probeMs }) => ({
        [kind]: { baseMs, capMs: baseMs + moreMs, minMs, quickResends },
        'spend-blocked': { probeMs },
      })),
  },
  { requiredKeys: [] },
)
const ruleNames = ['drop-block', 'strip-thinking', 'shrink-images'] as const
const faultArbitrary: fc.Arbitrary<Fault> = fc.record(
  {
    kind: fc.constantFrom(...faultKinds),
    status: fc.constantFrom(400, 401, 500, 529),
    retryAfterMs: durationMs,
    shouldRetry: fc.boolean(),
    repairs: fc.subarray([...ruleNames]),
  },
  { requiredKeys: ['kind'] },
)
const historyArbitrary: fc.Arbitrary<FaultHistory> = fc
  .record({
    attempts: fc.integer({ min: 1, max: 2_000 }),
    ageMs: durationMs,
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    tokens: fc.nat(4_000_000),
    tried: fc.subarray([...ruleNames]),
    nextRung: fc.record({ model: fc.constantFrom(undefined, 1), endpoint: fc.constantFrom(undefined, 2) }),
  })
  .map(({ ageMs, ...history }) => ({ ...history, now, firstFaultAt: now - ageMs }))

test('every policy that resolves gives decisions that the journal takes, with retries inside their bounds', () => {
  fc.assert(
    fc.property(optionsArbitrary, faultArbitrary, historyArbitrary, (options, fault, history) => {
      const policy = resolvePolicy(options)
      const decision = decisionSchema().parse(decide(fault, history, policy))
      const rule = policy.rules[fault.kind]
      const floorAt = now + (fault.retryAfterMs ?? 0) + (rule.action === 'retry' ? (rule.minMs ?? 0) : 0)
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

test('P6: no options and no history make a hopeless fault a retry', () => {
  fc.assert(
    fc.property(optionsArbitrary, fc.constantFrom(...lasting), historyArbitrary, (options, kind, history) => {
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

test('what a function of the caller decides is a decision that a journal can have, or a bad-option that names the field', () => {
  const decided = (decision: unknown) => () =>
    checkedDecide(() => decision as Decision)({ kind: 'overloaded' }, at(1), defaultPolicy)
  expect(decided({ kind: 'retry', at: now })()).toEqual({ kind: 'retry', at: now })
  for (const [decision, field] of [
    [{ kind: 'retry', at: 1e300 }, 'at'],
    [{ kind: 'retry', at: NaN }, 'at'],
    [{ kind: 'suspend', reason: 'r', retryAt: Infinity }, 'retryAt'],
    [{ kind: 'wait' }, 'kind'],
    [undefined, 'entry'],
  ]) {
    const message = expect.stringContaining(`(${field as string}: `)
    expect(decided(decision)).toThrow(expect.objectContaining({ code: 'bad-option', message }))
  }
})
