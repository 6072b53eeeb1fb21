// The built command as a real process, at a terminal and without one.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openTerminal } from '../../../../test/support/terminal.ts'
import { Collector, newFolder, run } from '../../test/context.ts'

const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))

/** Says which signals it gets, and ends at all but SIGINT. */
const client = `
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    process.stdout.write(name + '\\n')
    if (name !== 'SIGINT') process.exit(7)
  })
}
setInterval(() => {}, 1000)
process.stdout.write('ready\\n')
`

const behind = (cwd: string) => ['run', '--store', `file:${cwd}/state`, '--', process.execPath, '-e', client]

/** As a CI job or a service has it. */
function startWithoutTerminal(): { child: ChildProcess; said: () => string } {
  const cwd = newFolder()
  const child = spawn(process.execPath, [bin, ...behind(cwd)], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, LASTGOOD_STATUS_URL: 'off' },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let said = ''
  child.stdout?.on('data', (piece) => (said += String(piece)))
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL')
  })
  return { child, said: () => said }
}

test('each Ctrl+C reaches the command once, and it goes on behind its gateway for as long as it likes', async () => {
  const cwd = newFolder()
  const terminal = openTerminal(['lastgood', ...behind(cwd)], { cwd })
  await terminal.shows('ready')
  for (const times of [1, 2, 3]) {
    terminal.press('ctrl-c')
    await terminal.shows(new RegExp(`(SIGINT[^]*){${times}}`))
  }
  terminal.kill('SIGTERM')
  expect(await terminal.ended).toMatchObject({ code: 7 })
  expect(terminal.everything().match(/SIG[A-Z]+/g)).toEqual(['SIGINT', 'SIGINT', 'SIGINT', 'SIGTERM'])
})

test('a SIGHUP for the gateway alone reaches the command, which does not stay behind without it', async () => {
  const cwd = newFolder()
  const terminal = openTerminal(['lastgood', ...behind(cwd)], { cwd })
  await terminal.shows('ready')
  terminal.kill('SIGHUP')
  expect(await terminal.ended).toMatchObject({ code: 7, signal: 0 })
  expect(terminal.everything()).toContain('no conversation came through here')
})

test('without a terminal the command is told of each signal that its gateway gets', async () => {
  const { child, said } = startWithoutTerminal()
  await expect.poll(said, { timeout: 10_000 }).toBe('ready\n')
  for (const times of [1, 2, 3]) {
    child.kill('SIGINT')
    await expect.poll(said, { timeout: 10_000 }).toBe(`ready\n${'SIGINT\n'.repeat(times)}`)
  }
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([7, null])
  expect(said()).toBe(`ready\n${'SIGINT\n'.repeat(3)}SIGTERM\n`)
})

test.each([true, false])(
  "nothing is told before the sum where stderr is a terminal (%s), which is the command's screen",
  async (isTTY) => {
    const cwd = newFolder()
    const stderr = Object.assign(new Collector(), { isTTY })
    const argv = ['run', '--store', `file:${cwd}/state`, '--', process.execPath, '-e', '']
    await run(argv, { cwd, env: process.env, stderr })
    expect(stderr.text.startsWith('gateway  http')).toBe(!isTTY)
    expect(stderr.text).toMatch(/no conversation came through here\n$/)
  },
)
