// The built commands as real processes, with the real SDK, against a Messages API that fails as scripted.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileStore } from '@lastgood/core/file'
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, it, onTestFinished } from 'vitest'
import { newFolder } from '../../test/context.ts'
import { place, type Place } from '../../test/processes.ts'

const model = story([
  reply([text('Looking.'), toolUse('run', { command: 'ls' })]),
  reply([text('Now the long one.'), toolUse('run', { command: 'hang' })]),
  reply(text('The tests are green.')),
  reply(text('The docs are written.')),
])
const quick = story([reply([text('Looking.'), toolUse('run', { command: 'ls' })]), reply(text('Green.'))])
const overloadedFrom = (n: number): Outage => ({
  when: { requests: [n, Infinity] },
  fault: { kind: 'status', status: 529 },
})

const lastLine = (output: string) => output.trimEnd().split('\n').at(-1)
const ranIn = ({ cwd }: Place) => readFileSync(join(cwd, 'ran.log'), 'utf8').trim().split('\n')
const headIn = async ({ cwd }: Place) => (await fileStore({ dir: join(cwd, 'state') }).summary('fix-auth'))?.head

/** A place whose program was killed in the middle of its second tool. */
async function killedInTool(): Promise<Place> {
  const at = await place({ model })
  const program = at.start('program')
  await program.saw('HANGING')
  program.child.kill('SIGKILL')
  await program.ended
  return at
}

describe('P1, P2: a session whose process was killed during a tool', () => {
  it('goes on with `resume last`: finished tools keep their results, the unfinished one is told and not repeated', async () => {
    const at = await killedInTool()
    const { code, stdout, stderr } = await at.start('resume', ['last']).ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'The tests are green.\n' })
    expect(stderr).toContain('in doubt run hang: it was started, its outcome is unknown')
    expect(stderr).toContain('✔ turn 1 is saved')
    expect(ranIn(at)).toEqual(['ls', 'hang'])
    expect(at.lab.requests.filter(({ violation }) => violation)).toEqual([])
    expect(at.lab.requests).toHaveLength(3)
  })

  it('takes a message as a new turn after it', async () => {
    const at = await killedInTool()
    const { code, stdout } = await at.start('lastgood', ['resume', 'fix-auth', 'Now', 'the docs', '--json']).ended
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ state: 'done', turn: 2, lastGoodTurn: 2, text: 'The docs are written.' })
  })

  it('is shown by list and show in the meantime', async () => {
    const at = await killedInTool()
    const listed = await at.start('lastgood', ['list']).ended
    expect(listed.stdout).toMatch(/interrupted +fix-auth +coder +1 +0 /)
    const shown = await at.start('lastgood', ['show', 'last']).ended
    expect(shown.stdout).toMatch(/✔ run ls[^]*… no result: run hang/)
    expect(lastLine(shown.stderr)).toBe('lastgood resume fix-auth')
  })
})

