import { describe, expect, test } from 'vitest'
import { heldReasons } from '../health/held.ts'
import type { EntryBody } from '../journal/journal.ts'
import { defaultPolicy } from '../policy/options.ts'
import type { Head } from '../store/head.ts'
import type { Happening } from './happening.ts'
import { Happenings } from './happenings.ts'

const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }
const started: EntryBody = { type: 'turn-started', turn: 1, messages: [] }
const sent = (attempt = 1, model = 'opus'): EntryBody => ({ type: 'request-sent', model, attempt })
const answered: EntryBody = {
  type: 'response-received',
  message: {
    id: 'msg',
    role: 'assistant',
    model: 'opus',
    content: [{ type: 'text', text: 'the-answer' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 10, cache_creation_input_tokens: 5, cache_read_input_tokens: 100 },
  },
}
const overloaded = (decision: Extract<EntryBody, { type: 'fault-observed' }>['decision'], more = {}): EntryBody => ({
  type: 'fault-observed',
  fault: { kind: 'overloaded', status: 529, errorType: 'overloaded_error', message: 'the-words', ...more },
  decision,
})

/** What is told of entries, a second apart unless `at` says when each was written. */
function told(
  bodies: readonly EntryBody[],
  {
    hasOpenTurn = false,
    attempt = 1,
    before = undefined as Partial<Head> | undefined,
    at = (i: number) => 1_000 * (i + 1),
  } = {},
) {
  const session = {
    policy: defaultPolicy,
    state: hasOpenTurn ? 'requesting' : 'idle',
    context: { turn: hasOpenTurn ? 1 : 0, attempt: hasOpenTurn ? attempt : 0, rungModel: null, firstFaultAt: null },
    transcript: { turns: hasOpenTurn ? [{ turn: 1, from: 0 }] : [] },
    envelope: undefined,
    hasOpenTurn,
    clock: { now: () => 0 },
  }
  const happenings = new Happenings(session as never, before as Head | undefined)
  const all = bodies.flatMap((body, i) => {
    const entry = { ...body, v: 3, seq: i + 1, at: at(i), fence: 1, lane: 'main' } as const
    return happenings.take({ type: 'entry', entry })
  })
  return {
    all,
    kinds: all.map(({ kind }) => kind),
    of: <K extends Happening['kind']>(kind: K) =>
      all.filter((one) => one.kind === kind) as Extract<Happening, { kind: K }>[],
  }
}

describe('a wait', () => {
  test('during which the wall clock is set back lasts no time', () => {
    const instants = [60_000, 61_000, 62_000, 3_000, 4_000]
    const bodies = [started, sent(), overloaded({ kind: 'retry', at: 63_000 }), sent(2), answered]
    const { of } = told(bodies, { at: (i) => instants[i] ?? 0 })
    expect(of('waited')).toMatchObject([{ reason: 'backoff', at: 3_000, since: 3_000 }])
  })

  test('lasts from the fault to whatever comes next', () => {
    const retry = overloaded({ kind: 'retry', at: 9_000 })
    const held: EntryBody = { type: 'request-held', until: 60_000, reason: heldReasons.breaker('opus', 'transport') }
    const { of } = told([started, sent(), retry, held, sent(2), answered])
    expect(of('waiting').map(({ reason, until }) => [reason, until])).toEqual([
      ['backoff', 9_000],
      ['circuit_open', 60_000],
    ])
    expect(of('waited').map(({ reason, since, at }) => [reason, since, at])).toEqual([
      ['backoff', 3_000, 4_000],
      ['circuit_open', 4_000, 5_000],
    ])
  })

  test.each([
    ['circuit_open', heldReasons.breaker('opus', 'overloaded')],
    ['circuit_open', heldReasons.comeback('opus', 'now')],
    ['circuit_open', heldReasons.crowd('opus')],
    ['retry_after', heldReasons.server('opus', 'then')],
    ['backoff', '529 overloaded'],
    ['limiter', "the fleet's rate limit for opus (perMinute)"],
  ])('is for what holds the request: %s', (expected, reason) => {
    const { of } = told([started, { type: 'request-held', until: 60_000, reason }, sent(), answered])
    expect(of('waiting')).toMatchObject([{ reason: expected }])
    expect(of('waited')).toMatchObject([{ reason: expected }])
  })

  test('is the server’s where it named a time, and an outage’s when it has lasted', () => {
    const named = overloaded({ kind: 'retry', at: 9_000 }, { retryAfterMs: 5_000 })
    expect(told([started, sent(), named]).of('waiting')).toMatchObject([{ reason: 'retry_after' }])
    const long = Math.ceil(defaultPolicy.longOutageAfterMs / 1_000) + 1
    const many = Array.from({ length: long }, () => overloaded({ kind: 'retry', at: 9_000 }))
    expect(
      told([started, sent(), ...many])
        .of('waiting')
        .at(-1),
    ).toMatchObject({ reason: 'outage' })
  })
})

describe('a recovery', () => {
  const retry = overloaded({ kind: 'retry', at: 9_000 })
  const turned: EntryBody = { type: 'rung-changed', rung: 1, model: 'sonnet', reason: '529' }
  const resumed: EntryBody = { type: 'session-resumed', owner }

  test('lasts from the first fault to the answer', () => {
    const { of } = told([started, sent(), retry, sent(2), retry, sent(3), answered])
    expect(of('recovered')).toMatchObject([{ mode: 'same_model', durationMs: 4_000, attempt: 3 }])
  })

  test('is by another rung where one answered', () => {
    const { of } = told([started, sent(), retry, turned, sent(1, 'sonnet'), answered, { type: 'turn-ended', turn: 1 }])
    expect(of('recovered')).toMatchObject([{ mode: 'fallback' }])
    expect(of('fallback')).toMatchObject([{ from: 'opus', to: 'sonnet', rung: 1, reason: 'overloaded' }])
    expect(of('turn-ended')).toMatchObject([{ outcome: 'ok_after_fallback', attempts: 2, requested: 'opus' }])
  })

  test('is by the same model where the one that had taken over failed and answered, or was asked first', () => {
    const elsewhere = [started, sent(), retry, turned, sent(1, 'sonnet'), answered, sent(1, 'sonnet'), retry]
    expect(told([...elsewhere, sent(2, 'sonnet'), answered]).of('recovered')).toMatchObject([
      { mode: 'fallback' },
      { mode: 'same_model' },
    ])
    const envelope: EntryBody = { type: 'envelope-changed', envelope: { body: { model: 'opus' }, betas: [] } }
    const held: EntryBody = { type: 'request-held', until: 9_000, reason: heldReasons.breaker('opus', 'overloaded') }
    expect(told([started, envelope, held, sent(), answered]).of('recovered')).toMatchObject([{ mode: 'same_model' }])
  })

  test('by another rung is from the model that the turn asks for, whatever answered the turn before', () => {
    const again: EntryBody[] = [{ type: 'turn-ended', turn: 1 }, { ...started, turn: 2 } as EntryBody, turned]
    const { of } = told([started, sent(), retry, turned, sent(1, 'sonnet'), answered, ...again])
    expect(of('fallback').map(({ from, to }) => [from, to])).toEqual([
      ['opus', 'sonnet'],
      ['opus', 'sonnet'],
    ])
  })

  test('after an interruption lasts from the last fact before it, and tells what the cold cache cost', () => {
    const before = { turn: 1, lastGoodTurn: 0, updatedAt: -9_000 }
    const { of } = told([resumed, sent(), answered], { hasOpenTurn: true, before })
    expect(of('resumed')).toMatchObject([{ downtimeMs: 10_000 }])
    expect(of('recovered')).toMatchObject([{ mode: 'resume', durationMs: 12_000 }])
    expect(of('answered')).toMatchObject([{ isFirstAfterResume: true, usage: { uncachedInput: 15 } }])
  })

  test('is none where another process takes a turn that nobody has asked for, as after a submit', () => {
    const before = { turn: 1, lastGoodTurn: 0, updatedAt: -9_000 }
    const { kinds } = told([resumed, sent(), answered], { hasOpenTurn: true, attempt: 0, before })
    expect(kinds).toEqual(['resumed', 'attempt', 'answered'])
    expect(told([started, resumed, sent(), answered]).kinds).not.toContain('recovered')
  })

  test('is none where nothing failed, or where it was given up', () => {
    expect(told([started, sent(), answered]).kinds).not.toContain('recovered')
    const held: EntryBody = {
      type: 'request-held',
      until: 9_000,
      reason: "the fleet's rate limit for opus (perMinute)",
    }
    expect(told([started, held, sent(), answered]).kinds).not.toContain('recovered')
    const { kinds } = told([started, sent(), overloaded({ kind: 'fail', reason: 'no' })])
    expect(kinds).toEqual(['turn-started', 'attempt', 'attempt-failed', 'failed'])
  })
})

test('what the other side said is in none of them, nor a type of error that is no word', () => {
  const odd = overloaded({ kind: 'suspend', reason: 'the-words' }, { errorType: 'the words' })
  expect(JSON.stringify(told([started, sent(), odd, sent(2), answered]).all)).not.toMatch(/the.words|the-answer/)
})
