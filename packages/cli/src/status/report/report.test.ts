import { LastgoodError, type EntryBody, type Store } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { ended, sent, started } from '../../../test/context.ts'
import { readReport, type Report } from './report.ts'
import { asking, begun, call, done, fails, good, minute, reportOf, start, yes, type Story } from './report.fixture.ts'

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5']

const refused = (
  kind: 'request-rejected' | 'transcript-invalid' | 'rate-limited' | 'auth-blocked',
  status: number,
): EntryBody => ({
  type: 'fault-observed',
  fault: { kind, status, message: 'your secret prompt' },
  decision: kind === 'rate-limited' ? { kind: 'retry', at: start } : { kind: 'fail', reason: 'The API refused it' },
})
const moved = (model: string): EntryBody => ({ type: 'rung-changed', rung: 1, model, reason: '529 overloaded' })

const lineOf = ({ sessions }: Report, id: string) => sessions.find(({ row }) => row.head.sessionId === id)

describe('an outage that many sessions met', () => {
  const night = {
    stayed: [
      [0, started(1), sent()],
      [1, fails(5)],
      [5, sent()],
      [6, fails(92)],
      [92, sent()],
      [93, yes, ended(1)],
    ],
    moved: [
      [2, started(1), sent(), fails(3)],
      [3, sent(), fails(3), moved(sonnet), asking(sonnet)],
      [4, yes, ended(1)],
    ],
    resumed: [
      [2, started(1), sent(), fails(90)],
      [94, 'killed', sent()],
      [95, yes, ended(1)],
    ],
    parked: [
      [3, started(1), sent(), fails(50)],
      [
        60,
        { type: 'session-suspended', reason: 'exhausted', detail: 'Gave up waiting', retryAt: start + 700 * minute },
      ],
    ],
    held: [
      [
        10,
        started(1),
        { type: 'envelope-changed', envelope: { body: { model: opus }, betas: [] } },
        { type: 'request-held', until: start, reason: `circuit breaker open for ${opus}` },
      ],
      [93, sent(), yes, ended(1)],
    ],
    quiet: [[10, ...good]],
  } satisfies Record<string, Story>

  it('is one, from the first failure to the last, for the model that failed', async () => {
    const { report } = await reportOf(night)
    expect(report.outages).toMatchObject([{ model: opus, from: start + minute, faults: 6, said: 'Overloaded' }])
    const [outage] = report.outages
    expect([...(outage?.sessions ?? [])].sort()).toEqual(['held', 'moved', 'parked', 'resumed', 'stayed'])
    expect([...(outage?.labels ?? [])]).toEqual([['529 overloaded_error', 6]])
    expect(outage?.to).toBe(start + 95 * minute)
    expect(report.outageMs).toBe(94 * minute)
  })

  it('is told by how each session came through, and in what time', async () => {
    const { report } = await reportOf(night)
    expect(report.recoveries).toEqual({
      'same-model': { count: 2, longestMs: 92 * minute, totalMs: (92 + 83) * minute },
      fallback: { count: 1, longestMs: 2 * minute, totalMs: 2 * minute },
      repaired: { count: 0, longestMs: 0, totalMs: 0 },
      resumed: { count: 1, longestMs: 93 * minute, totalMs: 93 * minute },
    })
    const facts = report.sessions.map(({ row, standing, isBySelf }) => [row.head.sessionId, standing, isBySelf])
    expect(facts.slice(0, 1)).toEqual([['parked', 'suspended', false]])
    expect(facts.slice(1).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))).toEqual([
      ['held', 'recovered', true],
      ['moved', 'recovered', true],
      ['resumed', 'recovered', false],
      ['stayed', 'recovered', true],
    ])
    expect(lineOf(report, 'parked')).toMatchObject({
      parked: { reason: 'Gave up waiting' },
      openSince: start + 3 * minute,
    })
  })

  it('lasts while somebody waits, and ends with the last that was seen where nobody does', async () => {
    const waits: Story = [
      [0, started(1), sent()],
      [1, fails(700)],
      [598, 'leave'],
    ]
    const { report } = await reportOf({ waits })
    // The lease of this one has run out: nobody is at it.
    expect(report.outages).toMatchObject([{ to: start + minute }])
    expect(lineOf(report, 'waits')).toMatchObject({ standing: 'stopped', openSince: start + minute })
  })

  it('is none where the process was killed in the middle of a turn, and the session needs somebody', async () => {
    const { report } = await reportOf({ killed: [[3, started(1), sent()]], quiet: [[4, ...good]] })
    expect(report.outages).toEqual([])
    expect(report.sessions).toHaveLength(1)
    expect(lineOf(report, 'killed')).toMatchObject({ standing: 'stopped', openSince: start + 3 * minute })
  })

  it('is two where it answered for a while, and one where it did not', async () => {
    const twice = (at: number): Story => [
      [0, started(1), sent(), fails(1)],
      [1, sent(), yes, ended(1)],
      [at, started(2), sent(), fails(at)],
      [at + 1, sent(), yes, ended(2)],
    ]
    expect((await reportOf({ a: twice(20) })).report.outages).toHaveLength(2)
    expect((await reportOf({ a: twice(4) })).report.outages).toHaveLength(1)
  })
})

