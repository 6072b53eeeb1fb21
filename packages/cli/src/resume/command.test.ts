import { openSession, type EntryBody } from '@lastgood/core'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '@lastgood/core/testing'
import { reply, startLab, text } from '@lastgood/outage-lab'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answered, ended, obliging, overloaded, project, run, seed, sent, started } from '../../test/context.ts'

const open = [started(1), sent(), answered('Yes.'), ended(1), started(2), sent()]
const idle = open.slice(0, 4)
const inDoubt = [
  started(1),
  sent(),
  answered('Deploying.', { id: 't1', name: 'deploy', input: { to: 'prod' } }),
  { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'ask' },
] as const

/** An agent that runs its tool as an agent of the SDK would, and tells by files what happened. */
const deployer = `coder: { name: 'coder', async run(session, input, options) {
  const fs = await import('node:fs')
  const deploy = { inDoubt: 'ask', run: async (_, { toolUseId }) => {
    fs.appendFileSync('DIR/deploys', 'x')
    return { type: 'tool_result', tool_use_id: toolUseId, content: 'ok' }
  } }
  const { runToolCalls } = await import('${import.meta.resolve('@lastgood/core')}')
  await runToolCalls(session, { find: () => deploy, ...options })
  const message = { id: 'm9', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' }
  await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }, { type: 'response-received', message }, { type: 'turn-ended', turn: 1 }])
  return { turn: 1, text: 'Done.', content: [] }
} }`

/** An agent that waits until it is stopped, and says when it has begun. */
const waiting = `coder: { name: 'coder', async run(session) {
  await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
  globalThis.lastgoodTestWaiting?.()
  await new Promise((_, reject) => session.signal.addEventListener('abort', () => reject(session.signal.reason)))
} }`

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)

/** An agent that waits as long as the session owes it, then answers. */
const patient = obliging.replace(
  'async run(session, input) {',
  'async run(session, input) { await session.clock.sleepUntil(session.owed.until)',
)

describe('an outage that is waited out', () => {
  async function waitedOut(flags: readonly string[], statusPage: (url: string) => string) {
    const lab = await startLab({
      model: () => reply(text('Hi.')),
      statusPage: { incidents: [{ name: 'Elevated errors', startsMs: 0 }], onsetLagMs: 0 },
    })
    onTestFinished(() => lab.close())
    const { cwd, store } = project()
    const config = statusPage(`${lab.url}/api/v2/summary.json`)
    writeFileSync(join(cwd, 'lastgood.config.mjs'), `export default { agents: { ${patient} }, statusPage: ${config} }`)
    const clock = new ManualClock({ startAt: Date.now() })
    await seed(store, 's', [started(1), sent(), overloaded(100_000, clock.now())])
    const ran = run(['resume', 's', '--store', 'state', ...flags], { cwd, clock, env: { LASTGOOD_STATUS_URL: '' } })
    const sees = (what: string) => expect.poll(() => ran.stderr.text).toContain(what)
    return { lab, clock, ran, sees }
  }

  it('has what the status page says in its line', async () => {
    const { clock, ran, sees } = await waitedOut([], (url) => `{ urls: ['${url}'] }`)
    await sees('◐ API')
    await clock.advance(30_000)
    await sees("status page: investigating 'Elevated errors'")
    await clock.advance(70_000)
    expect(await ran).toMatchObject({ code: 0, stdout: 'All done.\n' })
  })

  it.each([
    ['--no-page', ['--no-page'], (url: string) => `{ urls: ['${url}'] }`],
    ['statusPage: false', [], () => 'false'],
  ])('asks no page with %s', async (_case, flags, config) => {
    const { lab, clock, ran, sees } = await waitedOut(flags, config)
    await sees('◐ API')
    await clock.advance(60_000)
    await sees('next in 40s')
    await clock.advance(40_000)
    expect(await ran).toMatchObject({ code: 0, stderr: expect.not.stringContaining('status page') })
    expect(lab.requests).toEqual([])
  })
})

