import { describe, expect, it } from 'vitest'
import { openSession } from '@lastgood/core'
import { answered, Collector, ended, obliging, project, run, seed, sent, started } from '../../test/context.ts'

const call = { id: 't1', name: 'deploy', input: { to: 'prod' } }
const history = [
  started(1),
  sent(),
  answered('One.'),
  ended(1),
  started(2, 'Now the docs'),
  sent(),
  answered('Two.'),
  ended(2),
  started(3, 'Deploy it'),
  sent(),
  answered('Deploying.', call),
  { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'report' } as const,
]

async function there() {
  const { cwd, store } = project(obliging)
  await seed(store, 's', history)
  return { cwd, store, head: async () => (await store.summary('s'))?.head }
}

describe('rewind', () => {
  it('lists what is dropped, which tools ran in it, and goes back; resume goes on from there', async () => {
    const { cwd, head } = await there()
    const { code, stdout, stderr } = await run(['rewind', 's', '--turn', '1', '--yes'], { cwd })
    expect(code).toBe(0)
    expect(stdout).toBe('turn 2 ended  Now the docs\nturn 3 open  Deploy it  (ran deploy)\n')
    expect(stderr).toContain('what their tools did is not undone\n✔ the last good turn is turn 1\n')
    expect(stderr).toContain("lastgood resume s '<message>'\n")
    expect(await head()).toMatchObject({ turn: 1, lastGoodTurn: 1, status: 'idle' })
    expect(await run(['resume', 's', 'Otherwise'], { cwd })).toMatchObject({ code: 0, stdout: 'All done.\n' })
    expect(await head()).toMatchObject({ turn: 2, lastGoodTurn: 2 })
    expect((await run(['show', 's'], { cwd })).stdout).toMatch(
      /turn 2 rewound[^]*turn 3 rewound[^]*↶ went back to turn 1/,
    )
  })

  it('--dry-run changes nothing, and --json says the same as one document', async () => {
    const { cwd, head } = await there()
    const before = await head()
    const { stdout } = await run(['rewind', 's', '--turn', '0', '--dry-run', '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.rewind/v1',
      sessionId: 's',
      turn: 0,
      rewound: false,
      dropped: [{ turn: 1 }, { turn: 2, tools: [] }, { turn: 3, state: 'open', tools: ['deploy'] }],
      command: 'lastgood resume s',
    })
    expect(await head()).toEqual(before)
  })

  it.each([
    ['y\n', 1],
    ['n\n', 2],
    [undefined, 2],
  ])('asks on a terminal: %j', async (answer, lastGoodTurn) => {
    const { cwd, head } = await there()
    const stderr = new Collector()
    stderr.isTTY = true
    const stdin = { isTTY: true, line: async () => answer }
    expect(await run(['rewind', 's', '--turn', '1'], { cwd, stdin, stderr })).toMatchObject({ code: 0 })
    expect(stderr.text).toContain('Rewind s to turn 1? [y/N] ')
    expect(await head()).toMatchObject({ lastGoodTurn })
  })

  it('without a terminal needs --yes', async () => {
    const { cwd, head } = await there()
    const { code, stderr } = await run(['rewind', 's', '--turn', '1'], { cwd })
    expect(code).toBe(2)
    expect(stderr).toMatch(/There is no terminal to ask at\n {2}next: add --yes/)
    expect(await head()).toMatchObject({ lastGoodTurn: 2 })
  })

  it.each([
    [['--turn', '3'], 'there is no finished turn 3 to go back to\n  next: finished turns: 1, 2'],
    [['--turn', '9'], 'there is no finished turn 9'],
    [['--turn', 'two'], 'turns count from 1; 0 is the beginning'],
    [[], "required option '--turn <n>' not specified"],
  ])('%j is refused', async (flags, text) => {
    const { cwd } = await there()
    const { code, stderr } = await run(['rewind', 's', ...flags, '--yes'], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(text)
  })

  it('to where it stands says that there is nothing to do', async () => {
    const { cwd, store } = project()
    await seed(store, 's', history.slice(0, 8))
    const { code, stderr } = await run(['rewind', 's', '--turn', '2', '--store', 'state'], { cwd })
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'nothing to rewind: turn 2 is the last turn of s\n' })
  })

  it('of a session that somebody is at is exit code 5', async () => {
    const { cwd, store } = project()
    await seed(store, 's', history, true)
    expect(await run(['rewind', 's', '--turn', '1', '--yes', '--store', 'state'], { cwd })).toMatchObject({ code: 5 })
  })

  it('that was written while the question stood is refused: what was shown is not what would go', async () => {
    const { cwd, store, head } = await there()
    const stderr = new Collector()
    stderr.isTTY = true
    const line = async () => {
      await (await openSession('s', { store })).close()
      return 'yes'
    }
    const { code } = await run(['rewind', 's', '--turn', '1'], { cwd, stdin: { isTTY: true, line }, stderr })
    expect(code).toBe(6)
    expect(stderr.text).toContain('was written while you were asked')
    expect(await head()).toMatchObject({ lastGoodTurn: 2 })
  })
})
