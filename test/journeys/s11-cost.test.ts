/** S11: nine hours later, with 180,000 tokens: what does it cost to go on? */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { beforeEach, describe, expect, test } from 'vitest'
import { journey, keepScreen, type Journey } from './stage.ts'

const model = story([
  reply([toolUse('read', { path: 'long.txt' }), toolUse('read', { path: 'long.txt' })]),
  reply([text('Now the long one.'), toolUse('shell', { command: 'test' })]),
  reply(text('The tests are green.')),
])

const asking = { env: { CONFIRM_ABOVE_USD: '0.50' } }
let at: Journey

/** Left nine hours ago by a process that was killed in its tool. */
beforeEach(async () => {
  at = await journey({ model })
  writeFileSync(join(at.cwd, 'long.txt'), 'word '.repeat(72_000))
  const env = { HANG: 'shell', AGO_MS: String(9 * 3_600_000) }
  const program = at.start('main', ['fix-auth', 'Make the tests green'], { env })
  await program.saw('HANGING')
  await program.kill()
})

describe('S11: a session of 180,000 tokens, nine hours later', () => {
  test('--dry-run says tokens, that the cache is cold, and a price, and changes nothing; --yes is for whom nobody can ask', async () => {
    const [before, asked] = [await at.entries(), at.lab.requests.length]
    const { code, stdout, stderr } = await at.run('resume', ['last', '--dry-run'])
    keepScreen('s11-cost', stderr + stdout)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'lastgood resume fix-auth\n' })
    expect(stderr).toMatch(/cost +about \$0\.9\d to read 18\d,\d{3} tokens: the cache has been cold for 8h55m/)
    expect(stderr).toContain('in doubt shell test: it was started, its outcome is unknown')
    const { cost } = await at.json<{ cost: { tokens: number; usd: number } }>('resume', ['last', '--dry-run'])
    expect(cost).toMatchObject({ model: 'claude-opus-5-5', cache: 'cold' })
    // Written to the cache anew, at 1.25 of $4 for a million.
    expect(cost.usd).toBeCloseTo((cost.tokens * 1.25 * 4) / 1_000_000, 6)

    const refused = await at.run('resume', ['last'], asking)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/This costs about \$0\.9\d to read 18\d,\d{3} tokens[^]*next: .*--yes/)
    expect(await at.entries()).toEqual(before)
    expect(at.lab.requests).toHaveLength(asked)
    const done = await at.run('resume', ['last', '--yes'], asking)
    expect(done).toMatchObject({ code: 0, stdout: 'The tests are green.\n' })
    expect(done.stderr).toMatch(/cost +about \$0\.9\d/)
  })

  test('above the threshold of the configuration a person at a terminal is asked: anything but yes changes nothing', async () => {
    const before = await at.entries()
    const no = at.terminal('resume', ['last'], asking)
    await no.shows(/This costs about \$0\.9\d to read 18\d,\d{3} tokens[^]*Continue\? \[y\/N\]/)
    no.press('enter')
    expect(await no.ended).toMatchObject({ code: 0, screen: expect.stringContaining('nothing was changed') })
    expect(await at.entries()).toEqual(before)

    const yes = at.terminal('resume', ['last'], asking)
    await yes.shows('[y/N]')
    yes.type('yes')
    yes.press('enter')
    expect(await yes.ended).toMatchObject({ code: 0 })
    keepScreen('s11-asked', yes.screen())
    expect(yes.screen()).toContain('The tests are green.')
  })
})