describe('resume', () => {
  it('goes on with the open turn, says where it stands, and the reply is on stdout', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'fix-auth', open)
    const { code, stdout, stderr } = await run(['resume', 'fix-auth'], { cwd })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'All done.\n' })
    expect(stderr.split('\n')).toEqual([
      `store    file:${cwd}/state (${cwd}/lastgood.config.mjs)`,
      'session  fix-auth · agent coder',
      `note: recorded in /projects/there, but this is ${cwd}`,
      'state    saved at turn 1; turn 2 is open: continuing',
      'Done.',
      '✔ turn 2 is saved',
      '',
    ])
    expect(await store.summary('fix-auth')).toMatchObject({ head: { status: 'idle', lastGoodTurn: 2 }, holder: null })
  })

  it('last is the session that was written last', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'older', open)
    await seed(store, 'newer', open)
    await run(['resume', 'last'], { cwd })
    expect(await store.summary('newer')).toMatchObject({ head: { lastGoodTurn: 2 } })
    expect(await store.summary('older')).toMatchObject({ head: { lastGoodTurn: 1 } })
  })

  it('with a message starts a new turn', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', idle)
    const { code, stderr } = await run(['resume', 's', 'Now', 'the docs', '--quiet'], { cwd })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const entries = []
    for await (const entry of store.read('s')) entries.push(entry)
    expect(entries.findLast((entry) => entry.type === 'turn-started')).toMatchObject({
      turn: 2,
      agent: 'coder',
      messages: [{ role: 'user', content: 'Now the docs' }],
    })
  })

  it('with nothing to continue says so, touches nothing and is exit code 0', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', idle)
    const before = await store.summary('s')
    const { code, stderr } = await run(['resume', 's'], { cwd })
    expect(code).toBe(0)
    expect(lastLine(stderr)).toBe('nothing to continue: turn 1 has ended. A new turn: lastgood resume s "<message>"')
    expect(await store.summary('s')).toEqual(before)
  })

  it('--json is one document at the end', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', open)
    const { stdout } = await run(['resume', 's', '--json'], { cwd })
    expect(JSON.parse(stdout)).toEqual({
      schema: 'lastgood.resume/v1',
      state: 'done',
      sessionId: 's',
      store: `file:${cwd}/state`,
      agent: 'coder',
      turn: 2,
      lastGoodTurn: 2,
      text: 'All done.',
      messagePending: false,
      command: 'lastgood resume s',
      exitCode: 0,
    })
    expect(JSON.parse((await run(['resume', 's', '--json'], { cwd })).stdout)).toMatchObject({
      state: 'nothing-to-do',
      exitCode: 0,
    })
  })

  it('--jsonl is a line for each event without content, and the outcome', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', [started(1), sent(), overloaded(0, Date.now())])
    const { stdout } = await run(['resume', 's', '--jsonl'], { cwd })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ event, state }) => event ?? state)).toEqual([
      'request-sent',
      'response-received',
      'turn-ended',
      'done',
    ])
    expect(lines[0]).toMatchObject({ schema: 'lastgood.event/v1', sessionId: 's', attempt: 2 })
    expect(stdout).not.toContain('Make it green')
  })

  it('of a session without an agent says what to start instead', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', [{ type: 'turn-started', turn: 1, messages: [] }])
    const { code, stderr } = await run(['resume', 's'], { cwd })
    expect(code).toBe(4)
    expect(stderr).toMatch(/not run by an agent[^]*next: start its own program again; with the session id s it/)
  })
})

describe("resume of a client's session", () => {
  it('prints its command also while a gateway keeps it, and leaves that alone', async () => {
    const { cwd, store } = project()
    const asked: EntryBody = { type: 'turn-started', turn: 1, agent: 'claude-code', messages: [] }
    await seed(store, 's', [asked, sent(), answered('Yes.'), ended(1)], true)
    const before = await store.summary('s')
    for (const flags of [[], ['--takeover']]) {
      const { code, stdout } = await run(['resume', 's', 'Go on', '--store', 'state', ...flags], { cwd })
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: "lastgood run --store state -- claude --resume s 'Go on'\n",
      })
    }
    expect((await store.summary('s'))?.holder?.fence).toBe(before?.holder?.fence)
  })
})

