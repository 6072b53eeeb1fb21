/** S10: a second terminal resumes a session that is at work in the first. */
import { hostname } from 'node:os'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { journey, keepScreen, type Journey } from './stage.ts'

const model = story([
  reply(text('The tests are green.')),
  reply([text('Out it goes.'), toolUse('shell', { command: 'release' })]),
  // What each of the two brings is right; it is the journal that has to be one's.
  reply(text('It is out.')),
])

/** The first terminal: turn 1 is saved, and turn 2 is in the middle of its tool. */
async function working(): Promise<{ at: Journey; first: ReturnType<Journey['start']> }> {
  const at = await journey({ model })
  const first = at.start('main', ['fix-auth', 'Make the tests green', 'Release it'], { env: { HANG: 'shell' } })
  await first.saw('HANGING')
  return { at, first }
}

test('S10: a second terminal is told who writes the session, where, since when, and both ways on; nothing is touched (P3)', async () => {
  const { at, first } = await working()
  const before = await at.entries()
  const asked = at.lab.requests.length

  const second = await at.run('lastgood', ['resume', 'fix-auth', '--json'])
  keepScreen('s10-busy', second.stderr)
  expect(second.code).toBe(5)
  expect(second.stderr).toContain(`session fix-auth is written by pid ${first.pid} on ${hostname()} since `)
  // An instant, and how long ago that is.
  expect(second.stderr).toMatch(/since 2\d{3}-\S+Z \(\d+(\.\d)?s\)/)
  expect(second.stderr).toMatch(/next: .*lastgood fork fix-auth; .*lastgood resume fix-auth --takeover/)
  const { error } = JSON.parse(second.stdout) as { error: { code: string; details: object } }
  expect(error).toMatchObject({
    code: 'session-busy',
    details: { host: hostname(), pid: first.pid, since: expect.any(Number) },
  })
  expect(await at.entries()).toEqual(before)
  expect(at.lab.requests).toHaveLength(asked)

  writeFileSync(join(at.cwd, 'go'), '')
  expect(await first.ended).toMatchObject({ code: 0, stdout: 'The tests are green.\nIt is out.\n' })
  expect(at.ran).toEqual(['shell release'])
})

test('S10: a fork goes on beside the first terminal, each with its own journal', async () => {
  const { at, first } = await working()
  expect(await at.run('lastgood', ['fork', 'fix-auth', 'beside'])).toMatchObject({ code: 0, stdout: 'beside\n' })
  expect(await at.json('lastgood', ['resume', 'beside', 'Release it'])).toMatchObject({ code: 0, text: 'It is out.' })
  writeFileSync(join(at.cwd, 'go'), '')
  expect(await first.ended).toMatchObject({ code: 0 })
  for (const id of ['fix-auth', 'beside']) expect(await at.head(id)).toMatchObject({ turn: 2, lastGoodTurn: 2 })
})

test('S10: with --takeover the first terminal can write nothing more, and the two never interleave (P3)', async () => {
  const { at, first } = await working()
  const taken = await at.json('lastgood', ['resume', 'fix-auth', '--takeover'])
  expect(taken).toMatchObject({ code: 0, text: 'It is out.', lastGoodTurn: 2 })
  const after = await at.entries()

  // The first one's tool returns only now: its result is not let in.
  writeFileSync(join(at.cwd, 'go'), '')
  const late = await first.ended
  expect(late.code).not.toBe(0)
  expect(late.stderr).toContain('lease-lost')
  expect(await at.entries()).toEqual(after)
  const fences = after.map(({ fence }) => fence)
  expect(fences).toEqual([...fences].sort((a, b) => a - b))
  expect(at.ran).toEqual(['shell release'])
  expect((await at.entriesOf('tool-finished')).map(({ outcome }) => outcome)).toEqual(['in-doubt'])
})