describe('what is no outage', () => {
  it.each(['request-rejected', 'transcript-invalid', 'rate-limited', 'auth-blocked'] as const)(
    '%s is told of its session, without what the API quoted',
    async (kind) => {
      const { report } = await reportOf({ a: [[0, started(1), sent(), refused(kind, 400)]] })
      expect(report.outages).toEqual([])
      expect(report.sessions).toHaveLength(1)
      expect(JSON.stringify(report)).not.toContain('secret')
    },
  )

  it('a model that is gone is none, although its breaker is open', async () => {
    const reason = `circuit breaker open for ${opus} (model-gone)`
    const gone: EntryBody = { type: 'rung-changed', rung: 1, model: sonnet, reason }
    const asks: EntryBody = { type: 'envelope-changed', envelope: { body: { model: opus }, betas: [] } }
    const { report } = await reportOf({ a: [[0, started(1), asks, gone, asking(sonnet), yes, ended(1)]] })
    expect(report.outages).toEqual([])
    expect(report.recoveries.fallback.count).toBe(1)
  })

  it('a wait for a limiter is told while it lasts, and is nothing once it is answered', async () => {
    const held: EntryBody = { type: 'request-held', until: start, reason: 'one a minute' }
    const { report } = await reportOf({
      waited: [[0, started(1), held, sent(), yes, ended(1)]],
      waits: [[0, started(1), held]],
      failed: [[0, started(1), held, sent(), fails(1), sent(), yes, ended(1)]],
    })
    expect(report.sessions.map(({ row, standing }) => [row.head.sessionId, standing])).toEqual([
      ['waits', 'stopped'],
      ['failed', 'recovered'],
    ])
    expect(report.recoveries['same-model'].count).toBe(1)
  })

  it('a turn that one process begins and another one asks for, as in a fleet, is no trouble', async () => {
    const { report } = await reportOf({
      submitted: [
        [0, started(1), 'killed'],
        [1, sent(), yes, ended(1)],
      ],
    })
    expect([report.recoveries.resumed.count, report.sessions]).toEqual([0, []])
  })

  it('a process that died in the middle of a turn is a trouble that a resume ended', async () => {
    const { report } = await reportOf({
      a: [
        [0, started(1), sent()],
        [30, 'killed', sent()],
        [31, yes, ended(1)],
      ],
    })
    expect(report.outages).toEqual([])
    expect(report.recoveries.resumed).toEqual({ count: 1, longestMs: 31 * minute, totalMs: 31 * minute })
  })

  it('a process that ended between turns is nothing', async () => {
    const { report } = await reportOf({
      a: [
        [0, ...good],
        [30, 'killed', started(2), sent(), yes, ended(2)],
      ],
    })
    expect(report.sessions).toEqual([])
  })
})

