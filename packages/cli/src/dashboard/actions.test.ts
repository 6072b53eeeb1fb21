// Real processes: a program that is killed, resumes that are started by the dashboard, against a lab.
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memoryStore, openSession, type Entry, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { answered, ended, overloaded, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'
import { place, type Place } from '../../test/processes.ts'

const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
const model = story([
  reply([text('Looking.'), toolUse('run', { command: 'ls' })]),
  reply([text('Now the long one.'), toolUse('run', { command: 'hang' })]),
  reply(text('The tests are green.')),
  reply(text('The docs are written.')),
])
const ranIn = ({ cwd }: Place) => readFileSync(join(cwd, 'ran.log'), 'utf8').trim().split('\n')
const reason = 'the provider is back'

async function entriesOf(store: Store, id: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of store.read(id)) entries.push(entry)
  return entries
}

/** A dashboard whose sessions are those of `at`, resumed as the built command does it. */
function boardOf(at: Place) {
  const store = fileStore({ dir: join(at.cwd, 'state') })
  const env = {
    PATH: process.env['PATH'],
    HOME: at.cwd,
    LAB_URL: at.lab.url,
    LASTGOOD_STORE: `file:${join(at.cwd, 'state')}`,
    LASTGOOD_STATUS_URL: 'off',
    WAIT_MS: '20',
  }
  return { store, board: stage(store, { resume: { command: [process.execPath, bin], env, flags: [] }, cwd: '/' }) }
}

/** Whose program hangs in its second tool. */
async function hanging() {
  const at = await place({ model })
  const program = at.start('program')
  await program.saw('HANGING')
  return { at, program, ...boardOf(at) }
}

describe('resume', () => {
  test('P1, P2: of a session whose process was killed goes on in its own folder, and is noted with its reason', async () => {
    const { at, program, board } = await hanging()
    program.child.kill('SIGKILL')
    await program.ended
    const { status, body } = await board.post('/api/sessions/fix-auth/resume', { reason })
    expect({ status, body }).toEqual({
      status: 200,
      body: { sessionId: 'fix-auth', text: expect.stringMatching(/^it continues, as pid \d+$|has ended$/) },
    })
    await expect
      .poll(async () => (await board.overview()).sessions[0], { timeout: 10_000 })
      .toMatchObject({ status: 'idle', lastGoodTurn: 1, heldBy: null })
    expect(ranIn(at)).toEqual(['ls', 'hang'])
    expect((await board.overview()).actions).toMatchObject([{ action: 'resume', sessionId: 'fix-auth', reason }])
    const { started: resumed } = await board.session('fix-auth')
    await expect.poll(async () => (await board.session('fix-auth')).started?.exitCode).toBe(0)
    expect(JSON.stringify(resumed)).not.toContain('green')
  })

  test('that fails says why, and what to do', async () => {
    const { store, board } = boardOf(await place({ model }))
    await seed(store, 'own-loop', [{ type: 'turn-started', turn: 1, messages: [] }, sent()])
    const { status, body } = await board.post('/api/sessions/own-loop/resume', { reason })
    expect({ status, body }).toMatchObject({
      status: 409,
      body: {
        error: {
          code: 'bad-config',
          message: expect.stringContaining('was not run by an agent of a configuration file'),
          hint: expect.stringContaining('start its own program again'),
        },
      },
    })
    expect((await board.overview()).actions).toMatchObject([
      { action: 'resume', outcome: expect.stringContaining('own-loop') },
    ])
  })

  test('is refused where somebody holds it, where nothing is open, and where its client goes on by itself, as all else', async () => {
    const store = memoryStore()
    await seed(store, 'busy', [started(1), sent()], true)
    await seed(store, 'idle', [started(1), sent(), answered('Yes.'), ended(1)])
    await seed(store, 'theirs', [{ type: 'turn-started', turn: 1, agent: 'claude-code', messages: [] }, sent()])
    const { post, overview } = stage(store)
    const refused = async (id: string) => post(`/api/sessions/${id}/resume`, { reason })
    expect(await refused('busy')).toMatchObject({ status: 409, body: { error: { code: 'session-busy' } } })
    expect(await refused('idle')).toMatchObject({ status: 409, body: { error: { code: 'journal-conflict' } } })
    expect(await refused('none')).toMatchObject({ status: 404, body: { error: { code: 'session-not-found' } } })
    expect(await refused('theirs')).toMatchObject({
      status: 409,
      body: { error: { code: 'client-session', hint: expect.stringMatching(/ -- claude --resume theirs$/) } },
    })
    for (const [action, body] of [
      ['rewind', { to: 0 }],
      ['fork', {}],
    ] as const) {
      expect(await post(`/api/sessions/theirs/${action}`, { reason, ...body })).toMatchObject({
        status: 400,
        body: { error: { code: 'bad-option', hint: expect.stringContaining('--fork-session') } },
      })
    }
    expect((await overview()).actions).toEqual([])
  })

  test('ends with the dashboard: the session is suspended, and can be resumed', async () => {
    const at = await place({
      model,
      outages: [{ when: { requests: [3, Infinity] }, fault: { kind: 'status', status: 529 } }],
    })
    const program = at.start('program')
    await program.saw('HANGING')
    program.child.kill('SIGKILL')
    await program.ended
    const { store, board } = boardOf(at)
    await board.post('/api/sessions/fix-auth/resume', { reason })
    await expect.poll(async () => (await store.summary('fix-auth'))?.holder, { timeout: 10_000 }).not.toBeNull()
    await board.dashboard.close()
    expect(await store.summary('fix-auth')).toMatchObject({
      head: { status: 'suspended', reason: 'stopped by SIGTERM' },
      holder: null,
    })
  })
})

