import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryBody, Store } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { openSession } from '@lastgood/core'
import { answered, ended, obliging, project, run, seed, sent } from '../../test/context.ts'

const begun = { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'Hi' }] } satisfies EntryBody
const parked = { type: 'session-suspended', reason: 'exhausted', detail: 'spent' } as const

describe('of a session that no agent ran, no command is named that would be refused', () => {
  const words = {
    own: 'start its own program again; with the session id own it continues from the last good turn',
    'gw-e528-1':
      'send the next request through lastgood gateway again; the header x-lastgood-session: gw-e528-1 names the session',
  }

  async function seeded(id: string): Promise<{ cwd: string; store: Store }> {
    const { cwd, store } = project(obliging)
    await seed(store, id, [begun, sent(), parked])
    return { cwd, store }
  }

  it.each(Object.entries(words))('%s: how it goes on is said in words', async (id, how) => {
    const { cwd } = await seeded(id)
    expect((await run(['show', id], { cwd })).stderr).toBe(`to continue, ${how}\n`)
    expect((await run(['resume'], { cwd })).stderr).toContain(`    ${how}\n`)
    expect((await run(['doctor'], { cwd })).stdout).toContain(`fix:  ${how}\n`)
    expect((await run(['status', '--no-page'], { cwd })).stdout).toContain(`next: lastgood show ${id}\n`)
    for (const flags of [[], ['--dry-run']]) {
      const resumed = await run(['resume', id, ...flags], { cwd })
      expect(resumed).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining(`next: ${how}\n`) })
    }
    expect((await run(['export', id, 'a.jsonl'], { cwd })).code).toBe(0)
    const other = id === 'own' ? 'own-b' : 'gw-b'
    const imported = await run(['import', 'a.jsonl', '--as', other], { cwd })
    expect(imported.stderr).toContain(
      `to continue, ${how.replaceAll(`session id ${id}`, `session id ${other}`).replaceAll(`session: ${id}`, `session: ${other}`)}\n`,
    )
    expect(imported.stderr).not.toContain('lastgood resume')
  })

  it.each(Object.entries(words))('%s: nor is one to take it over from who writes it', async (id, how) => {
    const { cwd, store } = project(obliging)
    await seed(store, id, [begun, sent()], true)
    const { code, stderr } = await run(['resume', id], { cwd })
    expect(code).toBe(5)
    expect(stderr).toContain(`next: end that process, and ${how}\n`)
    expect(stderr).not.toMatch(/lastgood (fork|resume)/)
  })

  it('for programs there is no command', async () => {
    const { cwd } = await seeded('own')
    const { stdout } = await run(['list', '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ sessions: [{ sessionId: 'own', agent: null, command: null }] })
  })

  it('nor is one for a new turn, for a fork, or after a rewind', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'own', [begun, sent(), answered('Yes.'), ended(1)])
    for (const argv of [
      ['resume', 'own'],
      ['fork', 'own'],
      ['rewind', 'own', '--turn', '0', '--yes'],
    ]) {
      const { code, stderr } = await run(argv, { cwd })
      expect(code).toBe(0)
      expect(stderr).toContain('start its own program again')
      expect(stderr).not.toContain('lastgood resume')
    }
  })
})

