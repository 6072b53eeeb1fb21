import { ManualClock, testEpoch } from '@lastgood/core/testing'
import type { EntryBody, SessionEvent } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { answered, Collector, ended, overloaded, sent, started } from '../../test/context.ts'
import { liveRenderer } from './live-renderer.ts'
import { retry, stamped, watching } from './watching.fixture.ts'

const faulted = { type: 'fault-observed', fault: { kind: 'auth-blocked', status: 401 } } as const

describe('a turn', () => {
  it('is shown with its words, its tools and how long they took', async () => {
    const { clock, tell, say, written } = watching()
    tell(started(1), sent())
    say('Look')
    say('ing.')
    tell(answered('Looking.', { id: 't1', name: 'run', input: { cmd: 'npm test' } }))
    tell({ type: 'tool-started', toolUseId: 't1', name: 'run', inDoubt: 'report' })
    await clock.advance(2_000)
    tell(finished('t1', 'ran'), sent())
    tell(answered('Green.'), ended(1))
    expect(written()).toBe(
      ['turn 1', 'Looking.', '  → run npm test', '  ✔ run npm test 2s', 'Green.', '✔ turn 1 is saved 2s', ''].join(
        '\n',
      ),
    )
  })

  it('says who takes it over, and what was repaired', () => {
    const { tell, written } = watching()
    tell(started(1), sent())
    written()
    tell({ type: 'rung-changed', rung: 1, model: 'claude-sonnet-5-5', reason: '529 overloaded' })
    tell(sent(), answered('ok'))
    tell({
      type: 'transcript-repaired',
      repairs: [{ rule: 'images', what: 'left out 1 image' }],
      edits: [],
      standing: [],
    })
    expect(written()).toBe(
      [
        '⇄ claude-sonnet-5-5 takes the turn from claude-opus-5-5: 529 overloaded',
        'ok',
        '✚ request repaired, and accepted: left out 1 image',
        '',
      ].join('\n'),
    )
  })

  it('tells a call in doubt once, by what a person knows it by', () => {
    const { renderer, tell, written } = watching()
    tell(started(1), sent(), answered('', { id: 't1', name: 'run', input: { cmd: 'npm publish' } }))
    written()
    renderer.onEvent({ type: 'in-doubt', toolUseId: 't1', name: 'run', did: 'reported' })
    tell(finished('t1', 'in-doubt'))
    expect(written()).toBe('? run npm publish was in doubt: not repeated; the model is told to check first\n')
  })

  it('tells a tool that failed from one of unknown outcome and one that was not run', () => {
    const { tell, written } = watching()
    const calls = ['a', 'b', 'c'].map((id) => ({ id, name: id, input: {} }))
    tell(started(1), sent(), answered('', ...calls))
    written()
    tell(finished('a', 'ran', true), finished('b', 'in-doubt'), finished('c', 'refused'))
    expect(written()).toBe(
      [
        '  ✖ a error 0.0s',
        '  ? b outcome unknown; not repeated, the model is told',
        '  ✖ c not run: there is no such tool',
        '',
      ].join('\n'),
    )
  })

  it('that a dead process began is shown from what the session knows of its calls', () => {
    const { tell, written } = watching({
      from: {
        state: 'executingTools',
        lastGoodTurn: 1,
        context: { attempt: 0, firstFaultAt: null, wakeAt: null, reason: null },
        transcript: { unanswered: [{ toolUseId: 't1', name: 'run', input: { cmd: 'deploy' } }] },
      },
    })
    tell(finished('t1', 'in-doubt'))
    expect(written()).toBe('  ? run deploy outcome unknown; not repeated, the model is told\n')
  })

  it('takes back the words of an answer that broke off', () => {
    const { renderer, say, written } = watching()
    say('The bug is')
    renderer.onEvent({ type: 'dropped' })
    expect(written()).toBe('The bug is\n… (the answer broke off; these words do not count)\n')
  })

  it('cannot command the terminal', () => {
    const { tell, say, written } = watching({ color: 'never' }, true)
    say('\u001b[2J\u001b]0;owned\u0007')
    tell(answered('x', { id: 't', name: 'run\u001b[31m', input: { cmd: '\u009b2J\r' } }))
    // oxlint-disable-next-line no-control-regex
    expect(written()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })
})

describe('an outage without a terminal', () => {
  it('is a line for each change: what failed, attempt, next, saved; then recovered', async () => {
    const { clock, tell, written } = watching()
    tell(started(1), ended(1), started(2))
    written()
    tell(...retry(1, 5_000, clock.now()))
    expect(written()).toBe('◐ API 529 overloaded_error · attempt 1 · next in 5s · saved at turn 1\n')
    await clock.advance(5_000)
    tell(...retry(2, 10_000, clock.now()))
    expect(written()).toBe('◐ API 529 overloaded_error · attempt 2 · next in 10s · saved at turn 1\n')
    await clock.advance(10_000)
    tell(sent(3), answered('Hello.'))
    expect(written()).toBe('Hello.\n✔ recovered after 15s, at attempt 3 · saved at turn 1\n')
  })

  it('has a heartbeat every 30 s, and none once it is over', async () => {
    const { clock, tell, written } = watching()
    tell(...retry(1, 100_000, clock.now()))
    written()
    await clock.advance(65_000)
    expect(written()).toBe(
      '◐ API 529 overloaded_error · attempt 1 · next in 1m10s · saved inside turn 1\n' +
        '◐ API 529 overloaded_error for 1 min · attempt 1 · next in 40s · saved inside turn 1\n',
    )
    tell(sent(2), answered('Hello.'))
    written()
    await clock.advance(600_000)
    expect(written()).toBe('')
    expect(clock.sleepers).toEqual([])
  })
})

describe('an outage', () => {
  it('goes on while a request is held back, and while another try follows at once', async () => {
    const { clock, tell, written } = watching()
    tell(...retry(1, 60_000, clock.now()))
    await clock.advance(60_000)
    written()
    const reason = 'circuit breaker open for claude-opus-5-5 (overloaded)'
    tell({ type: 'request-held', until: clock.now() + 4_000, reason })
    expect(written()).toBe(`◐ ${reason} for 1 min · held back · next in 4s · saved inside turn 1\n`)
    await clock.advance(4_000)
    tell(sent(2), { ...faulted, decision: { kind: 'resend' } })
    expect(written()).toBe('◐ API 401 auth-blocked for 1 min · attempt 2 · trying now · saved inside turn 1\n')
    tell(sent(3), answered('Hello.'))
    expect(written()).toBe('Hello.\n✔ recovered after 1m04s, at attempt 3 · saved inside turn 1\n')
  })

  it('of an open breaker says when the probe leaves and what is saved, in 80 columns too', async () => {
    const { clock, output, tell, written } = watching({ color: 'never' }, true)
    output.columns = 80
    const line = () => written().split('\r').at(-1)?.trimEnd()
    const reason = 'circuit breaker open for claude-opus-5-5 (overloaded)'
    tell(started(1), sent(), { type: 'request-held', until: clock.now() + 64_000, reason })
    expect(line()).toBe('◐ circuit breaker open for claude-opus-5… · next in 1m04s · saved inside turn 1')
    await clock.advance(60_000)
    expect(line()).toBe('◐ circuit breaker open for claude… for 1 min · next in 4s · saved inside turn 1')
    await clock.advance(4_000)
    tell(sent(2))
    expect(line()).toBe('◐ circuit breaker ope… for 1 min · attempt 2 · trying now · saved inside turn 1')
    output.columns = 200
    tell({ type: 'request-held', until: clock.now() + 4_000, reason })
    expect(line()).toBe(`◐ ${reason} for 1 min · held back · next in 4s · saved inside turn 1`)
    tell(sent(3))
    expect(line()).toBe(`◐ ${reason} for 1 min · attempt 3 · trying now · saved inside turn 1`)
  })

  it('says which model is asked once the ladder has moved, and of which one the next failure is', async () => {
    const { clock, output, tell, written } = watching({ color: 'never' }, true)
    output.columns = 200
    const line = () => written().split('\r').at(-1)
    const handedOver: EntryBody = {
      type: 'rung-changed',
      rung: 1,
      model: 'claude-sonnet-5-5',
      reason: '529 overloaded',
    }
    tell(...retry(1, 60_000, clock.now()))
    await clock.advance(60_000)
    tell(handedOver, sent(2))
    expect(line()).toBe('◐ asking claude-sonnet-5-5 after API 529 overloaded_error for 1 min · saved inside turn 1')
    tell(overloaded(5_000, clock.now()))
    const failed = '◐ claude-sonnet-5-5: 529 overloaded_error for 1 min'
    expect(line()).toBe(`${failed} · attempt 2 · next in 5s · saved inside turn 1`)
    tell(sent(3))
    expect(line()).toBe(`${failed} · attempt 3 · trying now · saved inside turn 1`)
    tell({ type: 'request-held', until: clock.now() + 4_000, reason: 'circuit breaker open' }, sent(4))
    tell(overloaded(5_000, clock.now()))
    expect(line()).toContain('◐ claude-sonnet-5-5: 529')
    tell({ ...handedOver, rung: 2, model: 'claude-haiku-5-5' }, sent(4))
    expect(line()).toContain('asking claude-haiku-5-5 after claude-sonnet-5-5: 529')
    tell(answered('ok'), ...retry(1, 5_000, clock.now()))
    expect(line()).toContain('◐ API 529')
  })

  it('is one where it suspended the session and went on after a resume, as the report and the dashboard tell it', async () => {
    const { clock, tell, written } = watching()
    const parked: EntryBody = { type: 'session-suspended', reason: 'exhausted', detail: 'Gave up waiting' }
    tell(...retry(1, 5_000, clock.now()), parked)
    written()
    await clock.advance(60_000)
    const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }
    tell({ type: 'session-resumed', owner }, sent(1), answered('Hello.'))
    expect(written()).toBe('Hello.\n✔ recovered after 1m00s, at attempt 1 · saved inside turn 1\n')
  })

  it('is none where a limiter held the request: it is shown, but nothing recovers', () => {
    const { clock, tell, written } = watching()
    tell({ type: 'request-held', until: clock.now() + 4_000, reason: 'one a minute' })
    expect(written()).toBe('◐ one a minute · held back · next in 4s · saved inside turn 1\n')
    tell(sent(1), answered('Hello.'))
    expect(written()).toBe('Hello.\n')
  })

  it('ends with a refusal', () => {
    const { tell, written } = watching()
    tell(sent(), { ...faulted, decision: { kind: 'fail', reason: 'no key' } })
    expect(written()).toBe('✖ API 401 auth-blocked · attempt 1 · saved inside turn 1\n')
  })
})