describe('resume without a session', () => {
  it('lists what can be resumed, with the exact command for each, and is exit code 2', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'done', idle)
    await seed(store, 'fix-auth', open)
    await seed(store, 'busy', open, true)
    const { code, stdout, stderr } = await run(['resume', '--store', 'state'], { cwd })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe(
      `error: name a session; these can be resumed in file:${cwd}/state (--store)\n` +
        '  interrupted coder · turn 2\n    lastgood resume fix-auth --store state\n',
    )
    const { stdout: json } = await run(['resume', '--json'], { cwd })
    expect(JSON.parse(json)).toMatchObject({
      schema: 'lastgood.error/v1',
      exitCode: 2,
      sessions: [{ sessionId: 'fix-auth' }],
    })
  })

  it('--json is one document also where a session cannot be read, with those that can be', async () => {
    const { cwd, store } = project()
    await seed(store, 'fix-auth', open)
    await seed(store, 'broken', open)
    const file = join(cwd, 'state', 'sessions', 'broken.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"status":"', '"status":"x'))
    const { code, stdout, stderr } = await run(['resume', '--json', '--store', 'state'], { cwd })
    expect([code, stderr]).toEqual([6, expect.stringContaining('broken.jsonl')])
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'journal-corrupt' },
      exitCode: 6,
      sessions: [{ sessionId: 'fix-auth' }],
    })
  })

  it('says only what went wrong where no session can be read', async () => {
    const { cwd } = project()
    writeFileSync(join(cwd, 'state'), '')
    const { code, stderr } = await run(['resume', '--store', 'state'], { cwd })
    expect([code, stderr]).toEqual([4, expect.stringMatching(/^error: .*ENOTDIR/)])
  })

  it('and with none says where it looked', async () => {
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['resume'], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(`there is none to resume in file:${cwd}/state`)
  })
})

describe('a session that somebody holds', () => {
  it('is exit code 5, names the holder, and nothing is touched', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', open, true)
    const before = await store.summary('s')
    const { code, stdout, stderr } = await run(['resume', 's', '--json'], { cwd })
    expect(code).toBe(5)
    expect(stderr).toMatch(
      /error: session s is written by pid 1 on gone\.test since \S+Z \(\S+s\)\n {2}next: .*lastgood fork s; .*--takeover/,
    )
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'session-busy', details: { pid: 1 } }, exitCode: 5 })
    expect(await store.summary('s')).toEqual(before)
  })

  it('is not to be forked before a turn has ended', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', [started(1), sent()], true)
    expect((await run(['resume', 's'], { cwd })).stderr).toContain('next: take it over: lastgood resume s --takeover\n')
  })

  it('is taken with --takeover', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', open, true)
    expect(await run(['resume', 's', '--takeover'], { cwd })).toMatchObject({ code: 0 })
  })
})

