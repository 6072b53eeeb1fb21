import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryBody } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { answered, ended, obliging, project, run, seed, sent, started } from '../../test/context.ts'

const history = [1, 2].flatMap((turn) => [
  started(turn, `Ask ${turn}`),
  sent(),
  answered(`Answer ${turn}.`),
  ended(turn),
])

async function there() {
  const { cwd, store } = project(obliging)
  await seed(store, 'fix-auth', [...history, started(3, 'Ask 3'), sent()])
  return { cwd, store }
}

describe('fork', () => {
  it('makes a session that goes on after the last good turn, and says how', async () => {
    const { cwd, store } = await there()
    expect(await run(['fork', 'fix-auth'], { cwd })).toEqual({
      code: 0,
      stdout: 'fix-auth-2\n',
      stderr:
        "✔ fix-auth-2 continues after turn 2 of fix-auth\ncontinue with\nlastgood resume fix-auth-2 '<message>'\n",
    })
    expect(await run(['resume', 'fix-auth-2', 'Otherwise'], { cwd })).toMatchObject({ code: 0, stdout: 'All done.\n' })
    expect((await store.summary('fix-auth-2'))?.head).toMatchObject({ turn: 3, agent: 'coder', cwd: '/projects/there' })
    expect((await store.summary('fix-auth'))?.head).toMatchObject({ turn: 3, lastGoodTurn: 2 })
    expect((await run(['fork', 'fix-auth-2'], { cwd })).stdout).toBe('fix-auth-3\n')
  })

  it('--json is one document, with the place that it goes on from', async () => {
    const { cwd } = await there()
    const argv = ['fork', 'last', 'other', '--turn', '1', '--reason', 'a try', '--json']
    expect(JSON.parse((await run(argv, { cwd })).stdout)).toMatchObject({
      schema: 'lastgood.fork/v1',
      from: 'fix-auth',
      sessionId: 'other',
      turn: 1,
      origin: { sessionId: 'fix-auth', seq: 5 },
      command: 'lastgood resume other',
    })
    const { stdout } = await run(['show', 'other'], { cwd })
    expect(stdout).toMatch(/forked {3}from entry 5 of fix-auth/)
    expect(stdout).toMatch(/turn 1 ended .* inherited\n {2}> Ask 1/)
    expect(stdout).toMatch(/⑂ forked from fix-auth, entry 5: a try/)
    expect(stdout).not.toContain('Ask 2')
    const { stdout: entries } = await run(['show', 'other', '--entries'], { cwd })
    expect(entries).toMatch(/ 5 {2}\S+ {2}turn-ended +inheritedFrom=fix-auth turn=1\n/)
    expect((await run(['show', 'other', '--raw'], { cwd })).stdout.trim().split('\n')).toHaveLength(2)
    const listed = JSON.parse((await run(['list', '--all', '--json'], { cwd })).stdout) as { sessions: object[] }
    expect(listed.sessions).toContainEqual(expect.objectContaining({ origin: { sessionId: 'fix-auth', seq: 5 } }))
  })

  it.each([
    [['fix-auth', 'fix-auth'], 2, 'session fix-auth already exists\n  next: choose another id'],
    [['fix-auth', 'x', '--turn', '3'], 2, 'no finished turn 3 to fork after\n  next: finished turns: 1, 2'],
    [['fix-auth', '../x'], 2, 'not a session id'],
    [['nobody'], 3, 'no session nobody'],
  ])('%j is refused', async (args, code, text) => {
    const { cwd } = await there()
    const ran = await run(['fork', ...args], { cwd })
    expect(ran).toMatchObject({ code, stderr: expect.stringContaining(text) })
  })

  it.each([
    ['fork', 'fix-auth'],
    ['rewind', 'fix-auth', '--turn', '1', '--yes'],
  ])('%s needs no configuration where the store is named: a broken one is not in its way', async (...words) => {
    const { cwd } = await there()
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'export default { stroe: 1 }\n')
    expect((await run([...words, '--store', 'state'], { cwd })).code).toBe(0)
  })

  it('of a session whose client holds the conversation is refused, with what the client has for it', async () => {
    const { cwd, store } = project(obliging)
    const asked = (agent: string): EntryBody => ({ type: 'turn-started', turn: 1, agent, messages: [] })
    for (const agent of ['claude-code', 'opencode'])
      await seed(store, `of-${agent}`, [asked(agent), sent(), answered('Yes.'), ended(1)])
    const hints = {
      'of-claude-code': 'lastgood run -- claude --resume of-claude-code --fork-session; to go back in it: /rewind',
      'of-opencode': 'lastgood run -- opencode --session of-opencode --fork; to go back in it: /undo',
    }
    for (const [id, hint] of Object.entries(hints))
      for (const argv of [
        ['fork', id],
        ['rewind', id, '--turn', '0', '--yes'],
      ]) {
        const { code, stderr } = await run(argv, { cwd })
        expect(code).toBe(2)
        expect(stderr).toContain(`continues session ${id} from its own copy\n  next: to fork it: ${hint}`)
      }
    expect(await store.summary('of-opencode-2')).toBeUndefined()
    expect((await store.summary('of-opencode'))?.head.lastGoodTurn).toBe(1)
  })

  it('whose parent is gone says which one, and what to do, wherever it is read', async () => {
    const { cwd, store } = await there()
    await run(['fork', 'fix-auth', 'other'], { cwd })
    await store.remove('fix-auth')
    for (const argv of [
      ['show', 'other'],
      ['resume', 'other', 'more'],
      ['export', 'other'],
    ]) {
      const { code, stderr } = await run(argv, { cwd })
      expect(code).toBe(6)
      expect(stderr).toMatch(
        /session other continues from entry 9 of session fix-auth, which is not there\n {2}next: restore fix-auth/,
      )
    }
  })
})