describe('an outage on a terminal', () => {
  it('is one line that counts down in place and says when it tries, with no escape sequence when colours are off', async () => {
    const { clock, tell, written } = watching({ env: { NO_COLOR: '1' } }, true)
    tell(...retry(1, 2_000, clock.now()))
    const line = (next: string) => `◐ API 529 overloaded_error · attempt ${next} · saved inside turn 1`
    expect(written()).toBe(`\r${line('1 · next in 2s')}`)
    await clock.advance(1_000)
    expect(written()).toBe(`\r${line('1 · next in 1s')}`)
    await clock.advance(1_000)
    expect(written()).toBe(`\r${line('1 · trying now')}`)
    tell(sent(2))
    expect(written()).toBe(`\r${line('2 · trying now')}`)
  })

  it('leaves nothing behind where it was', () => {
    const { clock, tell, say, written } = watching({ env: { NO_COLOR: '1' } }, true)
    tell(...retry(1, 2_000, clock.now()))
    const { length } = written().slice(1)
    say('Hello')
    expect(written()).toBe(`\r${' '.repeat(length)}\rHello`)
    tell(answered('Hello'))
    expect(written()).toBe('\n✔ recovered after 0.0s, at attempt 1 · saved inside turn 1\n')
  })

  it('fits into a narrow terminal', () => {
    const output = new Collector()
    Object.assign(output, { isTTY: true, columns: 30 })
    const renderer = liveRenderer({ output, clock: new ManualClock(), color: 'never' })
    const [first, second] = retry(1, 2_000, testEpoch)
    for (const [i, body] of [first, second].entries()) {
      renderer.onEvent({ type: 'entry', entry: stamped(body as EntryBody, i + 1, testEpoch) } satisfies SessionEvent)
    }
    expect(output.text).toBe('\r◐ API 529 overloaded_error ·…')
    renderer.stop()
    expect(output.text).toMatch(/\r {29}\r$/)
  })

  it('is lines again where the terminal cannot rewrite them', () => {
    const { clock, tell, written } = watching({ env: { TERM: 'dumb' } }, true)
    tell(...retry(1, 2_000, clock.now()))
    expect(written()).toBe('◐ API 529 overloaded_error · attempt 1 · next in 2s · saved inside turn 1\n')
  })

  it('goes on where a process that died left it', () => {
    expect(leftIn('backingOff', '529 overloaded')).toBe(
      '◐ API 529 overloaded for 1 min · attempt 7 · next in 9s · saved at turn 4\n',
    )
    const limit = "the fleet's rate limit for m (perMinute)"
    expect(leftIn('backingOff', limit)).toBe(`◐ ${limit} for 1 min · held back · next in 9s · saved at turn 4\n`)
  })

  it('is not shown of a session that is suspended, although it knows when a next try makes sense', () => {
    expect(leftIn('suspended', 'Gave up waiting: no progress within 24h')).toBe('')
  })
})

