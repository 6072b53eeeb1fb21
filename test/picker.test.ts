/** `resume` without a session, on a terminal. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession, type EntryBody, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { describe, expect, it, onTestFinished } from 'vitest'
import { place } from '../packages/cli/test/processes.ts'
import { newFolder } from './support/folder.ts'
import { openTerminal, type TerminalOptions } from './support/terminal.ts'

const agent = `export default { store: '../state', agents: { coder: { name: 'coder', async run(session, input) {
  if (input !== undefined) await session.startTurn([{ role: 'user', content: input }], 'coder')
  const message = { id: 'msg_1', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' }
  await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }, { type: 'response-received', message }, { type: 'turn-ended', turn: session.turn }])
  return { turn: session.turn, text: 'Done.', content: [] }
} } } }`

/** Two projects with one store. */
function projects() {
  const root = newFolder()
  const [api, web] = [join(root, 'api'), join(root, 'web')]
  for (const folder of [api, web]) {
    mkdirSync(folder)
    writeFileSync(join(folder, 'lastgood.config.mjs'), agent)
  }
  const store = fileStore({ dir: join(root, 'state') })
  return { api, web, store }
}

const asked = (text: string, turn = 1): EntryBody => ({
  type: 'turn-started',
  turn,
  agent: 'coder',
  messages: [{ role: 'user', content: text }],
})
const sent: EntryBody = { type: 'request-sent', model: 'claude-opus-5-5', attempt: 1 }
const answered: EntryBody = {
  type: 'response-received',
  message: {
    id: 'm',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'Yes.' }],
    stop_reason: 'end_turn',
  },
}

async function seed(store: Store, id: string, cwd: string, bodies: readonly EntryBody[]) {
  const owner = { id, host: 'gone.test', realm: 'another machine', pid: 4711 }
  const session = await openSession(id, { store, cwd, owner })
  await session.record(bodies)
  return session
}

async function three() {
  const { api, web, store } = projects()
  const bodies = [
    ['fix-auth', api, [asked('Make the tests of the login green'), sent]],
    [
      'write-docs',
      api,
      [
        asked('Document every option'),
        sent,
        { type: 'session-suspended', reason: 'exhausted', detail: 'held for longer than the policy waits' },
      ],
    ],
    ['new-page', web, [asked('Draw a page for the prices'), sent]],
  ] as const
  for (const [id, cwd, entries] of bodies) await (await seed(store, id, cwd, entries)).close()
  return { api, web, store }
}

const resume = (cwd: string, options: Partial<TerminalOptions> = {}, ...argv: string[]) =>
  openTerminal(['resume', ...argv], { cwd, ...options })

const seqs = async (store: Store) => {
  const found: Record<string, number> = {}
  for await (const { head } of store.list()) found[head.sessionId] = head.seq
  return found
}
const lastLine = (screen: string) => screen.trimEnd().split('\n').at(-1)

