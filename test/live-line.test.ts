/** An outage while a person watches: one line that is redrawn on a terminal, plain lines without one. */
import { reply, story, text } from '@lastgood/outage-lab'
import { expect, it } from 'vitest'
import { place } from '../packages/cli/test/processes.ts'
import { openTerminal } from './support/terminal.ts'

/** A session whose program was killed while the API was overloaded; it is until the test says otherwise. */
async function killedInOutage() {
  const fault = { kind: 'status', status: 529 } as const
  const model = story([reply(text('The tests are green.'))])
  const at = await place({ model, outages: [{ when: { requests: [1, Infinity] }, fault }] }, { WAIT_MS: '2000' })
  const program = at.start('program')
  await expect.poll(() => at.lab.requests.length, { timeout: 20_000 }).toBeGreaterThan(0)
  program.child.kill('SIGKILL')
  await program.ended
  return at
}

// oxlint-disable-next-line no-control-regex
const escapes = /[\u001b\r]/

it('on a terminal there is one line, drawn anew with each change, and it is gone when it is over', async () => {
  const at = await killedInOutage()
  const env = { LAB_URL: at.lab.url, LASTGOOD_STORE: './state', WAIT_MS: '2000' }
  const terminal = openTerminal(['resume', 'last', '--no-page'], { cwd: at.cwd, env, columns: 120 })
  let attempt = '0'
  for (const _ of [1, 2]) {
    const screen = await terminal.shows(new RegExp(`◐ API 529 .* attempt (?!${attempt} )`))
    expect(screen.match(/◐/g)).toHaveLength(1)
    expect(screen).toMatch(/ · (next in \d+s|trying now) · saved inside turn 1$/)
    attempt = /attempt (\d+)/.exec(screen)?.[1] ?? ''
  }
  at.lab.setOutages([])
  const { code, screen } = await terminal.ended
  expect(code).toBe(0)
  expect(screen).toMatch(/The tests are green\.\n✔ recovered after \S+, at attempt \d+ · saved/)
  expect(terminal.everything()).not.toContain('◐')
  // What the person saw as one line was drawn with each change.
  expect(terminal.written().match(/◐/g)?.length).toBeGreaterThanOrEqual(2)
})

it('where it is piped each change is a line, without escape sequences', async () => {
  const at = await killedInOutage()
  const before = at.lab.requests.length
  const running = at.start('lastgood', ['resume', 'last', '--no-page'])
  await expect.poll(() => at.lab.requests.length, { timeout: 25_000 }).toBeGreaterThan(before + 2)
  at.lab.setOutages([])
  const { code, stdout, stderr } = await running.ended
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'The tests are green.\n' })
  expect(stderr).not.toMatch(escapes)
  const told = stderr.split('\n').filter((line) => line.startsWith('◐'))
  expect(
    told.filter((line) => /attempt \d+ · next in \d+s · saved inside turn 1$/.test(line)).length,
  ).toBeGreaterThanOrEqual(2)
  expect(stderr).toMatch(/\n✔ recovered after \S+, at attempt \d+ · saved inside turn 1\n/)
})