describe('P3: a session that another process writes', () => {
  test('is suspended with the reason, and that process can no longer write to it', async () => {
    const { program, store, board } = await hanging()
    const { status, body } = await board.post('/api/sessions/fix-auth/suspend', { reason: 'wrong branch' })
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { text: expect.stringMatching(/suspended, and pid \d+/) },
    })
    const last = (await entriesOf(store, 'fix-auth')).at(-1)
    expect(last).toMatchObject({
      type: 'session-suspended',
      reason: 'interrupted',
      detail: 'suspended from the dashboard: wrong branch',
    })
    expect((await store.summary('fix-auth'))?.holder).toBeNull()
    program.child.kill('SIGKILL')
  })

  test('finds its next entry refused', async () => {
    const store = memoryStore()
    const session = await openSession('fix-auth', { store })
    await session.startTurn([{ role: 'user', content: 'Go on' }])
    expect(await stage(store).post('/api/sessions/fix-auth/suspend', { reason })).toMatchObject({ status: 200 })
    await expect(session.record([sent()])).rejects.toMatchObject({ code: 'lease-lost' })
  })

  test('is taken over only where that is asked for, and goes on here', async () => {
    const { at, program, store, board } = await hanging()
    expect(await board.post('/api/sessions/fix-auth/rewind', { reason, to: 0 })).toMatchObject({ status: 409 })
    expect(await board.post('/api/sessions/fix-auth/resume', { reason })).toMatchObject({ status: 409 })
    const { status, body } = await board.post('/api/sessions/fix-auth/takeover', { reason: 'it hangs' })
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { text: expect.stringContaining('continues, as pid') },
    })
    await expect.poll(async () => (await store.summary('fix-auth'))?.head.lastGoodTurn, { timeout: 10_000 }).toBe(1)
    const details = (await entriesOf(store, 'fix-auth')).flatMap((entry) =>
      entry.type === 'session-suspended' ? [entry.detail] : [],
    )
    expect(details).toEqual([`taken over from pid ${program.child.pid} on ${hostname()}: it hangs`])
    expect(ranIn(at)).toEqual(['ls', 'hang'])
    program.child.kill('SIGKILL')
  })
})

test('a session that was resumed from here and hangs is taken over from here: its process ends first', async () => {
  const at = await place({ model })
  const { store, board } = boardOf(at)
  const session = await openSession('fix-auth', { store, cwd: at.cwd })
  await session.record([started(1), sent(), overloaded(0, Date.now())])
  await session.close()
  expect(await board.post('/api/sessions/fix-auth/resume', { reason })).toMatchObject({ status: 200 })
  await expect.poll(() => existsSync(join(at.cwd, 'ran.log')) && ranIn(at), { timeout: 10_000 }).toContain('hang')
  const pid = (await store.summary('fix-auth'))?.holder?.owner.pid
  const { status, body } = await board.post('/api/sessions/fix-auth/takeover', { reason: 'it hangs' })
  expect({ status, body }).toMatchObject({ status: 200, body: { text: expect.stringContaining('continues, as pid') } })
  await expect.poll(async () => (await store.summary('fix-auth'))?.head.lastGoodTurn, { timeout: 10_000 }).toBe(1)
  expect(ranIn(at)).toEqual(['ls', 'hang'])
  expect((await entriesOf(store, 'fix-auth')).filter(({ type }) => type === 'session-suspended')).toMatchObject([
    { detail: 'stopped by SIGTERM' },
    { detail: `taken over from pid ${pid} on ${hostname()}: it hangs` },
  ])
  expect((await board.overview()).actions?.map(({ action }) => action)).toEqual(['takeover', 'resume'])
})

