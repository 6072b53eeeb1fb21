import type { FaultKind, HealthRecord, StatusReading } from '@lastgood/core'
import { testEpoch } from '@lastgood/core/testing'
import { describe, expect, it } from 'vitest'
import type { SessionRow } from '../sessions/session-row.ts'
import { pageLine, pageWords } from './page-words.ts'
import { providerState } from './provider-state.ts'
import { verdictOf, type StatusReport } from './verdict.ts'

const now = testEpoch
const minute = 60_000
const endpoint = 'https://api.anthropic.com'

function record(changes: Partial<HealthRecord> = {}): HealthRecord {
  const breaker = { state: 'closed', failures: 0 } as const
  return { v: 1, endpoint, model: 'claude-opus-5-5', breaker, successes: [], denials: [], minutes: [], ...changes }
}
const trouble = { since: now - 2 * minute, cause: 'overloaded', probes: 1, failedBy: 's' } as const
const open = (changes: Partial<HealthRecord> = {}): HealthRecord =>
  record({
    breaker: { state: 'open', ...trouble, probeAt: now + 40_000 },
    lastFault: { kind: 'overloaded', at: now - 1_000 },
    ...changes,
  })
const answering = (model: string, at = now - minute): HealthRecord =>
  record({ model, minutes: [{ at, ok: 12, failed: 2 }] })

const incident: StatusReading = {
  ageMs: 6 * minute,
  page: {
    indicator: 'minor',
    description: '',
    api: 'operational',
    openIncidents: [{ name: 'Elevated errors on Claude Opus 5', status: 'investigating', impact: 'minor' }],
  },
}

function row(sessionId: string, status: SessionRow['status'], reason?: string, isRecoverable = true): SessionRow {
  const machine = { version: '2', value: 'x', context: {} }
  const times = { createdAt: now, updatedAt: now }
  const head = { v: 3, sessionId, agent: 'coder', seq: 3, turn: 1, lastGoodTurn: 0, machine, ...times } as const
  const shown = status === 'interrupted' || status === 'queued' ? 'running' : status
  const whole = { ...head, status: shown, ...(reason && { reason }) }
  return { head: whole, holder: null, status, isRecoverable, isForWorkers: false }
}

/** Suspended after faults of this kind. */
function stopped(sessionId: string, faultKind: FaultKind): SessionRow {
  const { head, ...rest } = row(sessionId, 'suspended', 'Gave up waiting')
  return { ...rest, head: { ...head, machine: { ...head.machine, context: { faultKind } } } }
}

function verdict(records: readonly HealthRecord[], rows: readonly SessionRow[], page: StatusReport['page']) {
  return verdictOf({ now, providers: records.map((one) => providerState(one, now)), page, open: rows })
}

const off = { off: '--no-page' }
const waiting = ['a', 'b', 'c'].map((id) => row(id, 'waiting', '529 overloaded', id === 'b'))

