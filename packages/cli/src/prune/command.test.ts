import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSession, type SessionOptions } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { answered, Collector, ended, project, run, seed, sent, started } from '../../test/context.ts'

const day = 86_400_000
const turn = [started(1), sent(), answered('Yes.'), ended(1)]

async function some() {
  const { cwd, store } = project()
  const clock = new ManualClock({ startAt: Date.UTC(2030, 0, 1) })
  const write = async (id: string, options: SessionOptions = {}) => {
    const session = await openSession(id, { store, clock, cwd, ...options })
    await session.record(turn)
    await session.close()
  }
  await write('over', { ttlMs: day })
  await write('pinned', { ttlMs: day, pinned: true })
  await write('later', { ttlMs: 9 * day })
  await write('never')
  await run(['fork', 'over', 'fork', '--store', 'state'], { cwd, clock })
  await clock.advance(2 * day)
  const pruned = (...flags: string[]) => run(['prune', '--store', 'state', ...flags], { cwd, clock })
  const ids = async () => {
    const all: string[] = []
    for await (const { head } of store.list()) all.push(head.sessionId)
    return all.sort()
  }
  return { cwd, store, clock, pruned, ids }
}

describe('prune', () => {
  it('shows what goes, what stays and why, and --dry-run leaves it at that', async () => {
    const { pruned, ids, store, clock } = await some()
    const { code, stdout, stderr } = await pruned('--dry-run')
    expect(code).toBe(0)
    expect(stdout).toBe('keep    over  a fork that stays needs its journal\nkeep    pinned  pinned: lastgood unpin\n')
    expect(stderr).toContain('nothing to prune; 3 more have time left\n')
    await (await openSession('fork', { store, clock, ttlMs: 1 })).close()
    await clock.advance(2)
    const again = await pruned('--dry-run')
    expect(again.stdout).toMatch(
      /^remove {2}fork {2}idle, written 0s ago, 3 entries\nremove {2}over {2}idle, written 2d ago/,
    )
    expect(await ids()).toHaveLength(5)
  })

  it('removes forks before what they came from, and leaves nothing of them behind', async () => {
    const { cwd, pruned, ids, store, clock } = await some()
    await (await openSession('fork', { store, clock, ttlMs: 1 })).close()
    await clock.advance(2)
    expect(await pruned('--yes')).toMatchObject({ code: 0, stderr: expect.stringMatching(/✔ 2 removed\n$/) })
    expect(await ids()).toEqual(['later', 'never', 'pinned'])
    const files = readdirSync(join(cwd, 'state', 'sessions'))
    expect(files.filter((name) => /over|fork/.test(name))).toEqual([])
  })

  it('--older-than takes all that are so old, but no pinned one; --json is one document', async () => {
    const { pruned, ids } = await some()
    const { stdout } = await pruned('--older-than', '2d', '--yes', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.prune/v1',
      dryRun: false,
      expired: expect.arrayContaining([expect.objectContaining({ sessionId: 'later', ttlMs: 9 * day })]),
      kept: [{ sessionId: 'pinned', because: 'pinned' }],
      others: 0,
      removed: expect.arrayContaining(['fork', 'over', 'later', 'never']),
      failed: [],
    })
    expect(await ids()).toEqual(['pinned'])
  })

  it('asks on a terminal, and needs --yes without one', async () => {
    const { cwd, clock, pruned, ids } = await some()
    expect(await pruned('--older-than', '1d')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    const ask = async (answer: string) => {
      const stderr = new Collector()
      stderr.isTTY = true
      await run(['prune', '--store', 'state', '--older-than', '1d'], {
        cwd,
        clock,
        stderr,
        stdin: { isTTY: true, line: async () => answer },
      })
      return stderr.text
    }
    expect(await ask('')).toMatch(/Remove these 4 sessions for good\? \[y\/N\] nothing was changed\n$/)
    expect(await ids()).toHaveLength(5)
    expect(await ask('Yes')).toMatch(/✔ 4 removed\n$/)
    expect(await ids()).toEqual(['pinned'])
  })

  it('leaves a session that was gone on with while it asked, says so, and removes the others (P1)', async () => {
    const { cwd, store, clock, ids } = await some()
    const stderr = new Collector()
    stderr.isTTY = true
    const line = async () => {
      const session = await openSession('never', { store, clock, cwd })
      await session.record([started(2), sent(), answered('Still here.'), ended(2)])
      await session.close()
      return 'yes'
    }
    const flags = ['--store', 'state', '--older-than', '1d']
    const { code } = await run(['prune', ...flags], { cwd, clock, stderr, stdin: { isTTY: true, line } })
    expect(code).toBe(6)
    expect(stderr.text).toContain('✔ 3 removed\n')
    expect(stderr.text).toContain('session never was written to meanwhile, and is kept')
    expect(await ids()).toEqual(['never', 'pinned'])
  })

  it('leaves a held session, and says so', async () => {
    const { cwd, store } = project()
    await seed(store, 'busy', turn, true)
    const { stdout } = await run(['prune', '--older-than', '0s', '--yes', '--store', 'state'], { cwd })
    expect(stdout).toBe('keep    busy  a process is using it\n')
  })

  it('takes a damaged session by its name only, and asks; then the others can be pruned again', async () => {
    const { cwd, store, pruned, ids } = await some()
    const path = store.journalAt('never')
    const bytes = readFileSync(path)
    const at = bytes.lastIndexOf('"head"')
    bytes[at + 20] = (bytes[at + 20] ?? 0) ^ 1
    writeFileSync(path, bytes)
    expect(await pruned('--older-than', '1d', '--yes')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('lastgood prune --damaged <session>'),
    })
    expect(await pruned('--damaged', 'never')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    expect(await pruned('--damaged', 'later', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('session later can be read'),
    })
    expect(await pruned('--damaged', 'nobody', '--yes')).toMatchObject({ code: 3 })
    expect(await pruned('--damaged', 'never', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^remove {2}never {2}.* is damaged: it was altered\n$/),
    })
    const { code, stdout } = await pruned('--damaged', 'never', '--yes', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'lastgood.prune/v1', dryRun: false, removed: ['never'] })
    expect(readdirSync(join(cwd, 'state', 'sessions')).filter((name) => name.startsWith('never'))).toEqual([])
    expect(await pruned('--older-than', '1d', '--yes')).toMatchObject({ code: 0 })
    expect(await ids()).toEqual(['pinned'])
  })

  it('takes one that is damaged where only a reader of all of it sees that, and keeps a sound one', async () => {
    const { cwd, store, pruned, ids, clock } = await some()
    const session = await openSession('never', { store, clock, cwd })
    await session.startTurn([{ role: 'user', content: 'x'.repeat(100_000) }])
    await session.close()
    const folder = join(cwd, 'state', 'sessions')
    const [blobs = ''] = readdirSync(folder).filter((name) => /^never.*blobs$/.test(name))
    rmSync(join(folder, blobs), { recursive: true })
    expect(await store.summary('never')).toBeDefined()
    const sound = await pruned('--damaged', 'later', '--yes')
    expect(sound).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('next: look at it: lastgood show later --store state\n'),
    })
    expect(await pruned('--damaged', 'never', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^remove {2}never {2}.* is missing/),
    })
    expect(await ids()).toEqual(['fork', 'later', 'over', 'pinned'])
  })

  it('of an empty store has nothing to do', async () => {
    const { cwd } = project()
    const { code, stderr } = await run(['prune', '--store', 'state'], { cwd })
    expect({ code, text: stderr.split('\n')[1] }).toEqual({ code: 0, text: 'nothing to prune; 0 more have time left' })
  })
})

