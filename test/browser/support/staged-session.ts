// Sessions as documents, for what no real run has: two thousand turns, hostile content, every mark at once.

import type { SessionCard, SessionDocument, Step, StepOf, TurnReport } from '@lastgood/dashboard'

export const stagedNow = Date.parse('2026-11-29T12:00:00.000Z')
export const iso = (at: number): string => new Date(at).toISOString()
const [second, minute] = [1_000, 60_000]

export function stagedCard(changes: Partial<SessionCard> & { sessionId: string }): SessionCard {
  return {
    group: 'done',
    status: 'idle',
    agent: 'coder',
    model: 'claude-opus-5-5',
    fallback: null,
    cwd: '/home/kim/projects/checkout',
    turn: 12,
    lastGoodTurn: 12,
    entries: 96,
    createdAt: iso(stagedNow - 5_400 * second),
    updatedAt: iso(stagedNow - 40 * second),
    reason: null,
    dueAt: null,
    heldBy: null,
    recovered: null,
    command: `lastgood resume ${changes.sessionId}`,
    clientCommand: null,
    ...changes,
  }
}

/** Builds turns as a story: each call advances the time. */
class Telling {
  readonly turns: TurnReport[] = []
  at: number
  #seq = 1

  constructor(start: number) {
    this.at = start
  }

  turn(message = ''): this {
    const turn = (this.turns.at(-1)?.turn ?? 0) + 1
    this.turns.push({
      turn,
      state: 'open',
      inherited: false,
      agent: 'coder',
      startedAt: iso(this.at),
      endedAt: null,
      durationMs: 0,
      requests: 0,
      faults: 0,
      tools: 0,
      tokens: { input: 0, cacheRead: 0, output: 0 },
      message,
      steps: [],
    })
    return this
  }

  pass(ms: number): this {
    this.at += ms
    return this
  }

  answer(durationMs: number, changes: Partial<StepOf<'answer'>> = {}): this {
    this.at += durationMs
    const turn = this.#now()
    turn.requests += 1
    turn.tokens.input += 18_400
    turn.tokens.cacheRead += 16_900
    turn.tokens.output += 640
    return this.#step({
      kind: 'answer',
      attempt: 1,
      durationMs,
      model: 'claude-opus-5-5',
      stopReason: 'tool_use',
      salvaged: false,
      text: '',
      ...changes,
    })
  }

  /** Starts now; with `isParallel` the time does not advance. */
  tool(name: string, durationMs: number | null, changes: Partial<StepOf<'tool'>> = {}, isParallel = false): this {
    this.#now().tools += 1
    this.#step({ kind: 'tool', name, input: '', outcome: 'ok', durationMs, result: '', ...changes })
    if (!isParallel) this.at += durationMs ?? 0
    return this
  }

  fault(fault: string, durationMs: number, waitMs: number | null, changes: Partial<StepOf<'fault'>> = {}): this {
    this.at += durationMs
    const turn = this.#now()
    turn.requests += 1
    turn.faults += 1
    this.#step({
      kind: 'fault',
      fault,
      message: 'Overloaded',
      attempt: turn.faults,
      durationMs,
      decision: 'retry',
      reason: '',
      waitMs,
      ...changes,
    })
    this.at += waitMs ?? 0
    return this
  }

  other(step: Untimed): this {
    return this.#step(step)
  }

  end(): this {
    const turn = this.#now()
    turn.state = 'ended'
    turn.endedAt = iso(this.at)
    turn.durationMs = this.at - Date.parse(turn.startedAt)
    return this
  }

  #now(): TurnReport {
    const turn = this.turns.at(-1)
    if (!turn) throw new Error('no turn yet')
    return turn
  }

  #step(step: Untimed): this {
    this.#now().steps.push({ seq: this.#seq++, at: iso(this.at), ...step } as Step)
    return this
  }
}
type Untimed = Step extends infer One ? (One extends Step ? Omit<One, 'seq' | 'at'> : never) : never