describe('P2: a tool call of unknown outcome whose rule is to ask', () => {
  const made = async () => {
    const { cwd, store } = project()
    writeFileSync(
      join(cwd, 'lastgood.config.mjs'),
      `export default { store: './state', agents: { ${deployer.replace('DIR', cwd)} } }`,
    )
    await seed(store, 's', inDoubt)
    return { cwd, store }
  }

  it.each([[[]], [['--in-doubt', 'ask']]])(
    'is not repeated; exit code 2 and the command that decides, with %j',
    async (flags) => {
      const { cwd, store } = await made()
      const { code, stderr } = await run(['resume', 's', ...flags], { cwd })
      expect(code).toBe(2)
      expect(stderr).toContain('in doubt deploy prod: it was started, its outcome is unknown')
      expect(lastLine(stderr)).toBe('lastgood resume s --in-doubt report')
      expect(existsSync(join(cwd, 'deploys'))).toBe(false)
      expect(await store.summary('s')).toMatchObject({ head: { status: 'needs-input' }, holder: null })
    },
  )

  it.each([
    ['rerun', true, 'ran'],
    ['report', false, 'in-doubt'],
  ])('--in-doubt %s decides', async (answer, isRun, outcome) => {
    const { cwd, store } = await made()
    expect(await run(['resume', 's', '--in-doubt', answer], { cwd })).toMatchObject({ code: 0 })
    expect(existsSync(join(cwd, 'deploys'))).toBe(isRun)
    const entries = []
    for await (const entry of store.read('s')) entries.push(entry)
    expect(entries.find((entry) => entry.type === 'tool-finished')).toMatchObject({ outcome })
  })
})

describe('when the process is asked to stop', () => {
  const stopped = async (argv: string[], signal: 'SIGINT' | 'SIGTERM') => {
    const { cwd, store } = project(waiting)
    await seed(store, 's', open)
    Object.assign(globalThis, { lastgoodTestWaiting: () => setImmediate(() => running.stop(signal)) })
    const running = run(argv, { cwd })
    return { ...(await running), store, cwd }
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s: the session is suspended, exit code %i, the last line is the command that resumes',
    async (signal, exitCode) => {
      const { code, stdout, stderr, store } = await stopped(['resume', 's'], signal)
      expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
      expect(stderr).toContain('interrupted: saved at turn 1')
      expect(lastLine(stderr)).toBe('lastgood resume s')
      expect(await store.summary('s')).toMatchObject({
        head: { status: 'suspended', reason: `stopped by ${signal}` },
        holder: null,
      })
    },
  )

  it('--json says so', async () => {
    const { stdout } = await stopped(['resume', 's', '--json'], 'SIGINT')
    expect(JSON.parse(stdout)).toMatchObject({ state: 'interrupted', signal: 'SIGINT', lastGoodTurn: 1, exitCode: 130 })
  })
})

it('a wait that another process began and that ends after --max-wait is left as it is: exit code 75', async () => {
  const { cwd, store } = project(obliging)
  await seed(store, 's', [started(1), sent(), overloaded(3_600_000, Date.now())])
  const { code, stdout, stderr } = await run(['resume', 's', '--max-wait', '10m', '--json'], { cwd })
  expect(code).toBe(75)
  expect(lastLine(stderr)).toBe('lastgood resume s')
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'lastgood.resume/v1',
    state: 'suspended',
    retryAt: expect.stringMatching(/^\d{4}-.*Z$/),
    lastGoodTurn: 0,
    command: 'lastgood resume s',
    error: { code: 'session-suspended' },
    exitCode: 75,
  })
  expect(await store.summary('s')).toMatchObject({ head: { status: 'waiting' } })
})

describe('what would surprise', () => {
  it('an empty message is exit code 2, and nothing is sent or recorded', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', open)
    const before = await store.summary('s')
    const { code, stderr } = await run(['resume', 's', ''], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('the message is empty')
    expect(await store.summary('s')).toEqual(before)
  })

  it('a --max-wait without a unit is exit code 2', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', open)
    expect(await run(['resume', 's', '--max-wait', '30'], { cwd })).toMatchObject({ code: 2 })
  })

  it('last is of this folder where there is one, not of another project that was written later', async () => {
    const { cwd, store } = project(obliging)
    for (const [id, folder] of [
      ['here', cwd],
      ['there', '/another/project'],
    ] as const) {
      const session = await openSession(id, { store, cwd: folder })
      await session.startTurn([{ role: 'user', content: 'Make it green' }], 'coder')
      await session.close()
    }
    const { code, stderr } = await run(['resume', 'last'], { cwd })
    expect(code).toBe(0)
    expect(stderr).toContain('session  here')
  })
})