describe('pin and unpin', () => {
  it('say when a session goes, in list and show too, and restart nothing', async () => {
    const { cwd, store } = project()
    const clock = new ManualClock({ startAt: Date.now() })
    await seed(store, 's', [...turn, started(2), sent()])
    const cli = (...argv: string[]) => run([...argv, '--store', 'state'], { cwd, clock })
    expect(await cli('pin', 's')).toEqual({ code: 0, stdout: '', stderr: '✔ s: pinned\n' })
    expect((await cli('list')).stdout).toMatch(/interrupted +s .* pinned\n/)
    expect(await cli('unpin', 's', '--ttl', '7d')).toMatchObject({ stderr: '✔ s: expires in 7d00h\n' })
    expect((await cli('list')).stdout).toMatch(/ expires in 7d00h\n/)
    expect((await cli('show', 's')).stdout).toMatch(/kept {5}expires in 7d00h[^]*kept for 7d00h after its last entry/)
    const { sessions } = JSON.parse((await cli('list', '--json')).stdout) as { sessions: object[] }
    const expiresAt = new Date(clock.now() + 7 * day).toISOString()
    expect(sessions).toMatchObject([{ sessionId: 's', status: 'interrupted', pinned: false, expiresAt }])
    expect(JSON.parse((await cli('unpin', 's', '--ttl', 'never', '--json')).stdout)).toMatchObject({
      schema: 'lastgood.retention/v1',
      pinned: false,
      ttlMs: null,
      expiresAt: null,
    })
    const types: string[] = []
    for await (const { type } of store.read('s')) types.push(type)
    expect(types).not.toContain('session-resumed')
    expect(await cli('unpin', 's', '--ttl', 'soon')).toMatchObject({ code: 2 })
    expect(await cli('pin', 'nobody')).toMatchObject({ code: 3 })
  })
})