function documentOf(card: SessionCard, turns: TurnReport[], changes: Partial<SessionDocument> = {}): SessionDocument {
  const sum = (count: (turn: TurnReport) => number): number => turns.reduce((all, turn) => all + count(turn), 0)
  return {
    schema: 'lastgood.session-page/v1',
    at: iso(stagedNow),
    card,
    hasContent: false,
    before: [],
    turns,
    totals: {
      requests: sum(({ requests }) => requests),
      faults: sum(({ faults }) => faults),
      tools: sum(({ tools }) => tools),
      tokens: {
        input: sum(({ tokens }) => tokens.input),
        cacheRead: sum(({ tokens }) => tokens.cacheRead),
        output: sum(({ tokens }) => tokens.output),
      },
    },
    bands: { provider: [], statusPage: [] },
    resume: null,
    started: null,
    ...changes,
  }
}

/** Every kind of mark, an outage of 92 minutes that was waited out, a fallback, and a turn that stopped. */
export function everyMark(sessionId = 'fix-auth-tests'): SessionDocument {
  const start = stagedNow - 125 * minute
  const telling = new Telling(start)
  telling
    .turn('Make the tests of the login green')
    .answer(6 * second)
    .tool('read_file', 400)
    .answer(9 * second)
    .tool('bash', 7 * second, { input: 'npm test', outcome: 'error', result: '3 failed' })
  telling
    .answer(12 * second)
    .tool('edit_file', 300, {}, true)
    .tool('edit_file', 350, {}, true)
    .tool('read_file', 200)
    .answer(8 * second)
    .tool('bash', 9 * second, { input: 'npm test' })
    .answer(4 * second, { stopReason: 'end_turn' })
    .end()
  telling
    .pass(12 * second)
    .turn('Also the logout')
    .answer(7 * second)
    .tool('bash', 5 * second)
    .fault('529 overloaded_error', 900, 2 * second)
    .fault('500 api_error', 1_200, 5 * second)
    .answer(11 * second, { attempt: 3, stopReason: 'end_turn' })
    .end()
  telling.pass(20 * second).turn('Now the sessions table')
  telling
    .other({ kind: 'repaired', repairs: [{ rule: 'results', what: 'added 1 result' }] })
    .answer(9 * second)
    .tool('bash', 4 * second)
  const down = telling.at
  for (const wait of [2, 4, 9, 17]) telling.fault('529 overloaded_error', 800, wait * second)
  telling.fault('529 overloaded_error', 800, 92 * minute)
  const up = telling.at
  telling
    .answer(10 * second, { attempt: 6 })
    .tool('edit_file', 500)
    .answer(5 * second, { stopReason: 'end_turn' })
    .end()
  telling
    .pass(15 * second)
    .turn('Write the changelog')
    .answer(6 * second)
    .fault('503 overloaded_error', 700, 3 * second)
  telling
    .other({ kind: 'rung', model: 'claude-sonnet-5-5', reason: 'claude-opus-5-5 is down' })
    .answer(14 * second, { model: 'claude-sonnet-5-5' })
    .tool('edit_file', 600)
    .answer(5 * second, { model: 'claude-sonnet-5-5', stopReason: 'end_turn' })
    .end()
  telling
    .pass(25 * second)
    .turn('Deploy it')
    .answer(7 * second)
    .tool('bash', 6 * second, { input: 'npm run build' })
    .answer(5 * second)
  telling.tool('deploy', null, { input: 'staging', outcome: 'in-doubt' }).pass(20 * second)
  telling
    .other({ kind: 'resumed', host: 'build-7', pid: 4812, refolded: false })
    .answer(8 * second)
    .tool('bash', 3 * second)
  telling.fault('529 overloaded_error', 900, null, {
    decision: 'suspend',
    reason: 'the retry budget of 10m is used up',
  })
  telling.other({ kind: 'suspended', reason: 'gave-up', detail: 'overloaded for 10m' })
  const card = stagedCard({
    sessionId,
    group: 'needs-you',
    status: 'suspended',
    turn: 5,
    lastGoodTurn: 4,
    entries: 118,
    reason: 'claude-opus-5-5 was overloaded for 10m: the retry budget is used up',
    dueAt: iso(stagedNow + 95 * second),
    updatedAt: iso(telling.at),
  })
  return documentOf(card, telling.turns, {
    bands: {
      provider: [
        { from: iso(start), to: iso(down - 20 * second), state: 'up', text: 'answers' },
        {
          from: iso(down - 20 * second),
          to: iso(down + 3 * second),
          state: 'degraded',
          text: '4 of 19 requests failed',
        },
        { from: iso(down + 3 * second), to: iso(up), state: 'down', text: 'every request failed for 92 minutes' },
        { from: iso(up), to: iso(telling.at - 10 * second), state: 'up', text: 'answers again' },
        { from: iso(telling.at - 10 * second), to: null, state: 'down', text: 'down again' },
      ],
      statusPage: [
        { from: iso(start), to: iso(down + 12 * second), state: 'operational', text: 'All systems operational' },
        {
          from: iso(down + 12 * second),
          to: iso(up + 4 * second),
          state: 'incident',
          text: 'Elevated errors on claude-opus-5-5',
        },
        { from: iso(up + 4 * second), to: null, state: 'operational', text: 'All systems operational' },
      ],
    },
    resume: {
      turn: 5,
      lastGoodTurn: 4,
      does: 'turn 5 is open: continuing with 1 tool call',
      tokens: 84_000,
      cache: 'cold',
      usd: 0.42,
      cost: 'about $0.42 to read 84,000 tokens: the cache has been cold for 31m',
      inDoubt: [{ name: 'deploy', input: 'staging', rule: 'ask' }],
    },
  })
}