describe('on a terminal, resume without a session', () => {
  it('shows the sessions of this folder, tells where the picked one stands, and goes on with it', async () => {
    const { api, store } = await three()
    const terminal = resume(api)
    const screen = await terminal.shows('to select')
    expect(screen).toMatch(/Which session\?\n/)
    expect(screen).toMatch(
      /● write-docs +\d+s ago +suspended +turn 1 +Document every option \(held for longer than the policy/,
    )
    expect(screen).toMatch(/○ fix-auth +\d+s ago +interrupted +turn 1 +Make the tests of the login green\n/)
    expect(screen).toContain('all projects (1 more)')
    expect(screen).not.toContain('new-page')
    terminal.press('down')
    await terminal.shows(/● fix-auth/)
    terminal.press('enter')
    const { code, screen: end } = await terminal.ended
    expect(code).toBe(0)
    expect(end).toMatch(/session {2}fix-auth[^]*state {4}saved inside turn 1; turn 1 is open: continuing\n[^]*Done\./)
    expect(end.match(/state {4}/g)).toHaveLength(1)
    expect(await store.summary('fix-auth')).toMatchObject({ head: { status: 'idle', lastGoodTurn: 1 }, holder: null })
  })

  it('shows those of all projects when that is chosen, with the project of each', async () => {
    const { api } = await three()
    const terminal = resume(api)
    await terminal.shows('all projects (1 more)')
    terminal.press('up')
    await terminal.shows('● all projects')
    terminal.press('enter')
    const screen = await terminal.shows(/Which session, of all projects\?[^]*to select/)
    expect(screen).toMatch(/new-page +\d+s ago +interrupted +turn 1 +web +Draw a page/)
    expect(screen).toMatch(/fix-auth +\d+s ago +interrupted +turn 1 +api +Make the tests/)
  })

  it('finds a session of any project by words of what was asked', async () => {
    const { api } = await three()
    const terminal = resume(api)
    await terminal.shows('to select')
    terminal.type('prices')
    const screen = await terminal.shows('(1 match)')
    expect(screen).toMatch(/● new-page/)
    expect(screen).not.toContain('fix-auth')
    terminal.type('x')
    await terminal.shows('No matches found')
    terminal.press('enter')
    await terminal.shows('no match: type fewer words')
    terminal.press('backspace')
    await terminal.shows(/● new-page/)
    terminal.press('enter')
    expect(await terminal.ended).toMatchObject({ code: 0, screen: expect.stringContaining('session  new-page') })
  })

  it.each(['escape', 'ctrl-c'] as const)(
    '%s leaves with 130, and the command for what was under the cursor',
    async (key) => {
      const { api, store } = await three()
      const before = await seqs(store)
      const terminal = resume(api, {}, '--store', '../state')
      await terminal.shows('to select')
      terminal.press('down')
      await terminal.shows(/● fix-auth/)
      terminal.press(key)
      const { code, screen } = await terminal.ended
      expect(code).toBe(130)
      expect(lastLine(screen)).toBe('lastgood resume fix-auth --store ../state')
      expect(await seqs(store)).toEqual(before)
    },
  )

  it('left at a session that no command can resume, it says how that one continues', async () => {
    const { api, store } = projects()
    const { agent: _, ...ownLoops } = asked('Build it') as EntryBody & { type: 'turn-started' }
    await (await seed(store, 'own-loop', api, [ownLoops, sent])).close()
    const terminal = resume(api, { columns: 200 })
    await terminal.shows(/● own-loop/)
    terminal.press('escape')
    expect(lastLine((await terminal.ended).screen)).toMatch(/; to continue, start its own program again; /)
  })

  it('a signal leaves it as well, with the cursor shown again', async () => {
    const { api } = await three()
    const terminal = resume(api)
    await terminal.shows('to select')
    terminal.kill('SIGTERM')
    expect(await terminal.ended).toMatchObject({ code: 143 })
    expect(terminal.written().lastIndexOf('\u001b[?25h')).toBeGreaterThan(terminal.written().lastIndexOf('\u001b[?25l'))
  })

  it('shows hostile content as text, in its row', async () => {
    const { api, store } = projects()
    const hostile = 'Clear\u001b[2J\u001b[H\u009b31m\r\nthe screen\u202e now \u0007'
    await (
      await seed(store, 'odd', api, [{ ...asked(hostile), agent: 'x\u001b]0;owned\u0007' } as EntryBody, sent])
    ).close()
    const terminal = resume(api)
    const screen = await terminal.shows('to select')
    expect(screen).toMatch(/● odd +\d+s ago +interrupted +turn 1 +Clear␛\[2J␛\[H\ufffd31m the screen\ufffd now ␇ \(/)
    expect(terminal.written()).not.toContain('\u001b[2J')
    expect(terminal.written()).not.toContain('\u001b]0;')
  })

  it('asks what is next of a session whose turn has ended, and starts a turn with it', async () => {
    const { api, store } = projects()
    await (await seed(store, 'done', api, [asked('Build it'), sent, answered, { type: 'turn-ended', turn: 1 }])).close()
    const terminal = resume(api)
    await terminal.shows(/● done/)
    terminal.press('enter')
    await terminal.shows('What is next?')
    terminal.type('Now the docs')
    terminal.press('enter')
    expect(await terminal.ended).toMatchObject({ code: 0 })
    expect(await store.summary('done')).toMatchObject({ head: { lastGoodTurn: 2 } })
  })

  it.skipIf(process.platform === 'win32')(
    'gives the terminal back on Ctrl+Z, and asks again when the process goes on, with what was typed',
    async () => {
      const { api, store } = projects()
      const end: EntryBody = { type: 'turn-ended', turn: 1 }
      for (const [id, words] of Object.entries({ docs: 'Write the docs', done: 'Build it' }))
        await (await seed(store, id, api, [asked(words), sent, answered, end])).close()
      const terminal = resume(api)
      const stop = async () => {
        terminal.press('ctrl-z')
        const state = () => execFileSync('ps', ['-o', 'stat=', '-p', String(terminal.pid)], { encoding: 'utf8' })
        await expect.poll(state).toMatch(/^T/)
        const lastOf = (sequence: string) => terminal.written().lastIndexOf(`\u001b[?25${sequence}`)
        const isCursorShown = () => lastOf('h') > lastOf('l')
        await expect.poll(isCursorShown).toBe(true)
      }
      await terminal.shows('to select')
      terminal.type('buil')
      await terminal.shows(/\(1 match\)[^]*● done/)
      await stop()
      terminal.kill('SIGCONT')
      await terminal.shows(/Which session[^]*Which session[^]*buil[^]*\(1 match\)[^]*● done/)
      terminal.press('enter')
      await terminal.shows('What is next?')
      terminal.type('Now the ')
      await terminal.shows('Now the')
      await stop()
      terminal.kill('SIGCONT')
      await terminal.shows(/What is next[^]*What is next\?\n.*Now the/)
      terminal.type('tests')
      terminal.press('enter')
      expect(await terminal.ended).toMatchObject({ code: 0 })
      expect(await store.summary('done')).toMatchObject({ head: { lastGoodTurn: 2 } })
      const { messages } = await openSession('done', { store }).then(
        async (session) => (await session.close(), session.transcript),
      )
      expect(JSON.stringify(messages)).toContain('"Now the tests"')
    },
  )

  it('says who holds a session, for how long, and both ways past it; nothing is touched (P3)', async () => {
    const { api, store } = projects()
    const session = await seed(store, 'busy', api, [
      asked('Build it'),
      sent,
      answered,
      { type: 'turn-ended', turn: 1 },
      asked('Go on', 2),
      sent,
    ])
    onTestFinished(() => session.close())
    const before = await seqs(store)
    const terminal = resume(api, { columns: 200 })
    expect(await terminal.shows(/● busy/)).toMatch(/in use .*held by pid 4711 on gone\.test since/)
    terminal.press('enter')
    const { code, screen } = await terminal.ended
    expect(code).toBe(5)
    expect(screen).toMatch(
      /written by pid 4711 on gone\.test since \S+Z \(\S+s\)\n {2}next: .*lastgood fork busy; .*resume busy --takeover/,
    )
    expect(await seqs(store)).toEqual(before)
  })

  it('asks about what costs more than the configuration allows, after the pick', async () => {
    const { api, store } = projects()
    writeFileSync(join(api, 'lastgood.config.mjs'), agent.replace('{ store', '{ confirmAboveUsd: 0, store'))
    const envelope = { body: { model: 'claude-opus-5-5', max_tokens: 10 }, betas: [] }
    await (await seed(store, 'dear', api, [asked('Build it'), { type: 'envelope-changed', envelope }, sent])).close()
    const terminal = resume(api)
    await terminal.shows(/● dear/)
    terminal.press('enter')
    expect(await terminal.shows('Continue? [y/N]')).toMatch(/cost {5}about \$0\.01 to read/)
    terminal.type('n')
    terminal.press('enter')
    expect(await terminal.ended).toMatchObject({ code: 0, screen: expect.stringMatching(/nothing was changed$/) })
  })

  it('of many sessions on a small screen draws one list, and the cursor walks through all of it', async () => {
    const { api, store } = projects()
    for (let number = 1; number <= 30; number += 1) {
      await (
        await seed(store, `session-${number}`, api, [asked(`Task ${number} ${'and more '.repeat(20)}`), sent])
      ).close()
    }
    const terminal = resume(api, { columns: 60, rows: 14 })
    await terminal.shows(/● session-30/)
    for (let number = 29; number > 0; number -= 1) {
      terminal.press('down')
      const screen = await terminal.shows(new RegExp(`● session-${number} `))
      expect(screen.match(/●/g)).toHaveLength(1)
      expect(screen.match(/Which session\?/g)).toHaveLength(1)
    }
    terminal.resize(100, 30)
    await terminal.shows(/● session-1 /)
  })

  it('without colours paints nothing', async () => {
    const { api } = await three()
    const terminal = resume(api, { env: { NO_COLOR: '1' } })
    await terminal.shows('to select')
    terminal.press('escape')
    await terminal.ended
    // oxlint-disable-next-line no-control-regex
    expect(terminal.written()).not.toMatch(/\u001b\[[\d;]*m/)
  })

  it('of a store without sessions says so and what to do, exit code 3', async () => {
    const { api } = projects()
    const { code, screen } = await resume(api).ended
    expect(code).toBe(3)
    expect(screen).toMatch(/error: no session yet in file:[^]*next: .*lastgood demo/)
  })
})

it('P1, P2: a session whose process was killed in a tool is offered; what is in doubt is told before it goes on', async () => {
  const model = story([reply([text('Now.'), toolUse('run', { command: 'hang' })]), reply(text('The tests are green.'))])
  const at = await place({ model })
  const program = at.start('program')
  await program.saw('HANGING')
  program.child.kill('SIGKILL')
  await program.ended
  const env = { LAB_URL: at.lab.url, LASTGOOD_STORE: './state' }
  const terminal = openTerminal(['lastgood', 'resume'], { cwd: at.cwd, env, columns: 120 })
  await terminal.shows(/● fix-auth +\d+s ago +interrupted +turn 1 +Make the tests green/)
  terminal.press('enter')
  const { code, screen } = await terminal.ended
  expect(code).toBe(0)
  expect(screen).toMatch(
    /state .*\nin doubt run hang: [^]*outcome is unknown\ncost [^]*The tests are green\.[^]*✔ turn 1 is saved/,
  )
})

describe('where nobody is asked, resume without a session lists what can be resumed, exit code 2', () => {
  it.each([
    ['with --no-input', ['--no-input'], {}],
    ['with --json', ['--json'], {}],
    ['in CI', [], { CI: 'true' }],
    ['on a dumb terminal', [], { TERM: 'dumb' }],
  ])('%s', async (_where, argv, env) => {
    const { api } = await three()
    const { code, screen } = await resume(api, { env }, ...argv).ended
    expect(code).toBe(2)
    expect(screen).toContain('lastgood resume fix-auth')
    expect(screen).not.toContain('Which session')
  })
})