it.each([
  ['auto', {}, true, true],
  ['auto', {}, false, false],
  ['auto', { NO_COLOR: '1' }, true, false],
  ['auto', { FORCE_COLOR: '1' }, false, true],
  ['auto', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
  ['auto', { FORCE_COLOR: '0' }, true, false],
  ['auto', { FORCE_COLOR: 'false' }, true, false],
  ['auto', { FORCE_COLOR: '' }, true, true],
  ['auto', { TERM: 'dumb' }, true, false],
  ['always', { NO_COLOR: '1' }, false, true],
  ['never', { FORCE_COLOR: '1' }, true, false],
] as const)('colours: %s with %j on a terminal: %s', (color, env, isTTY, isColored) => {
  const { tell, written } = watching({ color, env }, isTTY)
  tell(started(1))
  expect(written().includes('\u001b[')).toBe(isColored)
})

it('nothing is written after it was stopped, and nothing sleeps on', async () => {
  const { clock, renderer, tell, written } = watching()
  tell(...retry(1, 2_000, clock.now()))
  renderer.stop()
  written()
  tell(ended(1))
  await clock.advance(100_000)
  expect(written()).toBe('')
  expect(clock.sleepers).toEqual([])
})

/** What is shown of a session that a process left like this. */
function leftIn(state: 'backingOff' | 'suspended', reason: string): string {
  const now = testEpoch
  const context = { attempt: 7, firstFaultAt: now - 60_000, wakeAt: now + 9_000, reason }
  return watching({ from: { state, lastGoodTurn: 4, context, transcript: { unanswered: [] } } }).written()
}

function finished(toolUseId: string, outcome: 'ran' | 'in-doubt' | 'refused', isError = false): EntryBody {
  const result = { type: 'tool_result', tool_use_id: toolUseId, content: '', ...(isError && { is_error: true }) }
  return { type: 'tool-finished', toolUseId, outcome, result }
}