describe('an outage', () => {
  it('that outlasts --max-wait is exit code 75 with the command, and that command finishes later', async () => {
    // It dies with a request in flight, so that no wait is armed.
    const stall = { kind: 'stall', after: 'before-headers', pings: false } as const
    const at = await place(
      { model: quick, outages: [{ when: { request: 4 }, fault: stall }, overloadedFrom(2)] },
      { WAIT_MS: '200' },
    )
    const program = at.start('program')
    await waitForRequests(at, 4)
    program.child.kill('SIGKILL')
    await program.ended
    at.lab.setOutages([overloadedFrom(2)])
    const argv = ['resume', 'fix-auth', '--max-wait', '1500ms', '--json']
    const first = await at.start('lastgood', argv).ended
    expect(first.code).toBe(75)
    expect(first.stderr).toMatch(
      /◐ API 529 overloaded_error · attempt \d+ · (next in \d+s|trying now) · saved inside turn 1/,
    )
    expect(lastLine(first.stderr)).toBe('lastgood resume fix-auth')
    expect(JSON.parse(first.stdout)).toMatchObject({
      schema: 'lastgood.resume/v1',
      state: 'suspended',
      retryAt: expect.stringContaining('Z'),
      lastGoodTurn: 0,
      command: 'lastgood resume fix-auth',
      exitCode: 75,
    })
    expect(await headIn(at)).toMatchObject({ status: 'suspended' })
    at.lab.setOutages([])
    // As printed, without a limit: the breaker may be open for some seconds more.
    const second = await at.start('lastgood', ['resume', 'fix-auth', '--json']).ended
    expect(second.code).toBe(0)
    expect(JSON.parse(second.stdout)).toMatchObject({ state: 'done', text: 'Green.', lastGoodTurn: 1 })
    expect(ranIn(at)).toEqual(['ls'])
  })

  it('that passes is said to have passed, and each attempt reached the API once (P8)', async () => {
    const at = await place({
      model: quick,
      outages: [{ when: { requests: [3, 5] }, fault: { kind: 'status', status: 529 } }],
    })
    await at.start('program').ended
    at.lab.setOutages([{ when: { requests: [3, 5] }, fault: { kind: 'status', status: 529 } }])
    const { code, stderr, stdout } = await at.start('resume', ['last', 'Again', '--jsonl']).ended
    // The story has ended: what comes after the outage is a refusal, and it is told at once.
    expect(code).toBe(1)
    expect(at.lab.requests).toHaveLength(6)
    expect(stderr.match(/◐ API 529/g)).toHaveLength(3)
    expect(stdout.match(/"decision":"retry"/g)).toHaveLength(3)
    expect(stderr).toMatch(/error: session fix-auth: [^]*400/)
    expect(lastLine(stderr)).toBe('lastgood resume fix-auth')
  })
})

describe('Ctrl+C', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s in an outage: exit code %i without waiting for it, saved, and the last line resumes',
    async (signal, exitCode) => {
      const at = await place({ model: quick, outages: [overloadedFrom(1)] }, { WAIT_MS: '60000' })
      const program = at.start('program')
      await waitForRequests(at, 1)
      program.child.kill('SIGKILL')
      await program.ended
      const running = at.start('lastgood', ['resume', 'fix-auth'])
      await running.saw('◐ API 529')
      const before = performance.now()
      running.child.kill(signal)
      const { code, stdout, stderr } = await running.ended
      expect(performance.now() - before).toBeLessThan(20_000)
      expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
      expect(lastLine(stderr)).toBe('lastgood resume fix-auth')
      expect(await headIn(at)).toMatchObject({ status: 'suspended', reason: `stopped by ${signal}` })
    },
  )

  it('during a tool that does not listen ends all the same, and the call is in doubt', async () => {
    const at = await place({ model, outages: [overloadedFrom(1)] })
    const program = at.start('program')
    await waitForRequests(at, 1)
    program.child.kill('SIGKILL')
    await program.ended
    at.lab.setOutages([])
    const running = at.start('lastgood', ['resume', 'fix-auth'])
    await running.saw('HANGING')
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 130 })
    const { stdout } = await at.start('lastgood', ['resume', 'last', '--quiet']).ended
    expect(stdout).toBe('The tests are green.\n')
    expect(ranIn(at)).toEqual(['ls', 'hang'])
  })
})

describe('P3: a session that a live process holds', () => {
  it('is exit code 5, and --takeover fences that process off', async () => {
    const at = await place({ model })
    const program = at.start('program')
    await program.saw('HANGING')
    const { code, stderr } = await at.start('lastgood', ['resume', 'fix-auth']).ended
    expect(code).toBe(5)
    expect(stderr).toMatch(new RegExp(`written by pid ${program.child.pid} on [^]*next: .*--takeover`))
    expect(await at.start('lastgood', ['resume', 'fix-auth', '--takeover']).ended).toMatchObject({ code: 0 })
  })
})