describe('turns', () => {
  const back = (to: number, turn = to): EntryBody => ({
    type: 'rewound',
    messages: to * 2,
    turn,
    lastGoodTurn: to,
    reason: 'lastgood rewind',
  })
  const two = [...good, started(2), sent(), yes, ended(2)]

  it('are lost where a session had to go back to go on', async () => {
    const story: Story = [
      [0, ...two, started(3), sent(), call, begun, done('ran'), sent(), refused('transcript-invalid', 400)],
      [9, back(1), started(2), sent(), yes, ended(2)],
    ]
    const { report } = await reportOf({ a: story })
    expect(lineOf(report, 'a')?.turnsLost).toMatchObject([
      { turn: 2, was: 'ended', reason: 'lastgood rewind' },
      { turn: 3, was: 'open' },
    ])
    expect(lineOf(report, 'a')).toMatchObject({ standing: 'recovered', isBySelf: false })
  })

  it('are taken back where somebody wanted it so, and nothing is lost', async () => {
    const { report } = await reportOf({
      a: [
        [0, ...good, started(2), sent(), fails(1)],
        [1, sent(), yes, ended(2), back(1)],
      ],
    })
    expect(lineOf(report, 'a')).toMatchObject({ turnsLost: [], turnsTakenBack: 1 })
  })

  it('are neither where the caller replaced its history, or where an open turn had no answer', async () => {
    const { report } = await reportOf({
      compacted: [[0, ...two, started(3), sent(), fails(1), { ...back(2, 3), messages: 0 } as EntryBody]],
      unanswered: [[0, ...two, started(3), sent(), fails(1), back(2)]],
    })
    for (const { turnsLost, turnsTakenBack } of report.sessions) expect([turnsLost, turnsTakenBack]).toEqual([[], 0])
  })
})

describe('tool calls', () => {
  it.each([
    ['told', [begun, 'killed', done('in-doubt')]],
    ['verified', [begun, 'killed', done('verified')]],
    ['rerun', [begun, 'killed', begun, done('ran')]],
    [undefined, [begun, done('ran')]],
  ] as const)('of unknown outcome are counted by what became of them: %s', async (what, bodies) => {
    const { report } = await reportOf({ a: [[0, started(1), sent(), call, ...bodies, sent(), yes, ended(1)]] })
    expect(report.calls).toEqual({ told: 0, rerun: 0, verified: 0, ...(what && { [what]: 1 }) })
  })
})

it('is about the time that was asked for: what ended before is not in it', async () => {
  const story: Story = [
    [0, started(1), sent(), fails(1, { tokens: 9 })],
    [2, sent(), yes, ended(1)],
    [100, started(2), sent(), yes, ended(2)],
  ]
  const { report } = await reportOf({ a: story }, 600, 60)
  expect(report).toMatchObject({ read: 1, sessions: [], outages: [], extra: { repeated: 0 } })
  const long: Story = [
    [0, started(1), sent(), fails(90)],
    [90, sent(), yes, ended(1)],
  ]
  const clipped = await reportOf({ a: long }, 600, 60)
  expect(clipped.report.outages).toMatchObject([{ from: start + 60 * minute, to: start + 90 * minute }])
})

it('of thousands of failures in one session keeps one outage', async () => {
  const many = Array.from({ length: 5_000 }, (_, n) => [sent(), fails(0, { errorType: `odd_${n}` })]).flat()
  const { report } = await reportOf({
    a: [
      [0, started(1), ...many],
      [1, sent(), yes, ended(1)],
    ],
  })
  expect(report.outages).toHaveLength(1)
  expect(report.outages[0]).toMatchObject({ faults: 5_000 })
  expect(report.outages[0]?.labels.size).toBeLessThanOrEqual(21)
})

it('a journal that cannot be read is named: nobody knows what it lost', async () => {
  const { store } = await reportOf({ bad: [[0, ...good]], fine: [[0, ...good]] })
  const broken: Store = {
    ...store,
    async *read(id, after) {
      if (id === 'bad') throw new LastgoodError('journal-corrupt', 'line 3 is damaged', { hint: '' })
      yield* store.read(id, after)
    },
  }
  const { report } = await readReport(broken, { since: start, now: start + minute })
  expect(report.unreadable).toEqual([{ sessionId: 'bad', code: 'journal-corrupt' }])
})