describe('a helper of a session of a client', () => {
  const parent = '203593a5-ba0c-4b0f-b015-1faa585797ef'
  const helper = `${parent}.3f2a9c0d1e4b`

  async function left(): Promise<{ cwd: string; store: Store }> {
    const { cwd, store } = project()
    const asked: EntryBody = { ...begun, agent: 'claude-code' }
    await seed(store, parent, [asked, sent(), answered('Yes.'), ended(1)])
    await seed(store, helper, [begun, sent(), parked])
    await seed(store, `${helper}-2`, [begun, sent()])
    return { cwd, store }
  }

  it('is nothing to resume, and none is the last session', async () => {
    const { cwd } = await left()
    const at = ['--store', 'state']
    expect((await run(['list', ...at], { cwd })).stderr).toContain('nothing to resume; 3 more with')
    expect((await run(['list', '--all', ...at], { cwd })).stdout).toContain(`interrupted  ${helper}-2`)
    expect((await run(['doctor', ...at], { cwd })).stdout).not.toContain(helper)
    expect((await run(['status', '--no-page', ...at], { cwd })).stdout).not.toContain(helper)
    expect((await run(['resume', ...at], { cwd })).stderr).toContain('there is none to resume')
    expect((await run(['resume', 'last', ...at], { cwd })).stdout).toContain(`claude --resume ${parent}\n`)
  })

  it('says whose it is', async () => {
    const { cwd } = await left()
    const { code, stderr } = await run(['resume', helper, '--store', 'state'], { cwd })
    expect(code).toBe(4)
    expect(stderr).toContain(`next: resume ${parent}: this session is its helper and continues with it\n`)
  })

  it('says nothing else while the gateway keeps it', async () => {
    const { cwd, store } = project()
    await seed(store, helper, [begun, sent()], true)
    const { code, stderr } = await run(['resume', helper, '--store', 'state'], { cwd })
    expect(code).toBe(5)
    expect(stderr).toContain(`next: resume ${parent}: this session is its helper and continues with it\n`)
  })

  it('is only one that a gateway named so: a program that calls its session alike goes on with it', async () => {
    const { cwd, store } = project()
    await seed(store, 'release.3f2a9c0d1e4b', [begun, sent()])
    expect((await run(['list', '--store', 'state'], { cwd })).stdout).toContain('interrupted  release.3f2a9c0d1e4b')
  })
})

describe('last is the same session for every command', () => {
  const commands = [['show'], ['pin'], ['unpin'], ['repair'], ['fork'], ['export'], ['rewind', '--turn', '0', '--yes']]

  async function recordedIn(...folders: readonly (readonly [id: string, folder: string | null])[]) {
    const { cwd, store } = project(obliging)
    for (const [id, folder] of folders) {
      const session = await openSession(id, { store, cwd: folder === '.' ? cwd : folder })
      await session.startTurn([{ role: 'user', content: `Of ${id}` }], 'coder')
      await session.record([sent(), answered('Yes.'), ended(1)])
      await session.close()
    }
    return { cwd, last: ([name = '', ...flags]: readonly string[]) => run([name, 'last', ...flags], { cwd }) }
  }

  it.each(commands)('%s: that of this folder, where there is one', async (...words) => {
    const { last } = await recordedIn(['here', '.'], ['there', '/another/project'])
    const { code, stdout, stderr } = await last(words)
    expect(code).toBe(0)
    expect(stdout + stderr).toContain('here')
    expect(stdout + stderr).not.toMatch(/there|note:/)
  })

  it.each(commands)('%s: else that of the store, with a note', async (...words) => {
    const { cwd, last } = await recordedIn(['there', '/another/project'])
    const { code, stderr } = await last(words)
    expect(code).toBe(0)
    expect(stderr).toContain(`note: recorded in /another/project, but this is ${cwd}\n`)
  })

  it.each(commands)(
    '%s: and it names one that a gateway wrote later, for a client in an unknown folder',
    async (...words) => {
      const { last } = await recordedIn(['before', null], ['here', '.'], ['after', null])
      const { code, stdout, stderr } = await last(words)
      expect(code).toBe(0)
      expect(stdout + stderr).toContain('here')
      expect(stderr).toContain('note: written later, in a folder that is not known: after\n')
      expect(stderr).not.toContain('before')
    },
  )

  it('and nobody knows which where one cannot be read: the commands that tell are for the store that was asked', async () => {
    const { cwd, store } = project()
    await seed(store, 'fix-auth', [begun])
    const file = join(cwd, 'state', 'sessions', 'fix-auth.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"status":"', '"status":"x'))
    const { code, stderr } = await run(['resume', 'last', '--store', 'state'], { cwd })
    expect(code).toBe(6)
    expect(stderr).toContain('next: name the session, as in lastgood list --all --store state; ')
    expect(stderr).toContain('lastgood show fix-auth --store state shows the part before it')
  })
})