describe('what is wrong is told by exit code, error and next step', () => {
  it('a configuration that does not parse: 4', async () => {
    const at = await killedInTool()
    writeFileSync(join(at.cwd, 'lastgood.config.mjs'), 'export default {')
    const { code, stderr } = await at.start('resume', ['last']).ended
    expect(code).toBe(4)
    expect(stderr).toMatch(/error: .*lastgood\.config\.mjs could not be loaded\n {2}cause: SyntaxError[^]* {2}next: /)
  })

  it('a client without a key: 4, and nothing is sent', async () => {
    const at = await killedInTool()
    const path = join(at.cwd, 'lastgood.config.mjs')
    writeFileSync(path, readFileSync(path, 'utf8').replace(", apiKey: 'any'", ''))
    const sent = at.lab.requests.length
    const { code, stderr } = await at.start('resume', ['last']).ended
    expect(stderr).toMatch(/error: Could not resolve authentication method[^]*\n {2}next: export ANTHROPIC_API_KEY, /)
    expect(stderr).not.toContain('LASTGOOD_DEBUG')
    expect({ code, sent: at.lab.requests.length }).toEqual({ code: 4, sent })
  })

  it('a Node that is too old: 4, before anything is loaded that needs a newer one', () => {
    const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.9.0' } })`
    const argv = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, bin, 'list']
    expect(spawnSync(process.execPath, argv, { encoding: 'utf8' })).toMatchObject({
      status: 4,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: lastgood needs Node 20\.19 or newer, and this is 20\.9\.0\n {2}next: [^\n]+\n$/,
      ),
    })
  })

  it('no session and no message of one: 2', async () => {
    const at = await killedInTool()
    const { code, stderr } = await at.start('resume').ended
    expect(code).toBe(2)
    expect(lastLine(stderr)).toBe('    lastgood resume fix-auth')
  })

  it('a session that is not there: 3', async () => {
    const at = await killedInTool()
    const { code, stderr } = await at.start('resume', ['lits']).ended
    expect(code).toBe(3)
    expect(stderr).toContain('did you mean list? lastgood list')
  })
})

it('a reader that goes away ends a command quietly', async () => {
  const at = await killedInTool()
  const running = at.start('lastgood', ['show', 'last', '--raw'])
  running.child.stdout?.destroy()
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' })
})

it.runIf(existsSync('/dev/full'))('output that cannot be written is told, and is a failure', () => {
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
  const ran = spawnSync(process.execPath, [bin, 'help'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
  expect(ran).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error: the output cannot be written \(ENOSPC\)\n {2}next: [^\n]+\n$/),
  })
})

it('a reader that goes away ends no turn: the work goes on', async () => {
  const at = await killedInTool()
  const running = at.start('resume', ['last'])
  running.child.stdout?.destroy()
  running.child.stderr?.destroy()
  expect((await running.ended).code).toBe(0)
  expect(await headIn(at)).toMatchObject({ status: 'idle', lastGoodTurn: 1 })
})

it('a folder that is gone is told, with what to do', async () => {
  const cwd = newFolder()
  const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
  const line = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" list`
  const { status, stderr } = spawnSync('sh', ['-c', line, process.execPath, bin], { cwd, encoding: 'utf8' })
  expect(stderr).toMatch(/^error: .* is gone\n {2}next: cd /)
  expect(status).toBe(4)
})

it('where HOME is empty, the state is in the home folder of the user, and not in the current one', () => {
  const cwd = newFolder()
  const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
  const env = { PATH: process.env['PATH'], HOME: '' }
  const { status, stdout } = spawnSync(process.execPath, [bin, 'config'], { cwd, env, encoding: 'utf8' })
  expect(status).toBe(0)
  expect(stdout).toContain(`file:${userInfo().homedir}/.local/state/lastgood`)
})

async function waitForRequests({ lab }: Place, count: number): Promise<void> {
  await expect.poll(() => lab.requests.length).toBeGreaterThanOrEqual(count)
}
