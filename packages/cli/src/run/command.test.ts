// The built command as a real process, in a group of its own as a terminal has it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Collector, folder, run } from '../../test/context.ts'

const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))

/** Says which signals it gets, and ends at SIGTERM. */
const client = `
for (const name of ['SIGINT', 'SIGTERM']) {
  process.on(name, () => {
    process.stdout.write(name + '\\n')
    if (name === 'SIGTERM') process.exit(7)
  })
}
setInterval(() => {}, 1000)
process.stdout.write('ready\\n')
`

function start(): { child: ChildProcess; said: () => string; pid: number } {
  const cwd = folder()
  const argv = ['run', '--store', `file:${cwd}/state`, '--', process.execPath, '-e', client]
  const env = { PATH: process.env['PATH'], HOME: cwd, LASTGOOD_STATUS_URL: 'off' }
  const child = spawn(process.execPath, [bin, ...argv], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let said = ''
  child.stdout?.on('data', (piece) => (said += String(piece)))
  const pid = child.pid ?? 0
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-pid, 'SIGKILL')
  })
  return { child, said: () => said, pid }
}

test('each Ctrl+C reaches the command once, and it goes on behind its gateway for as long as it likes', async () => {
  const { child, said, pid } = start()
  await expect.poll(said).toBe('ready\n')
  for (const times of [1, 2, 3]) {
    process.kill(-pid, 'SIGINT')
    await expect.poll(said).toBe(`ready\n${'SIGINT\n'.repeat(times)}`)
  }
  process.kill(pid, 'SIGTERM')
  expect(await once(child, 'exit')).toEqual([7, null])
  expect(said()).toBe(`ready\n${'SIGINT\n'.repeat(3)}SIGTERM\n`)
})

test.each([true, false])(
  "nothing is told before the sum where stderr is a terminal (%s), which is the command's screen",
  async (isTTY) => {
    const cwd = folder()
    const stderr = Object.assign(new Collector(), { isTTY })
    const argv = ['run', '--store', `file:${cwd}/state`, '--', process.execPath, '-e', '']
    await run(argv, { cwd, env: process.env, stderr })
    expect(stderr.text.startsWith('gateway  http')).toBe(!isTTY)
    expect(stderr.text).toMatch(/0 answers in 0 sessions; nothing failed\n$/)
  },
)