describe('the verdict', () => {
  it.each<[string, ReturnType<typeof verdict>, { kind: string; text: string; next?: unknown }]>([
    [
      'the API was heard, and refused for reasons of the caller’s',
      verdict(
        [record({ lastFault: { kind: 'spend-blocked', at: now - 1_000 } })],
        [row('a', 'suspended', 'Raise it')],
        off,
      ),
      {
        kind: 'session',
        text: 'No outage: the API refuses session a: Raise it',
        next: { command: 'resume', sessionId: 'a' },
      },
    ],
    [
      'every login is refused, which one wrong key does as well',
      verdict(
        [open({ breaker: { state: 'open', ...trouble, cause: 'auth-outage', probeAt: now + 40_000 } })],
        waiting,
        off,
      ),
      {
        kind: 'login',
        text: 'The API refuses every login from here (an outage of its own, or the key that all share): 3 sessions wait, next probe in 40s',
        next: { command: 'resume', sessionId: 'b' },
      },
    ],
    [
      'everybody fails',
      verdict([open()], waiting, off),
      {
        kind: 'outage',
        text: 'The API is failing for everyone here, not because of your prompt, key or quota: 3 sessions wait, next probe in 40s',
        next: { command: 'resume', sessionId: 'b' },
      },
    ],
    [
      'everybody fails, and nobody waits any more',
      verdict(
        [open()],
        [stopped('x', 'context-overflow'), stopped('y', 'overloaded'), stopped('z', 'stream-cut')],
        off,
      ),
      {
        kind: 'outage',
        text: 'The API is failing for everyone here, not because of your prompt, key or quota: no sessions wait, it stopped 2, next probe in 40s',
        next: { command: 'resume', sessionId: 'y' },
      },
    ],
    [
      'one model fails, another answers',
      verdict([open(), answering('claude-haiku-5-5')], waiting.slice(0, 1), off),
      {
        kind: 'outage',
        text: 'claude-opus-5-5 is failing for everyone here, not because of your prompt, key or quota: 1 session waits, next probe in 40s, claude-haiku-5-5 answers',
      },
    ],
    [
      'nothing can be reached',
      verdict([open({ breaker: { state: 'open', ...trouble, cause: 'transport', probeAt: now + 40_000 } })], [], off),
      {
        kind: 'unreachable',
        text: 'The API cannot be reached from here (this network or theirs): no sessions wait, next probe in 40s',
      },
    ],
    [
      'a model is gone',
      verdict([open({ breaker: { state: 'open', ...trouble, cause: 'model-gone', probeAt: now } })], [], off),
      {
        kind: 'model-gone',
        text: 'claude-opus-5-5 is gone, or not allowed with this key: no sessions wait, next probe now',
      },
    ],
    [
      'a probe is under way',
      verdict(
        [open({ breaker: { state: 'half-open', ...trouble, prober: 's', startedAt: now, until: now + minute } })],
        [],
        off,
      ),
      {
        kind: 'outage',
        text: 'The API is failing for everyone here, not because of your prompt, key or quota: no sessions wait, a probe is under way',
      },
    ],
    [
      'it failed for all, long ago, and nobody has tried since',
      verdict(
        [
          open({
            breaker: { state: 'open', ...trouble, probeAt: now - 70 * minute },
            lastFault: { kind: 'overloaded', at: now - 71 * minute },
          }),
        ],
        [],
        incident,
      ),
      {
        kind: 'unknown',
        text: "No request was answered here in the last hour, so whether the API answers is unknown; claude-opus-5-5 failed on the last try, 1h ago; the status page says: investigating 'Elevated errors on Claude Opus 5'",
      },
    ],
    [
      'a rate limit',
      verdict([record({ held: { since: now, until: now + 20_000 } })], waiting, incident),
      {
        kind: 'rate-limited',
        text: 'A rate limit, not an outage: claude-opus-5-5 takes requests again in 20s, 3 sessions wait',
        next: { command: 'resume', sessionId: 'b' },
      },
    ],
    [
      'a person is needed',
      verdict([answering('m')], [row('x', 'suspended', 'spent'), row('y', 'needs-input', 'run: deploy')], off),
      {
        kind: 'needs-input',
        text: 'Session y needs you: run: deploy',
        next: { command: 'resume', sessionId: 'y', inDoubt: true },
      },
    ],
    [
      'one session fails, others are answered',
      verdict([answering('m')], [row('x', 'suspended', '402 spend-blocked')], incident),
      {
        kind: 'session',
        text: 'Only session x fails: 402 spend-blocked',
        next: { command: 'resume', sessionId: 'x' },
      },
    ],
    [
      'some sessions fail, others are answered; somebody is at them',
      verdict([answering('m')], [row('x', 'waiting', 'a', false), row('y', 'waiting', 'b', false)], off),
      {
        kind: 'session',
        text: 'The API answers others; 2 sessions are not continuing, each for its own reason',
        next: { command: 'show', sessionId: 'x' },
      },
    ],
    [
      'one session fails, and nobody else was answered',
      verdict([], [row('x', 'waiting', '500 server-transient')], incident),
      {
        kind: 'unknown',
        text: "Session x is not continuing (500 server-transient), and no request was answered here in the last hour: it may be the API; the status page says: investigating 'Elevated errors on Claude Opus 5'",
        next: { command: 'resume', sessionId: 'x' },
      },
    ],
    [
      'all is well',
      verdict([answering('m'), answering('n')], [], off),
      { kind: 'fine', text: 'The API answers: 24 of 28 requests in the last hour' },
    ],
    [
      'nothing was sent, and the page is unknown',
      verdict([answering('m', now - 61 * minute)], [], { ageMs: Infinity, failure: 'status.test: HTTP 405' }),
      { kind: 'unknown', text: 'No request was answered here in the last hour, so whether the API answers is unknown' },
    ],
  ])('%s', (_case, found, expected) => {
    expect(found).toEqual(expected)
  })
})

it('a provider has its own counts for 10 min and for an hour', () => {
  const minutes = [70, 59, 11, 9, 0].map((ago, i) => ({ at: now - ago * minute, ok: 10 ** i, failed: 2 * 10 ** i }))
  const { last10Min, lastHour } = providerState(record({ minutes }), now)
  expect(last10Min).toEqual({ answered: 11_000, failed: 22_000 })
  expect(lastHour).toEqual({ answered: 11_110, failed: 22_220 })
})

describe('the status page in a line', () => {
  const operational: StatusReading = {
    ageMs: 1,
    page: { indicator: 'none', description: '', api: 'operational', openIncidents: [] },
  }
  const degraded: StatusReading = { ...operational, page: { ...operational.page!, api: 'partial_outage' } }
  it.each<[string, StatusReading, string | undefined, string]>([
    ['that was never read is unknown', { ageMs: Infinity, failure: 'x' }, undefined, 'unknown'],
    ['that is fine may lag', operational, undefined, 'API operational (may lag by ~10 min)'],
    [
      'that could not be read for long is unknown, also when it was fine',
      { ...operational, ageMs: 31 * minute },
      undefined,
      'unknown (the last one is 31m00s old)',
    ],
    ['without an incident says what the API is', degraded, undefined, 'API partial outage (0.0s old)'],
    [
      'with an incident names it',
      incident,
      'claude-opus-5',
      "investigating 'Elevated errors on Claude Opus 5' (6m00s old)",
    ],
    [
      'with an incident that may be another model’s says so',
      incident,
      'claude-opus-5-5',
      "investigating 'Elevated errors on Claude Opus 5' (it may mean claude-opus-5-5; 6m00s old)",
    ],
    ['with the incident of another model', incident, 'claude-haiku-5-5', 'API operational (may lag by ~10 min)'],
    [
      'without a word on the API is unknown',
      { ageMs: 1, page: { indicator: 'none', description: '', openIncidents: [] } },
      undefined,
      'unknown (it does not mention the API)',
    ],
    [
      'cannot command the terminal',
      { ageMs: 1, page: { ...incident.page!, openIncidents: [{ name: '\u001b[2J\n', status: 'x\r', impact: '' }] } },
      undefined,
      "x␍ '␛[2J ' (0.0s old)",
    ],
  ])('%s', (_case, reading, model, line) => {
    expect(pageLine(pageWords(reading, model))).toBe(`status page: ${line}`)
  })
})
