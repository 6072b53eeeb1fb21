/** S3: the process is killed in the tool of turn 8. */
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { beforeEach, describe, expect, test } from 'vitest'
import { journey, keepScreen, lastLine, type Journey } from './stage.ts'

const parts = [1, 2, 3, 4, 5, 6, 7].map((n) => `Do part ${n}`)
const model = story([
  ...parts.map((_, at) => reply(text(`Part ${at + 1} is done.`))),
  reply([text('First the notes.'), toolUse('shell', { command: 'write notes' })]),
  {
    expect: { toolResult: 'ok: write notes' },
    reply: reply([text('Out it goes.'), toolUse('deploy', { version: '1.7' })]),
  },
  { expect: { toolResult: /deployed 1\.7|outcome is unknown/ }, reply: reply(text('Version 1.7 is out.')) },
])

let at: Journey
let asked: number

/** Seven turns are saved; in turn 8 one tool has ended, and `deploy`, whose rule is to ask, has not. */
beforeEach(async () => {
  at = await journey({ model })
  const program = at.start('main', ['fix-auth', ...parts, 'Release 1.7'], { env: { HANG: 'deploy' } })
  await program.saw('HANGING')
  await program.kill('SIGKILL')
  asked = at.lab.requests.length
})

/** Whatever was decided: the finished call is not run again, and the model was sent what it was sent before. */
async function expectRanOnce(deploys: number): Promise<void> {
  expect(at.ran).toEqual(['shell write notes', ...Array.from({ length: deploys }, () => 'deploy 1.7')])
  expect(at.lab.requests).toHaveLength(asked + 1)
  expect(at.lab.requests.filter(({ violation }) => violation)).toEqual([])
  const [before, after] = [at.lab.requests[asked - 1]!, at.lab.requests[asked]!].map(({ body }) => body!)
  expect(after!.messages!.slice(0, before!.messages!.length)).toEqual(before!.messages)
  expect({ ...after, messages: [] }).toEqual({ ...before, messages: [] })
  expect(await at.head()).toMatchObject({ status: 'idle', turn: 8, lastGoodTurn: 8 })
}

describe('S3: a process that was killed inside of a tool whose rule is to ask (P2)', () => {
  test('without a terminal is shown with what is unknown, and not gone on with: exit code 2, and the flag that decides', async () => {
    const { stdout } = await at.run('lastgood', ['list'])
    expect(stdout).toMatch(/interrupted +fix-auth +coder +8 +7 /)
    const { code, stderr } = await at.run('resume', ['last'])
    keepScreen('s03-no-terminal', stderr)
    expect(code).toBe(2)
    expect(stderr).toContain('saved at turn 7; turn 8 is open: continuing with 1 tool call')
    expect(stderr).toContain('in doubt deploy 1.7: it was started, its outcome is unknown')
    expect(stderr).toMatch(/--in-doubt rerun repeats the call, --in-doubt report tells the model it is unknown/)
    expect(lastLine(stderr)).toBe('lastgood resume fix-auth --in-doubt report')
    expect(at.ran).toEqual(['shell write notes', 'deploy 1.7'])
    expect(at.lab.requests).toHaveLength(asked)
    expect(await at.head()).toMatchObject({ status: 'needs-input', turn: 8, lastGoodTurn: 7 })

    const decided = await at.run('lastgood', lastLine(stderr)!.split(' ').slice(1))
    expect(decided).toMatchObject({ code: 0, stdout: 'Version 1.7 is out.\n' })
    await expectRanOnce(1)
  })

  test('at a terminal the person is asked; what is typed decides, and Enter leaves it open', async () => {
    const left = at.terminal('resume', ['last'])
    await left.shows(/\? deploy 1\.7 was started, and its outcome is unknown[^]*leave it open\):$/)
    left.press('enter')
    expect(await left.ended).toMatchObject({ code: 2 })
    expect(lastLine(left.screen())).toBe('lastgood resume fix-auth --in-doubt report')
    expect(at.lab.requests).toHaveLength(asked)

    const decided = at.terminal('resume', ['last'])
    await decided.shows(/leave it open\):$/)
    decided.type('what?')
    decided.press('enter')
    await decided.shows(/what\?\n.*leave it open\):$/)
    decided.type('report')
    decided.press('enter')
    expect(await decided.ended).toMatchObject({ code: 0 })
    keepScreen('s03-asked', decided.screen())
    expect(decided.screen()).toContain('Version 1.7 is out.')
    await expectRanOnce(1)
  })

  test('of several calls is left open by the end of the input: exit code 2, and the flag that decides', async () => {
    const two = [toolUse('deploy', { version: '1.7' }), toolUse('deploy', { version: '1.8' })]
    at = await journey({ model: story([reply(two), reply(text('Both are out.'))]) })
    const program = at.start('main', ['fix-auth', 'Release both'], { env: { HANG: 'deploy' } })
    await program.saw(/HANGING\n[^]*HANGING/)
    await program.kill('SIGKILL')

    const left = at.terminal('resume', ['last'])
    await left.shows(/deploy 1\.7 was started, and[^]*leave it open\):$/)
    left.press('ctrl-d')
    expect(await left.ended).toMatchObject({ code: 2 })
    expect(left.screen()).toContain('deploy 1.8 was started, and')
    expect(lastLine(left.screen())).toBe('lastgood resume fix-auth --in-doubt report')
    expect(await at.head()).toMatchObject({ status: 'needs-input' })

    const half = at.terminal('resume', ['last'])
    await half.shows(/deploy 1\.7 was started, and[^]*leave it open\):$/)
    half.type('rerun')
    half.press('enter')
    await half.shows(/deploy 1\.8 was started, and[^]*leave it open\):$/)
    half.press('ctrl-d')
    expect(await half.ended).toMatchObject({ code: 2 })
    keepScreen('s03-half', half.screen())
    expect(half.screen()).not.toContain('runs again')
    expect(at.ran).toEqual(['deploy 1.7', 'deploy 1.8'])
  })

  test('with the answer as a flag goes on at turn 8 at once: --in-doubt rerun', async () => {
    const { code, stdout } = await at.run('resume', ['last', '--in-doubt', 'rerun'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Version 1.7 is out.\n' })
    await expectRanOnce(2)
  })
})