test.each<[string, readonly [string, ...string[]]]>([
  ['whose process ends at once', [process.execPath, '-e', 'process.exit(9)']],
  ['that cannot be started', ['/nowhere/lastgood']],
])('a session that was taken over and is not resumed here is told as that: by a command %s', async (_what, command) => {
  const store = memoryStore()
  const session = await openSession('fix-auth', { store })
  await session.record([started(1), sent()])
  const board = stage(store, { resume: { command, env: {}, flags: [] } })
  const { status, body } = await board.post('/api/sessions/fix-auth/takeover', { reason: 'it hangs' })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(JSON.stringify(body)).toMatch(/it was taken from .* and is suspended, but not resumed here: /)
  expect((await store.summary('fix-auth'))?.head.status).toBe('suspended')
  expect((await board.overview()).actions?.map(({ action }) => action)).toContain('takeover')
  await expect(session.record([sent(2)])).rejects.toMatchObject({ code: 'lease-lost' })
})

describe('rewind and fork', () => {
  const two = [started(1), sent(), answered('One.'), ended(1), started(2), sent(), answered('Two.'), ended(2)]

  test('record the reason in the journal', async () => {
    const store = memoryStore()
    await seed(store, 'fix-auth', two)
    const { post, overview } = stage(store)
    expect(await post('/api/sessions/fix-auth/fork', { reason: 'another way', at: 1, newId: 'other' })).toEqual({
      status: 200,
      body: { sessionId: 'other', text: 'other continues after turn 1' },
    })
    expect(await post('/api/sessions/fix-auth/rewind', { reason: 'wrong turn', to: 1 })).toMatchObject({ status: 200 })
    expect((await entriesOf(store, 'fix-auth')).at(-1)).toMatchObject({
      type: 'rewound',
      lastGoodTurn: 1,
      reason: 'wrong turn',
    })
    expect(await entriesOf(store, 'other')).toContainEqual(
      expect.objectContaining({ type: 'session-forked', reason: 'another way' }),
    )
    expect((await overview()).actions?.map(({ action }) => action)).toEqual(['rewind', 'fork'])
  })

  test('of what is not there are refused, and nothing is changed', async () => {
    const store = memoryStore()
    await seed(store, 'fix-auth', two)
    const { post } = stage(store)
    const before = (await entriesOf(store, 'fix-auth')).length
    for (const [action, body] of [
      ['rewind', { to: 9 }],
      ['rewind', {}],
      ['rewind', { to: -1 }],
      ['fork', { at: 9 }],
      ['fork', { newId: '../x' }],
      ['fork', { newId: 'fix-auth' }],
    ] as const) {
      expect(await post(`/api/sessions/fix-auth/${action}`, { reason, ...body })).toMatchObject({
        status: 400,
        body: { error: { code: 'bad-option' } },
      })
    }
    expect(await entriesOf(store, 'fix-auth')).toHaveLength(before)
  })
})

test('the commands that a refusal names lead to the store of the dashboard', async () => {
  const store = memoryStore()
  await seed(store, 'idle', [started(1), sent(), answered('Yes.'), ended(1)])
  const { post } = stage(store, { flags: ['--store S'] })
  for (const [id, hint] of [
    ['idle', 'a new turn: lastgood resume idle --store S "<message>"'],
    ['none', 'see what is there: lastgood list --all --store S'],
  ]) {
    expect(await post(`/api/sessions/${id}/resume`, { reason })).toMatchObject({ body: { error: { hint } } })
  }
})

test('suspend of a session that nobody holds needs no fence, and one that is parked is refused', async () => {
  const store = memoryStore()
  await seed(store, 'waits', [started(1), sent(), overloaded(60_000, Date.now())])
  const { post } = stage(store)
  expect(await post('/api/sessions/waits/suspend', { reason })).toMatchObject({
    status: 200,
    body: { text: 'it is suspended' },
  })
  expect(await post('/api/sessions/waits/suspend', { reason })).toMatchObject({ status: 409 })
})

test('thirty actions are kept, without secrets', async () => {
  const store = memoryStore()
  await seed(store, 'fix-auth', [started(1), sent(), answered('One.'), ended(1)])
  const { post, overview } = stage(store)
  for (let i = 0; i < 35; i++)
    await post('/api/sessions/fix-auth/fork', { reason: `because ${i} sk-ant-api03-abcdefghijk` })
  const { actions } = await overview()
  expect(actions).toHaveLength(30)
  expect(actions[0]?.reason).toBe('because 34 sk-ant-…[secret]')
})

test('a session that is opened meanwhile is not fenced by a rewind', async () => {
  const store = memoryStore()
  await seed(store, 'fix-auth', [started(1), sent(), answered('One.'), ended(1)])
  const session = await openSession('fix-auth', { store })
  expect(await stage(store).post('/api/sessions/fix-auth/rewind', { reason, to: 0 })).toMatchObject({ status: 409 })
  await session.startTurn([{ role: 'user', content: 'Go on' }])
  await session.close()
})
