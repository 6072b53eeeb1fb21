import { join } from 'node:path'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { noteFleetAgent, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { answered, ended, overloaded, project, run, seed, sent, started } from '../../test/context.ts'

async function some(store: Store): Promise<void> {
  await seed(store, 'done', [started(1), sent(), answered('Yes.'), ended(1)])
  await seed(store, 'broke', [started(1), sent(), answered('Yes.'), ended(1), started(2), sent()])
  await seed(store, 'waits', [started(1), sent(), overloaded(3_600_000, Date.now())])
  await seed(store, 'busy', [started(1), sent()], true)
}

const ids = (text: string) =>
  text
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split(/ {2,}/)[1])

describe('list', () => {
  it('shows what can be resumed first, what somebody is at, and no idle session unless asked', async () => {
    const { cwd, store } = project()
    await some(store)
    const { code, stdout, stderr } = await run(['list', '--store', 'state'], { cwd })
    expect(code).toBe(0)
    expect(ids(stdout)).toEqual(['waits', 'broke', 'busy'])
    expect(stdout).toMatch(/waiting +waits +coder +1 +0 .*next try in \S+ · 529 overloaded/)
    expect(stdout).toMatch(/interrupted +broke +coder +2 +1 /)
    expect(stdout).toMatch(/running +busy .*held by pid 1 on gone\.test/)
    expect(stderr).toBe(`store    file:${cwd}/state (--store)\n1 more with: lastgood list --all --store state\n`)
    expect(ids((await run(['list', '--all', '--store', 'state'], { cwd })).stdout)).toHaveLength(4)
  })

  it.each([
    [100, 'queued'],
    [101, 'interrupted'],
  ])('asks its own clock, at %i ms, whether workers still come for a session: %s', async (startAt, state) => {
    const { cwd, store } = project()
    await seed(store, 's', [started(1), sent()])
    await noteFleetAgent(store.shared, 'coder', 0, 100)
    const { stdout } = await run(['list', '--store', 'state'], { cwd, clock: new ManualClock({ startAt }) })
    expect(stdout).toMatch(new RegExp(`\\n${state} +s +coder`))
  })

  it('filters by state and by age', async () => {
    const { cwd, store } = project()
    await some(store)
    const listed = async (...flags: string[]) =>
      ids((await run(['list', '--store', 'state', ...flags], { cwd })).stdout)
    expect(await listed('--state', 'idle,interrupted')).toEqual(['broke', 'done'])
    expect(await listed('--since', '1h')).toEqual(['waits', 'broke', 'busy'])
    expect(await listed('--since', '0')).toEqual([])
  })

  it('--json is one document, --jsonl one for each session, each with its schema and the command that resumes', async () => {
    const { cwd, store } = project()
    await some(store)
    const one = JSON.parse((await run(['list', '--json', '--store', 'state'], { cwd })).stdout) as {
      sessions: object[]
    }
    expect(one).toMatchObject({
      schema: 'lastgood.session-list/v1',
      store: `file:${cwd}/state`,
      source: '--store',
      sessions: [
        { sessionId: 'waits', status: 'waiting', recoverable: true, reason: '529 overloaded', heldBy: null },
        {
          sessionId: 'broke',
          turn: 2,
          lastGoodTurn: 1,
          agent: 'coder',
          command: 'lastgood resume broke --store state',
        },
        { sessionId: 'busy', recoverable: false, heldBy: { host: 'gone.test', pid: 1 } },
      ],
    })
    const { stdout } = await run(['list', '--jsonl', '--store', 'state'], { cwd })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines).toMatchObject(
      one.sessions.map(({ ...session }) => ({ schema: 'lastgood.session/v1', ...session, ageMs: expect.any(Number) })),
    )
  })

  it('of an empty store says so, and of a mistyped one that there is no such folder', async () => {
    const { cwd } = project()
    mkdirSync(join(cwd, 'state'))
    const none = async (store: string) => (await run(['list', '--store', store], { cwd })).stderr
    expect(await none('state')).toBe(`store    file:${cwd}/state (--store)\nno sessions\n`)
    expect(await none('sate')).toBe(`store    file:${cwd}/sate (--store)\nno sessions: there is no such folder yet\n`)
  })

  it('shows the others when one is damaged, says which one it is, and is exit code 6', async () => {
    const { cwd, store } = project()
    await some(store)
    const file = damage(cwd, 'broke')
    const { code, stdout, stderr } = await run(['list', '--store', 'state'], { cwd })
    expect(ids(stdout)).toEqual(['waits', 'busy'])
    expect(stderr).toContain(`error: ${file}`)
    expect(code).toBe(6)
    const json = JSON.parse((await run(['list', '--json', '--store', 'state'], { cwd })).stdout) as object
    expect(json).toMatchObject({ sessions: [{}, {}], error: { code: 'journal-corrupt' }, exitCode: 6 })
  })

  it('names all that are damaged; where none can be read it does not say that there are none', async () => {
    const { cwd, store } = project()
    for (const id of ['a', 'b', 'c']) {
      await seed(store, id, [started(1), sent()])
      damage(cwd, id)
    }
    const { code, stdout, stderr } = await run(['list', '--store', 'state'], { cwd })
    expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
    expect(stderr).toMatch(/^error: \S+\/a\.jsonl.*; also unreadable: b, c\n/)
    expect(JSON.parse((await run(['list', '--json', '--store', 'state'], { cwd })).stdout)).toMatchObject({
      error: { details: { sessions: ['a', 'b', 'c'].map((sessionId) => ({ sessionId, code: 'journal-corrupt' })) } },
    })
  })

  it('of what is no folder gives the error alone', async () => {
    const { cwd } = project()
    writeFileSync(join(cwd, 'file'), '')
    const { code, stderr } = await run(['list', '--store', 'file'], { cwd })
    expect(code).toBe(4)
    expect(stderr).toMatch(/^error: .*ENOTDIR/)
    expect(stderr).not.toContain('no sessions')
  })

  it.each(['show', 'resume'])('%s last, which may be the damaged one, says to name the session', async (command) => {
    const { cwd, store } = project()
    await some(store)
    damage(cwd, 'broke')
    const { code, stderr } = await run([command, 'last', '--store', 'state'], { cwd })
    expect(code).toBe(6)
    expect(stderr).toContain('next: name the session, as in lastgood list --all --store state; ')
  })
})

/** Overwrites bytes of the last line. */
function damage(cwd: string, sessionId: string): string {
  const folder = join(cwd, 'state', 'sessions')
  const file = join(folder, readdirSync(folder).find((name) => name === `${sessionId}.jsonl`) ?? '')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"status":"running"/g, '"status":"runnyng"'))
  return file
}