/** A turn in which a call of this tool has just begun. */
export function callUnderWay(name: string): SessionDocument {
  const telling = new Telling(stagedNow - 11 * second)
  telling
    .turn()
    .answer(6 * second)
    .tool('bash', 3 * second)
    .pass(2 * second)
    .tool(name, null, { outcome: 'none' })
  const running = { group: 'running', status: 'running', turn: 1, lastGoodTurn: 0 } as const
  return documentOf(stagedCard({ sessionId: 'under-way', ...running }), telling.turns)
}

export function manyTurns(count: number, sessionId = 'long-haul'): SessionDocument {
  const telling = new Telling(stagedNow - count * 40 * second)
  for (let turn = 1; turn <= count; turn++) {
    telling
      .turn()
      .answer(6 * second)
      .tool('bash', 3 * second)
      .tool('read_file', second)
    if (turn % 7 === 0) telling.fault('529 overloaded_error', 500, 2 * second)
    telling
      .answer(5 * second, { stopReason: 'end_turn' })
      .end()
      .pass(turn % 50 === 0 ? 10 * minute : 5 * second)
  }
  return documentOf(stagedCard({ sessionId, turn: count, lastGoodTurn: count, entries: count * 9 }), telling.turns)
}

export const hostileText =
  '</script><img src=x onerror="document.title=\'owned\'">\u001b[31mred\u202egnirts\u0007<script>window.owned=1</script>'

/** Every text that comes from outside is hostile. */
export function hostileSession(sessionId = 'hostile'): SessionDocument {
  const telling = new Telling(stagedNow - minute)
  telling.turn(hostileText).answer(2 * second, { text: hostileText, model: `m${hostileText}` })
  telling
    .tool(hostileText, second, { input: hostileText, result: hostileText, outcome: 'error' })
    .fault(hostileText, 500, second, { message: hostileText, reason: hostileText })
  telling
    .other({ kind: 'rung', model: hostileText, reason: hostileText })
    .answer(second, { stopReason: 'end_turn', text: hostileText })
    .end()
  const card = stagedCard({
    sessionId,
    agent: hostileText,
    model: hostileText,
    cwd: `/tmp/${hostileText}`,
    reason: hostileText,
    group: 'needs-you',
    status: 'needs-input',
    turn: 1,
    lastGoodTurn: 1,
    command: `lastgood resume ${hostileText}`,
  })
  const band = { from: iso(stagedNow - minute), to: null, state: hostileText, text: hostileText }
  return documentOf(card, telling.turns, { hasContent: true, bands: { provider: [], statusPage: [band] } })
}
