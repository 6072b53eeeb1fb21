/** An outage while somebody looks on: one line that is drawn anew on a terminal, plain lines where there is none. */
import { reply, story, text } from '@lastgood/outage-lab'
import { expect, it } from 'vitest'
import { place } from '../packages/cli/test/processes.ts'
import { openTerminal } from './support/terminal.ts'

/** A session whose program was killed while the API was overloaded; it still is, for two more requests. */
async function killedInOutage() {
  const fault = { kind: 'status', status: 529 } as const
  const model = story([reply(text('The tests are green.'))])
  const at = await place({ model, outages: [{ when: { requests: [1, 3] }, fault }] }, { WAIT_MS: '2000' })
  const program = at.start('program')
  await expect.poll(() => at.lab.requests.length, { timeout: 20_000 }).toBe(1)
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
  for (const what of [/◐ API 529 .* attempt 2/, /◐ API 529 .* attempt 3/]) {
    const screen = await terminal.shows(what)
    expect(screen.match(/◐/g)).toHaveLength(1)
    expect(screen).toMatch(/ · (next in \d+s|trying now) · saved inside turn 1$/)
  }
  const { code, screen } = await terminal.ended
  expect(code).toBe(0)
  expect(screen).toMatch(/The tests are green\.\n✔ recovered after \S+, at attempt \d · saved/)
  expect(terminal.everything()).not.toContain('◐')
  // What the person saw as one line was drawn for each attempt and each wait.
  expect(terminal.written().match(/◐/g)?.length).toBeGreaterThanOrEqual(4)
})

it('where it is piped each change is a line, without escape sequences', async () => {
  const at = await killedInOutage()
  const { code, stdout, stderr } = await at.start('lastgood', ['resume', 'last', '--no-page']).ended
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'The tests are green.\n' })
  expect(stderr).not.toMatch(escapes)
  const told = stderr.split('\n').filter((line) => line.startsWith('◐'))
  expect(
    told.filter((line) => /attempt [23] · next in \d+s · saved inside turn 1$/.test(line)).length,
  ).toBeGreaterThanOrEqual(2)
  expect(stderr).toMatch(/\n✔ recovered after \S+, at attempt \d · saved inside turn 1\n/)
})
