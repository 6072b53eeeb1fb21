import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession, type EntryBody, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, it } from 'vitest'
import { answered, ended, newFolder, overloaded, project, run, sent, started } from '../../../test/context.ts'

const minute = 60_000

/** One session that came through, one that is parked. */
async function night(store: Store): Promise<ManualClock> {
  const clock = new ManualClock({ startAt: Date.parse('2026-11-22T02:00:00Z') })
  const owner = { id: 'o', host: 'gone.test', realm: 'another machine', pid: 1 }
  const [one, two] = await Promise.all(
    ['fix-auth', 'write-docs'].map((id) => openSession(id, { store, clock, cwd: '/there', owner: { ...owner, id } })),
  )
  const failing: EntryBody[] = [started(1), sent(), overloaded(92 * minute, clock.now())]
  await one?.record(failing)
  await two?.record(failing)
  await clock.advance(92 * minute)
  await one?.record([sent(2), answered('Yes.'), ended(1)])
  const detail = 'Gave up\u001b[2J waiting'
  await two?.record([{ type: 'session-suspended', reason: 'exhausted', detail, retryAt: clock.now() + 60 * minute }])
  await Promise.all([one?.close(), two?.close()])
  await clock.advance(10 * minute)
  return clock
}

describe('status --report', () => {
  it('says in a few lines what happened, then what each of it is', async () => {
    const { cwd, store } = project()
    const clock = await night(store)
    const { code, stdout } = await run(['status', '--report', '--store', 'state'], { cwd, clock })
    expect(code).toBe(0)
    expect(stdout.split('\n').slice(0, 6)).toEqual([
      'since    2026-11-21T03:42:00.000Z (1d00h), 2 sessions written',
      'outage   1h32m in 1 outage',
      'sessions 2 sessions affected, 1 recovered unattended, 1 needs a person',
      'lost     0 turns',
      'tools    none run again, none of unknown outcome',
      'cost     nothing extra',
    ])
    expect(stdout).toMatch(
      /OUTAGE OF +FROM +FOR +SESSIONS +FAULTS +ERRORS SEEN\nclaude-opus-5-5 +2026-11-22T02:00:00Z +1h32m +2 +2 +529 overloaded_error ×2 "Over/,
    )
    expect(stdout).toMatch(/ANSWERED BY +TIMES +LONGEST +AVERAGE\nsame model +1 +1h32m +1h32m\n/)
    expect(stdout).toMatch(/suspended +write-docs +turn 0 +1 +10m ago +in trouble for 1h42m · Gave up␛\[2J waiting/)
    expect(stdout).toMatch(/recovered +fix-auth +turn 1 +1 +10m ago +by itself\n/)
  })

  it('--json has it for a post-mortem, without content', async () => {
    const { cwd, store } = project()
    const clock = await night(store)
    const { stdout } = await run(['status', '--report', '--since', '12h', '--json', '--store', 'state'], { cwd, clock })
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.report/v1',
      store: store.location,
      since: '2026-11-21T15:42:00.000Z',
      until: '2026-11-22T03:42:00.000Z',
      summary: {
        outages: 1,
        outageMs: 92 * minute,
        sessionsTouched: 2,
        recoveredBySelf: 1,
        standings: { recovered: 1, suspended: 1, waiting: 0 },
        turnsLost: 0,
        calls: { told: 0, rerun: 0, verified: 0 },
        extra: { repeatedTokens: 0, rereadTokens: 0, usd: 0, unpriced: [] },
      },
      outages: [
        {
          model: 'claude-opus-5-5',
          from: '2026-11-22T02:00:00.000Z',
          to: '2026-11-22T03:32:00.000Z',
          sessions: 2,
          wire: [{ label: '529 overloaded_error', count: 2 }],
          said: 'Overloaded',
        },
      ],
      sessions: [
        {
          sessionId: 'write-docs',
          standing: 'suspended',
          bySelf: false,
          retryAt: '2026-11-22T04:32:00.000Z',
          turnsLost: [],
          command: 'lastgood resume write-docs --store state',
        },
        { sessionId: 'fix-auth', standing: 'recovered', bySelf: true, command: null },
      ],
      unreadable: [],
    })
    expect(stdout).not.toContain('Make it green')
  })

  it('names each session that cannot be read, and does not say that nothing of it is lost', async () => {
    const { cwd, store } = project()
    const clock = await night(store)
    for (const id of ['fix-auth', 'write-docs']) {
      const file = join(cwd, 'state', 'sessions', `${id}.jsonl`)
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"status":"', '"status":"x'))
    }
    const ran = async (...flags: string[]) => run(['status', '--report', '--store', 'state', ...flags], { cwd, clock })
    const { code, stdout } = await ran()
    expect(code).toBe(6)
    expect(stdout).toContain('lost     0 turns; unknown for 2 sessions\n')
    expect(stdout).toContain('fix-auth could not be read (journal-corrupt): lastgood doctor --store state\n')
    expect(JSON.parse((await ran('--json')).stdout)).toMatchObject({
      unreadable: ['fix-auth', 'write-docs'].map((sessionId) => ({ sessionId, code: 'journal-corrupt' })),
    })
    const doctor = await run(['doctor', '--store', 'state', '--json'], { cwd, clock })
    expect(JSON.parse(doctor.stdout)).toMatchObject({ dangers: 2 })
  })

  it('of what is no folder gives the error alone', async () => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'file'), '')
    expect(await run(['status', '--report', '--store', 'file'], { cwd })).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/^error: .*ENOTDIR/),
    })
  })

  it('of a night in which nothing happened says so', async () => {
    const { code, stdout } = await run(['status', '--report', '--store', 'state'], { cwd: newFolder() })
    expect(code).toBe(0)
    expect(stdout).toMatch(/0 sessions written\noutage {3}none\nsessions 0 sessions affected\nlost {5}0 turns\n/)
  })

  it.each([[['--report', '--since', 'soon']], [['--since', '2h']]])('%j is wrong usage', async (flags) => {
    expect(await run(['status', '--store', 'state', ...flags], { cwd: newFolder() })).toMatchObject({ code: 2 })
  })
})
